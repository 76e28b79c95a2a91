"""Coarser searches on the weight, against the fine one."""

import torch

from intriguing.attack import find_adversarial
from intriguing.attack.coarse import GRID, find_on_grid, find_with_one_weight
from intriguing.attack.records import records_of
from intriguing.models.perceptron import perceptron


def problem():
    generator = torch.Generator().manual_seed(0)
    model = perceptron([30, 6], [False]).eval().requires_grad_(False)
    model[1].weight.data = torch.randn(6, 30, generator=generator)
    clean = torch.rand(40, 30, generator=generator)
    return model, clean, (model(clean).argmax(1) + 1) % 6


def test_the_grid_takes_the_largest_power_that_succeeds():
    model, clean, targets = problem()
    fine = find_adversarial(model, clean, targets)
    coarse = find_on_grid(model, clean, targets, fine.weight, "squared")
    assert coarse.reached.all()
    exponent = coarse.weight.log10() / 0.2
    torch.testing.assert_close(exponent, exponent.round(), rtol=0, atol=1e-3)
    # The convex problem fails at any larger weight: the next power lies beyond.
    assert (coarse.weight <= fine.weight * 1.003).all()
    assert (coarse.weight * GRID > fine.weight * 0.997).all()
    assert (coarse.distortion >= fine.distortion * 0.999).all()


def test_one_weight_fools_every_image_and_is_the_same_for_all():
    model, clean, targets = problem()
    fine = find_adversarial(model, clean, targets)
    shared = find_with_one_weight(model, clean, targets, fine.weight, "squared")
    assert shared.reached.all()
    assert len(shared.weight.unique()) == 1
    assert shared.weight[0] <= fine.weight.min()
    assert shared.distortion.mean() > fine.distortion.mean()


def test_records_hold_every_image_with_its_failure():
    model, clean, targets = problem()
    found = find_adversarial(model, clean, targets)
    found.reached[3] = False
    labels = model(clean).argmax(1)
    table = records_of(found, clean, labels, targets, labels, torch.arange(40) + 100)
    assert len(table) == 40
    assert table["index"].tolist() == list(range(100, 140))
    assert [i for i, why in enumerate(table["failure"]) if why] == [3]
    moved = (found.images - clean).double()
    expected = {"l2": moved.norm(dim=1), "linf": moved.abs().amax(1)}
    for column, values in expected.items():
        torch.testing.assert_close(
            torch.tensor(table[column].tolist(), dtype=torch.float64),
            values,
            rtol=1e-4,
            atol=1e-6,
        )
    torch.testing.assert_close(
        table["l2"][0] / 30**0.5, table["distortion"][0], rtol=1e-4, atol=0
    )
