"""The networks' passes in torch, and what precedes the search: seeds and ranks."""

import pytest
import torch
from minimal_cases import seeded
from torch import nn

from intriguing.attack.minimal import start_images
from intriguing.attack.minimal.network import (
    LEAST_ROWS,
    margin_weights,
    network_of,
    padded,
)
from intriguing.attack.minimal.ranking import ranked_classes

NETWORKS = {
    "sigmoid": nn.Sequential(
        nn.Flatten(), nn.Linear(12, 9), nn.Sigmoid(), nn.Linear(9, 4)
    ),
    "mixed": nn.Sequential(
        nn.Flatten(),
        nn.Sequential(nn.Linear(12, 9), nn.ReLU()),
        nn.Linear(9, 9, bias=False),
        nn.Tanh(),
        nn.Linear(9, 4),
    ),
    "convolution": nn.Sequential(
        nn.Conv2d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 4)
    ),
    "linear": nn.Sequential(nn.Flatten(), nn.Linear(12, 4)),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [1, 40])
def test_gradients_taken_later_are_those_of_autograd(name, count):
    model = NETWORKS[name]
    generator = seeded(0)
    for weights in model.parameters():
        weights.data = torch.randn(weights.shape, generator=generator)
    points = torch.rand(count, 12, generator=generator)
    network = network_of(model, torch.Size((1, 3, 4)))
    logits = network.forward(points)
    torch.testing.assert_close(logits, model(points.reshape(-1, 1, 3, 4)).detach())
    rows = torch.randint(count, (2 * count + 3,), generator=generator)
    winner = torch.randint(4, rows.shape, generator=generator)
    loser = (winner + 1) % 4
    gradients = network.backward(points[rows], margin_weights(winner, loser, logits))
    for row, up, down, gradient in zip(rows, winner, loser, gradients, strict=True):
        point = points[row : row + 1].reshape(1, 1, 3, 4).requires_grad_(True)
        values = model(point)[0]
        (expected,) = torch.autograd.grad(values[up] - values[down], point)
        torch.testing.assert_close(gradient, expected.flatten(), rtol=1e-4, atol=1e-5)


def test_small_passes_are_padded_and_large_ones_are_not():
    rows = torch.rand(3, 5)
    assert padded(rows, 16).shape == (16, 5)
    assert torch.equal(padded(rows, 16)[:3], rows)
    assert padded(torch.rand(17, 5), 16).shape == (17, 5)


@pytest.mark.parametrize(("side", "rows"), [(8, LEAST_ROWS), (65, 1)])
def test_passes_of_large_images_are_not_filled_up(side, rows):
    seen = []
    model = nn.Sequential(nn.Flatten(), nn.Linear(side**2, 2))
    model.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    network = network_of(model, torch.Size([1, side, side]))
    network.forward(torch.rand(1, side**2))
    network.backward(torch.rand(1, side**2), torch.ones(1, 2))
    assert seen == [rows, rows]


@pytest.mark.parametrize(
    ("layer", "nonsmooth"),
    [(nn.Sigmoid, False), (nn.Softplus, False), (nn.ReLU, True), (nn.LeakyReLU, True)],
)
def test_a_stack_of_layers_says_whether_it_has_nonsmooth_points(layer, nonsmooth):
    model = nn.Sequential(nn.Flatten(), nn.Linear(5, 6), layer(), nn.Linear(6, 4))
    assert network_of(model, torch.Size([5])).nonsmooth == nonsmooth


def test_seeds_follow_from_the_pixels_alone():
    images = torch.rand(50, 20, generator=seeded(0))
    seeds = start_images.seeds_of(images)
    assert len(seeds.unique()) == 50
    order = torch.randperm(50, generator=seeded(1))
    assert torch.equal(start_images.seeds_of(images[order]), seeds[order])
    assert torch.equal(start_images.seeds_of(images[7:8]), seeds[7:8])
    # The last decimal of one pixel changes what an image starts from.
    images[3, 4] = images[3, 4].nextafter(torch.tensor(2.0))
    assert start_images.seeds_of(images)[3] != seeds[3]


def test_classes_are_ranked_by_their_linear_distance():
    generator = seeded(2)
    model = nn.Sequential(nn.Flatten(), nn.Linear(15, 5))
    model[1].weight.data = torch.randn(5, 15, generator=generator)
    images = 0.3 + 0.4 * torch.rand(6, 15, generator=generator)  # the box is far
    logits = model(images).detach()
    label = logits.argmax(1)
    mask = ~nn.functional.one_hot(label, 5).bool()
    network = network_of(model, torch.Size((15,)))
    classes, estimate = ranked_classes(network, images, mask)
    for n in range(6):
        for nth in range(4):
            target = classes[n, nth]
            normal = model[1].weight[target] - model[1].weight[label[n]]
            distance = (logits[n, label[n]] - logits[n, target]) / normal.norm()
            torch.testing.assert_close(estimate[n, nth], distance.detach())
        assert (estimate[n].diff() >= 0).all()
