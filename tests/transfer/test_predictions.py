"""Sets of distorted images, and the networks that classify them."""

import pytest
import torch

from intriguing.models.perceptron import perceptron
from intriguing.models.perturbed import (
    root_mean_square,
)
from intriguing.transfer.predictions import (
    adversarial_sets,
    networks_of_seed,
    noise_sets,
)


def network(seed):
    made = perceptron([6, 3], [False]).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    made[1].weight.data = torch.randn(3, 6, generator=generator)
    return made


def test_images_go_to_networks_of_their_seed_and_to_convex_ones():
    """A network with several seeds, but not this one, is left out."""
    linear, first, second = network(0), network(1), network(2)
    networks = {("linear", 0): linear, ("deep", 0): first, ("deep", 1): second}
    assert networks_of_seed(networks, 1) == {"linear": linear, "deep": second}
    assert networks_of_seed(networks, 0) == {"linear": linear, "deep": first}
    assert networks_of_seed(networks, 3) == {"linear": linear}


@pytest.fixture
def clean() -> torch.Tensor:
    return torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_sets_are_named_as_the_rows_of_the_tables(clean):
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
