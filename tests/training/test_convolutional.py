"""Convolutional networks: their files, their training, their sheet."""

import runpy

import pytest
import torch
from conftest import ROOT
from networks import images_of, seeded, store
from torch import nn

from intriguing.errors import InputError
from intriguing.models.alexnet import ARCHITECTURES, alexnet_mnist, classifier, conv
from intriguing.models.architecture import Standardise, build
from intriguing.models.evaluation import count_errors
from intriguing.models.files import load_model
from intriguing.training.convolutional import (
    Augmentation,
    augmented,
    fit_convolutional,
    initialise_rectifiers,
)
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.convolutions import (
    SHAPES,
    read_convolutional,
    trained_convolutional,
)

TINY = {
    "kind": "sequential",
    "layers": [
        *conv(1, 4, 3, padding=1),
        {"layer": "max-pool", "kernel_size": 3, "stride": 2},
        *classifier(4 * 9, 16, 2, dropout=0.1),
    ],
}


@pytest.fixture(scope="module")
def stripes():
    """Images of one bright row, or of one bright column."""
    images = torch.randint(60, (400, 1, 8, 8), generator=seeded(), dtype=torch.uint8)
    labels = torch.arange(400) % 2
    for image, label in zip(images, labels, strict=True):
        (image[0] if label else image[0].T)[3] = 250
    return images, labels


def fit(stripes, seed):
    how = {"decay": 0.0, "augmentation": Augmentation(1, True), "seed": seed}
    return fit_convolutional(TINY, *stripes, AdamRecipe(0.01, 8, 40), **how)


def test_a_network_learns_what_its_images_show(stripes):
    images, labels = stripes
    network = fit(stripes, 1)
    counts = count_errors(network, images.float() / 255, labels)
    assert counts["wrong"] <= 8
    assert not network.training
    assert not any(weights.requires_grad for weights in network.parameters())


def test_a_seed_decides_every_bit_and_leaves_other_random_numbers_alone(stripes):
    torch.manual_seed(3)
    first = fit(stripes, 1).state_dict()
    following = torch.rand(4)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(4), following)
    again, other = fit(stripes, 1).state_dict(), fit(stripes, 2).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])


def test_images_or_labels_that_do_not_fit_are_refused_in_one_line(stripes):
    images, labels = stripes
    with pytest.raises(InputError, match="images of 1x8x5 values"):
        fit((images[..., :5], labels), 1)
    with pytest.raises(InputError, match="labels reach 2"):
        fit((images, labels + 1), 1)


def test_a_batch_is_translated_as_a_whole_and_filled_up_with_zeros():
    image = torch.full((1, 1, 6, 6), 255, dtype=torch.uint8)
    generator, sizes = seeded(), set()
    for _ in range(200):
        found = augmented(image, Augmentation(2), generator)
        assert found.shape == (1, 1, 6, 6)
        assert set(found.unique().tolist()) <= {0.0, 1.0}
        sizes.add(tuple(int(found[0, 0].amax(axis).sum()) for axis in (1, 0)))
    assert sizes == {(r, c) for r in (4, 5, 6) for c in (4, 5, 6)}


def test_mirrored_images_are_mirrored_left_to_right():
    image = torch.arange(6, dtype=torch.uint8).reshape(1, 1, 2, 3)
    generator, found = seeded(), set()
    for _ in range(20):
        pixels = augmented(image, Augmentation(mirror=True), generator) * 255
        found.add(tuple(pixels.round().flatten().tolist()))
    assert found == {(0, 1, 2, 3, 4, 5), (2, 1, 0, 5, 4, 3)}


def test_initial_weights_keep_the_size_of_activations():
    network = build(alexnet_mnist())
    initialise_rectifiers(network, seeded())
    network.requires_grad_(False)
    values = torch.randn(200, 1, 28, 28, generator=seeded(1))
    for layer in network:
        inputs, values = values, layer(values)
        if isinstance(layer, nn.Linear) and layer.out_features > 10:
            assert 0.3 < float(values.std() / inputs.square().mean().sqrt()) < 3


@pytest.mark.parametrize("name", ["alexnet-mnist", "alexnet-cifar10"])
def test_a_network_comes_back_from_its_file_and_takes_its_images(tmp_path, name):
    architecture = ARCHITECTURES[name]()
    network = build(architecture).eval()
    back = load_model(store(tmp_path / "0.safetensors", network, architecture))
    pixels = images_of(3, *SHAPES[name.removeprefix("alexnet-")])
    assert torch.equal(back(pixels), network(pixels))
    assert back(pixels).shape == (3, 10)
    assert sum(isinstance(layer, nn.Conv2d) for layer in back) == 5
    assert sum(isinstance(layer, nn.Linear) for layer in back) == 3


def test_standardising_subtracts_the_mean_and_divides_by_the_deviation():
    pixels = images_of(4, 2, 3, 3)
    found = Standardise([0.1, 0.4], [0.5, 2.0])(pixels)
    torch.testing.assert_close(found[:, 0], (pixels[:, 0] - 0.1) / 0.5)
    torch.testing.assert_close(found[:, 1], (pixels[:, 1] - 0.4) / 2.0)


SHEET = ROOT / "config/convolutional.tsv"


def test_the_sheet_trains_alexnet_on_digits_with_three_seeds():
    rows = read_convolutional(SHEET, {})
    assert list(rows) == ["alexnet-mnist"]
    found = trained_convolutional(rows, [4, 5, 6, 7])
    assert found == [("alexnet-mnist", seed) for seed in (4, 5, 6)]
    with pytest.raises(InputError, match="alexnet-mnist is in the other sheet"):
        read_convolutional(SHEET, {"alexnet-mnist": None})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("3e-3", "0", "learning_rate"),
        ("no\tsample", "perhaps\tsample", "mirror"),
        ("\tmnist\t", "\tCIFAR 10\t", "data"),
        ("alexnet-mnist\talexnet-mnist", "x\tresnet", "architecture"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path, old, new, message):
    text = SHEET.read_text()
    assert old in text
    path = tmp_path / "sheet.tsv"
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=f"sheet.tsv, row .*{message}"):
        read_convolutional(path, {})


def test_the_step_gives_network_and_architecture(stripes):
    run = runpy.run_path(str(ROOT / "scripts/training/train_convolutional.py"))["run"]
    images = torch.nn.functional.pad(stripes[0], (10, 10, 10, 10))
    train = {"images": images[:60], "labels": stripes[1][:60]}
    row = {"model": "alexnet-mnist", "architecture": "alexnet-mnist", "epochs": 1}
    row |= {"learning_rate": 1e-3, "batch": 20, "warmup": 0.0, "decay": 0.0}
    row |= {"shift": 0, "mirror": "no"}
    network, architecture = run(row, 0, train)
    assert architecture == alexnet_mnist()
    assert len(network) == len(architecture["layers"])
