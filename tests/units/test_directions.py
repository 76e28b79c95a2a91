"""Images with the largest activations of units and random directions."""

import numpy as np
import pytest
import torch
from networks import images_of
from torch import nn

from intriguing.errors import InputError
from intriguing.units.directions import (
    activations,
    random_directions,
    sample_units,
    top_images,
)


def test_activations_are_what_the_layers_give_one_after_the_other():
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 5)
    network, pixels = nn.Sequential(*layers).eval(), images_of(11, 1, 6, 6)
    found = activations(network, pixels, ["1", "3"], batch=4)
    with torch.no_grad():
        torch.testing.assert_close(found["1"], network[:2](pixels).flatten(1))
        torch.testing.assert_close(found["3"], network(pixels))
    assert not any(layer._forward_hooks for layer in network)
    with pytest.raises(InputError, match="layer '9'"):
        activations(network, pixels, ["9"])


def test_the_first_images_have_the_largest_scores_also_after_centring():
    scores = torch.tensor([[3.0, 1.0], [5.0, 1.0], [4.0, 7.0], [0.0, 1.0]])
    expected = [[1, 2, 0], [2, 0, 1]]  # ties go to the earlier image
    assert top_images(scores, 3).tolist() == expected
    found = torch.rand(50, 8, dtype=torch.float64)
    sample = random_directions(8, 6, seed=0).double()
    raw, centred = found @ sample.T, (found - found.mean(0)) @ sample.T
    np.testing.assert_array_equal(top_images(raw, 5), top_images(centred, 5))


def test_units_are_sampled_by_seed_among_those_that_are_active():
    found = torch.zeros(20, 30)
    found[:8, 10:] = 1
    sample = sample_units(found, 5, least=8, seed=0)
    assert len(set(sample)) == 5
    assert min(sample) >= 10
    assert sample.tolist() == sample_units(found, 5, least=8, seed=0).tolist()
    assert sample.tolist() != sample_units(found, 5, least=8, seed=1).tolist()
    with pytest.raises(InputError, match="0 are active"):
        sample_units(found, 5, least=9, seed=0)


def test_random_directions_have_no_preferred_axis():
    sample = random_directions(4, 20_000, seed=0).double()
    moment = sample.T @ sample / len(sample)
    torch.testing.assert_close(
        moment, torch.eye(4, dtype=torch.float64), atol=0.05, rtol=0
    )
