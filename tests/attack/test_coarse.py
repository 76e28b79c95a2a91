"""Coarser searches for the weight, against the fine one."""

import numpy as np
import pytest
import torch
from networks import seeded

from intriguing.attack import find_adversarial
from intriguing.attack.coarse import GRID, find_on_grid, find_with_one_weight
from intriguing.attack.sampled import Sample, stored
from intriguing.models.perceptron import perceptron


@pytest.fixture(scope="module")
def problem():
    """A linear network, images, targets, and the largest successful weights."""
    generator = seeded()
    model = perceptron([30, 6], [False]).eval().requires_grad_(False)
    model[1].weight.data = torch.randn(6, 30, generator=generator)
    clean = torch.rand(40, 30, generator=generator)
    targets = (model(clean).argmax(1) + 1) % 6
    return model, clean, targets, find_adversarial(model, clean, targets)


def test_the_grid_takes_the_largest_power_that_succeeds(problem):
    *inputs, fine = problem
    coarse = find_on_grid(*inputs, fine.weight, "squared")
    assert coarse.reached.all()
    exponent = coarse.weight.log10() / 0.2
    torch.testing.assert_close(exponent, exponent.round(), rtol=0, atol=1e-3)
    # The convex problem fails at any larger weight, so at the next power.
    assert (coarse.weight <= fine.weight * 1.003).all()
    assert (coarse.weight * GRID > fine.weight * 0.997).all()
    assert (coarse.distortion >= fine.distortion * 0.999).all()


def test_one_weight_fools_every_image_and_is_the_same_for_all(problem):
    *inputs, fine = problem
    shared = find_with_one_weight(*inputs, fine.weight, "squared")
    assert shared.reached.all()
    assert len(shared.weight.unique()) == 1
    assert shared.weight[0] <= fine.weight.min()
    assert shared.distortion.mean() > fine.distortion.mean()


def test_records_hold_every_image_with_its_failure(problem):
    model, clean, targets, found = problem
    found = found._replace(reached=torch.arange(40) != 3)
    labels = model(clean).argmax(1)
    sample = Sample(clean, labels, torch.arange(40) + 100)
    tensors, table = stored(found, sample, targets, labels)
    assert torch.equal(tensors["adversarial"], found.images)
    assert table["index"].tolist() == list(range(100, 140))
    assert [i for i, why in enumerate(table["failure"]) if why] == [3]
    shift = (found.images - clean).double()
    expected = {"l2": shift.norm(dim=1), "linf": shift.abs().amax(1)}
    for column, values in expected.items():
        np.testing.assert_allclose(table[column], values, rtol=1e-4, atol=1e-6)
    assert table["l2"][0] / 30**0.5 == pytest.approx(table["distortion"][0], rel=1e-4)
