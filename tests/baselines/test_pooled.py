"""Exact optima behind max-pooling, beside enumeration and planted optima."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import nn

from intriguing.attack.exact import FEASIBLE, project
from intriguing.baselines.comparison import Attack
from intriguing.baselines.pooled import GAP, pooled_network, smallest
from intriguing.baselines.pooling import attack_ends, pooling_table
from intriguing.baselines.task import Task
from intriguing.errors import InputError
from intriguing.models.perceptron import perceptron


def network_of(conv: nn.Conv2d, window: int, units: int, classes: int) -> nn.Sequential:
    last = nn.Linear(units, classes)
    pool = nn.MaxPool2d(window, stride=1)
    model = nn.Sequential(conv, nn.ReLU(), pool, nn.Flatten(), last)
    return model.eval().requires_grad_(False)


def largest_pixel_is(low: bool) -> nn.Sequential:
    """Return a network of class 1 where the largest pixel is low, or where it is not.

    The bound is 0.5 for a low one and 0.9 for one that is not.
    """
    model = network_of(nn.Conv2d(1, 1, 1), 2, 1, 2)
    sign = -1.0 if low else 1.0
    model[0].weight.data.fill_(1)
    model[0].bias.data.zero_()
    model[4].weight.data = torch.tensor([[0.0], [sign]])
    model[4].bias.data = torch.tensor([0.0, -sign * (0.5 if low else 0.9)])
    return model


def is_feasible(normals: np.ndarray, offsets: np.ndarray) -> bool:
    """Return whether an image of the box is in a region."""
    cost = np.zeros(normals.shape[1])
    return linprog(cost, -normals, -offsets, bounds=(0, 1)).status == 0


def test_a_planted_optimum_is_where_two_pixels_tie():
    network = pooled_network(largest_pixel_is(low=True), (1, 2, 2))
    clean = np.array([0.9, 0.8, 0.1, 0.2])
    found = smallest(network, clean, 1, known=np.zeros(4))
    np.testing.assert_allclose(found.image, [0.5, 0.5, 0.1, 0.2], atol=1e-6)
    assert found.length == pytest.approx(0.5)
    assert 0.5 * (1 - GAP) < found.lower < 0.5 * (1 + 1e-6)


def test_a_planted_local_minimum_is_left_only_by_looking_far():
    network = pooled_network(largest_pixel_is(low=False), (1, 2, 2))
    clean, local = np.array([0.5, 0.45, 0.1, 0.2]), np.array([0.5, 0.9, 0.1, 0.2])
    far = smallest(network, clean, 1, known=local)
    assert far.length == pytest.approx(0.4) and far.lower == pytest.approx(0.4, rel=GAP)
    near = smallest(network, clean, 1, known=local, reach=0.05)
    assert near.length == pytest.approx(0.45)
    assert near.lower == pytest.approx(0.45, rel=GAP)


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_the_best_of_all_regions(seed):
    torch.manual_seed(seed)
    model = network_of(nn.Conv2d(1, 2, 3), 2, 2, 3)
    images = torch.rand(200, 1, 4, 4)
    model[4].bias.data -= model(images).mean(0)  # every class is somewhere the largest
    network, predictions = pooled_network(model, (1, 4, 4)), model(images).argmax(1)
    target = int(predictions[0])
    other = (predictions != target).nonzero()
    clean = images[other[0]].flatten().double().numpy()
    known = images[(predictions == target).nonzero()[0]].flatten().double().numpy()
    regions = [
        network.constraints(np.array(largest), target)
        for largest in product(range(5), repeat=2)
    ]
    optima = [project(*region, clean) for region in regions if is_feasible(*region)]
    best = min(one.length for one in optima if one.violation <= FEASIBLE)
    found = smallest(network, clean, target, known)
    assert found.length == pytest.approx(best.item(), rel=2 * GAP)
    assert found.lower <= best * (1 + 1e-6)
    logits = model.double()(torch.from_numpy(found.image).reshape(1, 1, 4, 4))[0]
    assert (logits[target] - logits).min() > -1e-5


def test_another_network_is_refused():
    with pytest.raises(InputError, match="MaxPool2d"):
        pooled_network(perceptron([4, 3], [False]), (1, 2, 2))


def ending_at(name, *pixels):
    """Return an attack that gives these pixels for every image."""
    image = torch.tensor(pixels).reshape(1, 1, 2, 2)
    return Attack(name, lambda _model, task: image.expand_as(task.images))


def test_the_table_tells_optimum_local_minimum_and_neither_apart():
    """The optimum raises the first pixel to 0.9, the local minimum the second."""
    model = largest_pixel_is(low=False)
    clean = torch.tensor([0.5, 0.45, 0.1, 0.2]).reshape(1, 1, 2, 2)
    twice = clean.repeat(2, 1, 1, 1)  # an interval needs two values
    task = Task(twice, torch.tensor([0, 0]), torch.tensor([1, 1]), clean)
    attacks = [
        ending_at("optimum", 0.9001, 0.45, 0.1, 0.2),
        ending_at("local", 0.5, 0.9001, 0.1, 0.2),
        ending_at("neither", 0.95, 0.45, 0.1, 0.2),
    ]
    table = pooling_table(attack_ends(model, task, attacks))
    found = table.pivot(index="row", columns="column", values="value")
    assert found["at-optimum"].to_dict() == {"optimum": 1, "local": 0, "neither": 0}
    assert found["local-minimum"].to_dict() == {"optimum": 1, "local": 1, "neither": 0}
    ratio = found["ratio-to-optimum-mean"]
    assert ratio["local"] == pytest.approx(0.4501 / 0.4, rel=1e-3)
    assert ratio["neither"] == pytest.approx(0.45 / 0.4, rel=1e-3)
    assert (found["optimum-gap-worst"] < GAP).all()
