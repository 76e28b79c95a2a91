"""What networks answer to distorted images, one row an image and network."""

import torch

from intriguing.models.perceptron import perceptron
from intriguing.transfer.predictions import networks_of_seed, predictions_on


def network(seed):
    made = perceptron([6, 3], [False]).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    made[1].weight.data = torch.randn(3, 6, generator=generator)
    return made


def test_every_image_has_a_row_for_every_set_and_network():
    clean = torch.rand(7, 6, generator=torch.Generator().manual_seed(0))
    networks = {"A": network(1), "B": network(2)}
    sets = {"clean": clean, "moved": clean + 0.3}
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


def test_networks_of_the_same_seed_are_fed_and_convex_ones_always():
    linear, first, second = network(0), network(1), network(2)
    networks = {("linear", 0): linear, ("deep", 0): first, ("deep", 1): second}
    assert networks_of_seed(networks, 1) == {"linear": linear, "deep": second}
    assert networks_of_seed(networks, 0) == {"linear": linear, "deep": first}


def test_a_network_that_lacks_the_seed_but_has_several_is_left_out():
    linear, few = network(0), {("few", s): network(s) for s in (0, 1)}
    assert networks_of_seed({("linear", 0): linear, **few}, 3) == {"linear": linear}
