"""Interference: planted dictionaries whose overlaps are known."""

import numpy as np
import pytest
import torch
from networks import seeded
from torch import nn

from intriguing.sae.code import SparseCode, top_k
from intriguing.sae.interference import (
    RANDOM_DIRECTIONS,
    correlations_where,
    interference_of,
    random_directions,
)
from intriguing.sae.measure import Layer, correlations_by_chance, perturbation_rows
from intriguing.sae.perturbations import Attacked

UNITS, LATENTS = 12, 24
CLASSES = torch.arange(LATENTS)
"""Latent j alone is active on class j."""


def planted_code(directions: torch.Tensor) -> SparseCode:
    """Return a code whose scores are products with the directions, the rows."""
    code = SparseCode(torch.zeros(2, UNITS), len(directions), top_k(1), seeded())
    code.encoder.data, code.decoder.data = directions.clone(), directions.T.clone()
    code.scale.fill_(1.0)
    return code.requires_grad_(False)


@pytest.fixture(scope="module")
def overlapping():
    directions = torch.randn(LATENTS, UNITS, generator=seeded(1))
    return directions / directions.norm(dim=1, keepdim=True)


def attacked_of(directions):
    """Return images of classes 0 and 1, with steps from their latents to 2 and 3."""
    labels, targets = torch.tensor([0, 1]), torch.tensor([2, 3])
    steps = 0.1 * (directions[targets] - directions[labels])
    return Attacked(directions[labels], labels, targets, steps)


def found_in(directions, attacked):
    """Return the interference of a code with one latent for each class."""
    code, classes = planted_code(directions), torch.arange(len(directions))
    return interference_of(code, attacked.pixels, attacked, directions, classes)


def test_a_step_from_label_to_target_moves_the_others_as_predicted(overlapping):
    attacked = attacked_of(overlapping)
    found = found_in(overlapping, attacked)
    overlaps = overlapping @ overlapping.T - torch.eye(LATENTS)
    expected = overlaps[attacked.targets] - overlaps[attacked.labels]
    torch.testing.assert_close(found.predicted, expected, atol=1e-6, rtol=1e-5)
    # The target's own latent moves by more than its overlaps predict.
    others = torch.arange(LATENTS)[None] != attacked.targets[:, None]
    found = found._replace(compared=found.compared & others)
    for sign in (1, -1):
        after = attacked.pixels + sign * attacked.perturbations
        expected = torch.tensor([1.0, 1.0]) * sign
        torch.testing.assert_close(found.correlations(after), expected)


def test_orthogonal_directions_do_not_interfere():
    directions = torch.eye(UNITS)
    attacked = attacked_of(directions)
    found = found_in(directions, attacked)
    assert not found.predicted.any()
    assert not found.correlations(attacked.pixels + attacked.perturbations).any()


def test_latents_that_are_active_or_never_active_are_not_compared(overlapping):
    attacked = attacked_of(overlapping)
    code = planted_code(overlapping)
    code.bias[-1] = -9.0  # no image activates the last latent
    found = interference_of(code, attacked.pixels, attacked, overlapping, CLASSES)
    left_out = [(0, 0), (0, LATENTS - 1), (1, 1), (1, LATENTS - 1)]
    assert (~found.compared).nonzero().tolist() == [list(one) for one in left_out]


def test_the_correlation_is_pearsons_over_the_entries_that_count():
    first, second = torch.randn(2, 3, 20, generator=seeded(2))
    compared = torch.rand(3, 20, generator=seeded(3)) < 0.7
    expected = [
        np.corrcoef(one[kept], other[kept])[0, 1]
        for one, other, kept in zip(
            first.numpy(), second.numpy(), compared.numpy(), strict=True
        )
    ]
    found = correlations_where(compared, first, second)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert not correlations_where(compared, first, torch.ones(3, 20)).any()


def test_random_directions_have_the_norms_of_the_perturbations():
    given = torch.randn(5, 7, generator=seeded(4))
    found = torch.stack(list(random_directions(given, seeded())))
    assert found.shape == (RANDOM_DIRECTIONS, *given.shape)
    lengths = given.norm(dim=1).expand(RANDOM_DIRECTIONS, -1)
    torch.testing.assert_close(found.norm(dim=2), lengths)


def test_a_planted_step_is_above_all_random_directions_and_they_are_not(overlapping):
    attacked = attacked_of(overlapping)
    layer = Layer(1, nn.Sequential(), nn.Sequential(nn.Linear(UNITS, LATENTS)))
    by_chance = correlations_by_chance(found_in(overlapping, attacked), layer, attacked)
    assert by_chance.mean().abs() < 0.1
    noise = next(random_directions(attacked.perturbations, seeded(5)))
    steps = {"planted": attacked.perturbations, "noise": noise}
    code = planted_code(overlapping)
    with torch.no_grad():
        how = layer, code, attacked, steps, overlapping, CLASSES
        planted, random = perturbation_rows(*how)
    assert float(planted["above-random"]) > 0.99
    assert float(planted["interference"]) > 0.8
    assert 0.05 < float(random["above-random"]) < 0.95
