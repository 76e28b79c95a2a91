"""Natural images: reading, targets, transformations, tables."""

import csv
import pickle
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT
from networks import random_perceptron, seeded, store
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from intriguing.attack.objective import evaluate
from intriguing.errors import InputError
from intriguing.models.architecture import torchvision_classifier
from intriguing.models.files import load_model
from intriguing.models.pretrained import alexnet_from_layers
from intriguing.natural.images import evaluation_sets, triples
from intriguing.natural.table import attack_cells, transfer_cells
from intriguing.natural.targets import sample_of_job
from intriguing.spectra import network_norms
from intriguing.spectra.graph import network_bound
from intriguing.workflow import images
from intriguing.workflow.config import read_config
from intriguing.workflow.convolutions import FOLDER
from intriguing.workflow.tensors import error_counts, read_images, write_network


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Work where there is no data, no mirror, and nothing can be downloaded."""
    monkeypatch.setattr(images, "RAW", tmp_path / "raw")
    monkeypatch.delenv("INTRIGUING_MIRROR", raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    return tmp_path / "raw"


def picture(path, size=(300, 260), colour=(10, 200, 90)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


# ---------------------------------------------------------------- reading


def test_a_picture_is_cut_to_its_central_square_and_what_is_none_is_named(tmp_path):
    pixels = np.zeros((256, 256, 3), np.uint8)
    pixels[16:240, 16:240] = 255
    Image.fromarray(pixels).save(tmp_path / "square.png")
    found = images.read_picture(tmp_path / "square.png", 224)
    assert found.shape == (3, 224, 224)
    assert (found == 255).all()
    for size in ((80, 90), (900, 400), (224, 1000)):
        picture(tmp_path / "one.png", size)
        found = images.read_picture(tmp_path / "one.png", 224)
        assert found.shape == (3, 224, 224)
        assert found.flatten(1).unique(dim=1).flatten().tolist() == [10, 200, 90]
    (tmp_path / "x.jpg").write_text("text")
    with pytest.raises(InputError, match=r"x\.jpg: cannot be read as a picture"):
        images.read_picture(tmp_path / "x.jpg", 8)


def test_a_folder_a_class_is_numbered_by_name(tmp_path):
    for name, count in (("cats", 2), ("ants", 3)):
        for i in range(count):
            picture(tmp_path / name / f"{i}.png")
    found = images.read_image_folder(tmp_path, 16)
    assert found["images"].shape == (5, 3, 16, 16)
    assert found["labels"].tolist() == [0, 0, 0, 1, 1]
    (tmp_path / "bats").mkdir()
    with pytest.raises(InputError, match="bats: no pictures"):
        images.read_image_folder(tmp_path, 16)


def test_photographs_are_read_by_their_list_from_a_mirror(tmp_path, monkeypatch, raw):
    folder = tmp_path / "mirror" / images.PHOTOGRAPHS
    for i in range(3):
        picture(folder / f"images/{i}.png", colour=(i, 0, 0))
    lines = [
        "file,wnid,class_index,name",
        *(f"images/{i}.png,n,{9 - i},x" for i in (2, 0)),
    ]
    (folder / "labels.csv").write_text("\n".join(lines))
    monkeypatch.setenv("INTRIGUING_MIRROR", str(tmp_path / "mirror"))
    found = images.read_photographs(32)
    assert found["labels"].tolist() == [7, 9]
    assert found["images"][:, 0, 0, 0].tolist() == [2, 0]


def test_data_that_is_out_of_reach_says_what_to_put_where(raw):
    with pytest.raises(InputError, match=f"put a folder with labels.csv .* at {raw}"):
        images.read_photographs(224)
    with pytest.raises(InputError, match=r"CIFAR-10: .*\n.*https://.*at .*raw"):
        images.cifar_folder()
    with pytest.raises(InputError, match=r"some\.npz: put the file at"):
        images.read_layers("some.npz")
    with pytest.raises(InputError, match=r"squeezenet1_0 are out of reach") as caught:
        images.pretrained_weights("squeezenet1_0")
    assert "https://download.pytorch.org" in str(caught.value)
    assert str(raw / "weights/squeezenet1_0.pth") in str(caught.value)
    assert str(caught.value).count("\n") <= 1
    with pytest.raises(InputError, match="torchvision has no 'squeezenet9'"):
        images.pretrained_weights("squeezenet9")


def test_a_broken_cifar10_is_refused(raw):
    folder = raw / images.CIFAR
    folder.mkdir(parents=True)
    (folder / "data_batch_1").write_bytes(pickle.dumps({}))
    with pytest.raises(InputError, match=r"CIFAR-10: .*corrupted"):
        images.cifar_folder()


def test_a_pretrained_network_loads_like_ours(tmp_path, raw):
    torch.manual_seed(0)
    network = torchvision_classifier("squeezenet1_1").eval()
    (raw / "weights").mkdir(parents=True)
    save_file(network[1].state_dict(), raw / "weights/squeezenet1_1.safetensors")
    run = runpy.run_path(str(ROOT / "scripts/natural/pretrained.py"))["run"]
    shape = {"kind": "torchvision", "name": "squeezenet1_1"}
    write_network(tmp_path / "0.safetensors", run("squeezenet1_1"), shape)
    back = load_model(tmp_path / "0.safetensors")
    pixels = torch.rand(2, 3, 64, 64)
    mean, deviation = (
        torch.tensor(x).reshape(3, 1, 1)
        for x in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    )
    with torch.no_grad():
        expected = network[1]((pixels - mean) / deviation)
    torch.testing.assert_close(back(pixels), expected)


def test_weights_of_another_network_are_refused(raw):
    (raw / "weights").mkdir(parents=True)
    save_file({"x": torch.zeros(2)}, raw / "weights/squeezenet1_1.safetensors")
    run = runpy.run_path(str(ROOT / "scripts/natural/pretrained.py"))["run"]
    with pytest.raises(InputError, match="squeezenet1_1 do not fit"):
        run("squeezenet1_1")


# ---------------------------------------------------------------- AlexNet in part


@pytest.fixture(scope="module")
def some_layers():
    """The first two convolutions and the last layer of a network like AlexNet."""
    generator = seeded()
    shapes = {"conv1": (96, 3, 11, 11), "conv2": (256, 48, 5, 5), "fc8": (1000, 4096)}
    stored = {}
    for name, shape in shapes.items():
        stored[f"{name}.weight"] = 0.01 * torch.randn(shape, generator=generator)
        stored[f"{name}.bias"] = torch.zeros(shape[0])
    return stored


def test_layers_that_are_there_are_filled_in_and_the_others_are_listed(some_layers):
    network, missing = alexnet_from_layers(some_layers)
    modules = dict(network.named_modules())
    assert [type(modules[place]) for place in missing] == [
        *[nn.Conv2d] * 3,
        *[nn.Linear] * 2,
    ]
    assert torch.equal(modules["1"].weight, some_layers["conv1.weight"])
    assert {m.k for m in network if isinstance(m, nn.LocalResponseNorm)} == {1.0}


def test_a_network_in_part_has_norms_of_layers_but_no_predictions_or_product(
    some_layers,
):
    network, _ = alexnet_from_layers(some_layers)
    target_mask = torch.zeros(1, 1000, dtype=torch.bool)
    with pytest.raises(InputError, match="NaN"):
        evaluate(network, torch.rand(1, 3, 227, 227), target_mask)
    kept = {name: some_layers[name] for name in ("conv1.weight", "conv1.bias")}
    network, missing = alexnet_from_layers(kept)
    assert network_norms(network[:3], (3, 227, 227)).layers["1"].upper > 0
    assert len(missing) == 7
    places = [place for place, _ in network.named_modules() if place]
    constants = {place: None if place in missing else 1.0 for place in places}
    assert network_bound(network, constants).upper is None


def test_layers_of_another_shape_and_none_at_all_are_refused(some_layers):
    with pytest.raises(InputError, match=r"conv1\.weight is \(96, 3, 7, 7\)"):
        alexnet_from_layers({"conv1.weight": torch.zeros(96, 3, 7, 7)})
    with pytest.raises(InputError, match="none of the layers conv1"):
        alexnet_from_layers({"layer": torch.zeros(3)})


# ---------------------------------------------------------------- targets, tables


def test_jobs_share_one_sample_without_overlap_or_images_of_the_target_class():
    labels = torch.arange(110) % 11
    jobs = [sample_of_job(labels, 9, 12, job, 4, seed=3) for job in range(4)]
    sample = np.concatenate(jobs)
    assert [len(own) for own in jobs] == [3, 3, 3, 3]
    assert len(set(sample)) == 12
    assert not (labels[sample] == 9).any()
    whole = sample_of_job(labels, None, 110, 0, 1, seed=3)
    assert sorted(whole) == list(range(110))
    with pytest.raises(InputError, match="13 images cannot be shared by 4"):
        sample_of_job(labels, 9, 13, 0, 4, seed=3)
    with pytest.raises(InputError, match="200 images are requested of 100"):
        sample_of_job(labels, 9, 200, 0, 4, seed=3)


def test_differences_are_shown_as_the_paper_shows_them():
    clean, found = torch.zeros(1, 1, 1, 3), torch.tensor([[[[0.0, 0.01, 0.9]]]])
    shown = triples(clean, found)
    assert shown.shape == (1, 3, 1, 3, 1)
    assert shown[0, 1].flatten() * 255 == pytest.approx([128.0, 153.5, 255.0])


def test_images_are_rounded_made_longer_inside_the_box_and_given_noise():
    clean, found = torch.full((1, 1, 1, 2), 0.5), torch.tensor([[[[0.6, 0.9]]]])
    sets = evaluation_sets(clean, found, [1.0, 2.0], seed=0)
    names = ["clean", "adversarial", "rounded", "amplified-1", "amplified-2"]
    assert list(sets) == [*names, "matched"]
    assert torch.equal(sets["rounded"], (found * 255).round().byte().float() / 255)
    torch.testing.assert_close(sets["amplified-1"], found)
    torch.testing.assert_close(sets["amplified-2"], torch.tensor([[[[0.7, 1.0]]]]))
    noise, shift = sets["matched"] - clean, found - clean
    torch.testing.assert_close(noise.norm(), shift.norm())


PREDICTIONS = pd.DataFrame(
    [
        ("fixed", "A", "clean", 0, "A", 1, 9, 0, 0.0, 1),
        ("fixed", "A", "clean", 0, "A", 2, 9, 1, 0.0, 3),
        ("fixed", "A", "adversarial", 0, "A", 1, 9, 0, 0.02, 9),
        ("fixed", "A", "adversarial", 0, "A", 2, 9, 1, 0.04, 9),
        ("fixed", "A", "rounded", 0, "A", 1, 9, 0, 0.02, 9),
        ("fixed", "A", "rounded", 0, "A", 2, 9, 1, 0.04, 2),
        ("fixed", "A", "clean", 0, "B", 1, 9, 0, 0.0, 1),
        ("fixed", "A", "clean", 0, "B", 2, 9, 1, 0.0, 2),
        ("fixed", "A", "adversarial", 0, "B", 1, 9, 0, 0.02, 1),
        ("fixed", "A", "adversarial", 0, "B", 2, 9, 1, 0.04, 9),
    ],
    columns=[
        *("attack", "source", "row", "part", "column", "label", "target"),
        *("index", "distortion", "prediction"),
    ],
)


def test_cells_count_images_that_are_classified_correctly_when_clean():
    cells = attack_cells("A", PREDICTIONS, ["fixed"])
    assert cells["A", "reached-fixed"].value == 1
    assert cells["A", "rounded-fixed"].value == 0.5
    assert cells["A", "distortion-fixed"].value == pytest.approx(0.03)
    cells = transfer_cells(PREDICTIONS)
    assert cells["adversarial:A", "A"].value == 1
    assert cells["adversarial:A", "A"].n == 1  # the other one was wrong when clean
    assert cells["adversarial:A", "B"].value == 0.5
    assert not any(row.startswith("clean") for row, _ in cells)


def test_only_photographs_stand_beside_the_papers_number(tmp_path):
    """And what was stated with weights has no interval."""
    run = runpy.run_path(str(ROOT / "scripts/natural/table_natural.py"))["run"]
    counts = {name: str(tmp_path / f"{name}.json") for name in "AC"}
    for path in counts.values():
        Path(path).write_text('{"test": {"wrong": 4, "images": 10}}')
    paper = pd.DataFrame(
        [
            ("natural", "figure-5", "distortion-fixed", 0.006508, "0.006508", 64),
            ("natural", "A", "expected", 0.7, "70%", 10),
        ],
        columns=["table", "row", "column", "value", "printed", "sample"],
    )
    kinds = (PREDICTIONS.assign(attack=attack) for attack in ("fixed", "random"))
    photographs = pd.concat(kinds, ignore_index=True)
    others = photographs.replace({"source": "A", "column": "A"}, "C")
    table = run(counts, [photographs, others], paper).set_index(["row", "column"])
    assert table.loc[("A", "top-1"), "value"] == 0.6
    assert table.loc[("A", "expected"), "value"] == 0.7
    assert table.loc[[("A", "expected")], ["low", "high"]].isna().all(axis=None)
    assert table.loc[("A", "distortion-fixed"), "published"] == 0.006508
    assert pd.isna(table.loc[("C", "distortion-fixed"), "published"])


@pytest.mark.parametrize("target", [2, None])
def test_the_attack_step_makes_images_that_reach_their_class(tmp_path, target):
    network = random_perceptron([27, 4], [False])
    path = store(tmp_path / "0.safetensors", network)
    pixels = torch.randint(256, (20, 3, 3, 3), generator=seeded())
    tensors = {"images": pixels.byte(), "labels": torch.arange(20) % 4}
    save_file(tensors, tmp_path / "images.safetensors")
    run = runpy.run_path(str(ROOT / "scripts/natural/attack_natural.py"))["run"]
    settings = {"target": target, "images": 6, "seed": 0, "starts": [1.0]}
    settings |= {"share": 1, "shares": 2, "tolerance": 1e-2, "iterations": 30}
    stored, records = run(settings, str(path), str(tmp_path / "images.safetensors"))
    assert len(records) == 3
    assert records["reached"].all()
    assert (stored["label"] != stored["target"]).all()
    assert target is None or (stored["target"] == target).all()
    with torch.no_grad():
        found = network(stored["adversarial"]).argmax(1)
    assert torch.equal(found, stored["target"])


def test_the_natural_run_shares_its_images_evenly():
    with pytest.raises(InputError, match=r"natural\.images: 64 cannot be shared by 3"):
        read_config({"seeds": [0, 1, 2], "natural": {"networks": ["alexnet"]}})
    with (ROOT / "data/natural.tsv").open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    assert {row["table"] for row in rows} == {"natural"}
    assert {row["column"] for row in rows} == {"distortion-fixed", "expected"}


@pytest.mark.slow
def test_krizhevskys_network_trains_on_a_folder_of_pictures(raw, tmp_path):
    """Pictures to tensors to a network: two classes, told apart by their colour."""
    colours = {"blue": (0, 0, 255), "red": (255, 0, 0)}
    for part in ("train", "test"):
        for name, colour in colours.items():
            for i in range(3):
                picture(raw / "flags" / part / name / f"{i}.png", (250, 240), colour)
    read = runpy.run_path(str(ROOT / "scripts/data/datasets.py"))["run"]
    files = {}
    for part, tensors in read("flags", FOLDER[1]).items():
        files[part] = str(tmp_path / f"{part}.safetensors")
        save_file(tensors, files[part])
    row = {"model": "alexnet-2012@flags", "architecture": "alexnet-2012", "epochs": 4}
    row |= {"learning_rate": 1e-4, "batch": 3, "warmup": 0.0, "decay": 0.0}
    row |= {"shift": 2, "mirror": "yes"}
    train = runpy.run_path(str(ROOT / "scripts/training/train_convolutional.py"))["run"]
    network, architecture = train(row, 0, load_file(files["train"]))
    test = {"test": read_images(files["test"])}
    assert error_counts(network, test)["test"] == {"wrong": 0, "images": 6}
    assert architecture["layers"][-1]["out_features"] == 2
    assert network(torch.rand(1, *FOLDER)).shape == (1, 2)
    with pytest.raises(InputError, match="images 'nowhere': put a folder"):
        read("nowhere", FOLDER[1])
