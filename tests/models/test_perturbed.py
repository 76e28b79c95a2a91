"""Noise, and the predictions of networks for perturbed images."""

import pytest
import torch
from networks import images_of, random_perceptron

from intriguing.models.perturbed import (
    add_noise,
    matched_noise,
    predictions_on,
    root_mean_square,
)

CLEAN = images_of(50, 1, 28, 28)


def test_every_image_has_a_row_for_every_set_and_network():
    clean = images_of(7, 6)
    networks = {
        name: random_perceptron([6, width, 3], [True] * 2)
        for name, width in (("A", 2), ("B", 3))
    }
    sets = {"clean": clean, "shifted": clean + 0.3}
    known = {"seed": 4, "label": torch.arange(7) % 3, "index": torch.arange(7) + 50}
    found = predictions_on(networks, sets, clean, known)
    assert len(found) == 2 * 2 * 7
    assert set(found["seed"]) == {4}
    for (row, column), own in found.groupby(["row", "column"]):
        expected = networks[column](sets[row]).argmax(1)
        assert own["prediction"].tolist() == expected.tolist()
        assert own["label"].tolist() == known["label"].tolist()
        assert own["index"].tolist() == known["index"].tolist()
        length = 0.0 if row == "clean" else 0.3
        assert (own["distortion"] - length).abs().max() < 1e-6


def test_noise_has_the_deviation_and_no_mean_and_is_decided_by_its_seed():
    one, again, other = (add_noise(CLEAN, 0.3, seed) - CLEAN for seed in (1, 1, 2))
    assert float(one.std()) == pytest.approx(0.3, rel=0.02)
    assert float(one.mean()) == pytest.approx(0, abs=0.005)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_matched_noise_is_as_long_as_asked():
    length = torch.linspace(0, 0.2, 50)
    found = root_mean_square(matched_noise(CLEAN, length, 2) - CLEAN)
    torch.testing.assert_close(found, length)
