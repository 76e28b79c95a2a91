"""Sets of distorted images, and the networks that classify them."""

import torch
from networks import images_of, random_perceptron

from intriguing.models.perturbed import root_mean_square
from intriguing.transfer.predictions import (
    adversarial_sets,
    networks_of_seed,
    noise_sets,
    predictions_of_seed,
)

LINEAR, FIRST, SECOND = (random_perceptron([4, n, 3], [True] * 2) for n in (2, 3, 4))
NETWORKS = {("linear", 0): LINEAR, ("deep", 0): FIRST, ("deep", 1): SECOND}


def test_images_go_to_networks_of_their_seed_and_to_convex_ones():
    """A network with several seeds, but not this one, is left out."""
    assert networks_of_seed(NETWORKS, 1) == {"linear": LINEAR, "deep": SECOND}
    assert networks_of_seed(NETWORKS, 0) == {"linear": LINEAR, "deep": FIRST}
    assert networks_of_seed(NETWORKS, 3) == {"linear": LINEAR}


def test_predictions_are_those_of_the_networks_of_the_seed():
    clean, index = images_of(6, 1, 2, 2), torch.arange(6)
    images = {"clean": clean, "label": index % 3, "index": index}
    found = predictions_of_seed(NETWORKS, 1, {"clean": clean}, images)
    assert set(found["seed"]) == {1}
    own = found.loc[found["column"] == "deep", "prediction"]
    assert own.tolist() == SECOND(clean).argmax(1).tolist()


def test_sets_are_named_as_the_rows_of_the_tables():
    clean = images_of(50, 1, 28, 28)
    adversarial = (clean + 0.05).clamp(0, 1)
    made = adversarial_sets("FC10-1", clean, adversarial, seed=0)
    assert list(made) == ["FC10-1", "matched:FC10-1"]
    torch.testing.assert_close(
        root_mean_square(made["matched:FC10-1"] - clean),
        root_mean_square(adversarial - clean),
    )
    noise = noise_sets(clean, [0.1, 0.3], seed=0)
    names = ["clean", "noise-0.1", "noise-0.1-clipped", "noise-0.3"]
    assert list(noise) == [*names, "noise-0.3-clipped"]
    assert torch.equal(noise["clean"], clean)
    assert noise["noise-0.3"].min() < 0
    assert torch.equal(noise["noise-0.3-clipped"], noise["noise-0.3"].clamp(0, 1))
