"""Noise, and the predictions of networks for perturbed images."""

import pytest
import torch

from intriguing.models.perceptron import perceptron
from intriguing.models.perturbed import (
    add_noise,
    matched_noise,
    predictions_on,
    root_mean_square,
)


def network(seed):
    made = perceptron([6, 3], [False]).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    made[1].weight.data = torch.randn(3, 6, generator=generator)
    return made


@pytest.fixture
def clean() -> torch.Tensor:
    return torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_every_image_has_a_row_for_every_set_and_network():
    clean = torch.rand(7, 6, generator=torch.Generator().manual_seed(0))
    networks = {"A": network(1), "B": network(2)}
    sets = {"clean": clean, "shifted": clean + 0.3}
    labels, index = torch.arange(7) % 3, torch.arange(7) + 50
    found = predictions_on(networks, sets, clean, labels, index, seed=4)
    assert len(found) == 2 * 2 * 7
    assert set(found["seed"]) == {4}
    for (row, column), own in found.groupby(["row", "column"]):
        expected = networks[column](sets[row]).argmax(1)
        assert own["prediction"].tolist() == expected.tolist()
        assert own["label"].tolist() == labels.tolist()
        assert own["index"].tolist() == index.tolist()
        length = 0.0 if row == "clean" else 0.3
        assert (own["distortion"] - length).abs().max() < 1e-6


def test_noise_has_the_deviation_and_no_mean(clean):
    noise = add_noise(clean, 0.3, seed=1, clip=False) - clean
    assert float(noise.std()) == pytest.approx(0.3, rel=0.02)
    assert float(noise.mean()) == pytest.approx(0, abs=0.005)


def test_clipping_brings_pixels_into_the_box_and_nothing_else(clean):
    free = add_noise(clean, 0.5, seed=1, clip=False)
    assert free.min() < 0
    assert torch.equal(add_noise(clean, 0.5, seed=1, clip=True), free.clamp(0, 1))


def test_matched_noise_is_as_long_as_asked(clean):
    length = torch.linspace(0, 0.2, 50)
    torch.testing.assert_close(
        root_mean_square(matched_noise(clean, length, 2) - clean), length
    )


def test_a_seed_decides_the_noise(clean):
    one, again, other = (add_noise(clean, 0.1, s, clip=False) for s in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
