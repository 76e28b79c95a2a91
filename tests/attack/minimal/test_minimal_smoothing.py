"""Smoothed networks, and the search that begins in them."""

import importlib
from functools import partial
from itertools import pairwise

import pytest
import torch
from minimal_cases import centre, lengths, seeded, targeted, untargeted
from torch import nn
from torch.nn.functional import cosine_similarity

from intriguing.attack import minimal, minimal_norm
from intriguing.attack.minimal.compiled import dense
from intriguing.attack.minimal.constants import COLD, FIRST_WARM_STEP, KNOWN, SMOOTHED
from intriguing.attack.minimal.network import network_of, stack_of
from intriguing.attack.minimal.problem import problem_of
from intriguing.attack.minimal.smoothing import NOISES, graduated, smoothed, warm_points
from intriguing.attack.objective import target_mask_of

search = importlib.import_module("intriguing.attack.minimal.search")
PIXELS, UNITS, CLASSES = 30, 12, 5
NODES = torch.linspace(-8, 8, 2001, dtype=torch.float64)


def stack(function: nn.Module, bias: bool = True) -> nn.Sequential:
    """A network with two layers of units whose weights are far from small."""
    widths = [PIXELS, UNITS, 9, CLASSES]
    layers: list[nn.Module] = [nn.Flatten()]
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out, bias=bias), function]
    model = nn.Sequential(*layers[:-1])
    for weights in model.parameters():
        weights.data = torch.randn(weights.shape, generator=seeded(weights.numel()))
        weights.data *= 6 / weights[0].numel() ** 0.5
    if bias:  # all classes are predicted somewhere
        centre(model, torch.rand(200, PIXELS, generator=seeded(5)))
    return model.eval().requires_grad_(False)


def average(function: nn.Module, mean: torch.Tensor, spread: torch.Tensor):
    """Return the average over normal variables, by quadrature."""
    values = function(mean[..., None] + spread[..., None] * NODES)
    return values @ torch.softmax(-NODES.square() / 2, 0)


@pytest.mark.parametrize("noise", [0.05, 0.3, 2.0])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "function, error", [(nn.Sigmoid(), 0.02), (nn.Tanh(), 0.04), (nn.ReLU(), 0.04)]
)
def test_the_units_are_close_to_the_average_over_noise(function, error, bias, noise):
    model = stack(function, bias).double()
    points = torch.rand(50, PIXELS, generator=seeded(1)).double()
    smooth = smoothed(tuple(stack_of(model)), noise)
    first, second = model[1], model[3]
    spread = noise * first.weight.norm(dim=1)
    expected = average(function, first(points), spread)
    # What the second layer receives: for rectifiers its weights hold the scale.
    found = smooth[:3](points) * (smooth[3].weight / second.weight)[0]
    scale = spread if isinstance(function, nn.ReLU) else torch.ones_like(spread)
    assert ((found - expected).abs() <= error * scale + 1e-6).all()
    assert (found - function(first(points))).abs().max() > 1e-4


@pytest.mark.parametrize("function", [nn.Sigmoid(), nn.Tanh(), nn.ReLU()])
def test_without_noise_it_is_the_network_itself(function):
    model, points = stack(function), torch.rand(20, PIXELS, generator=seeded(2))
    smooth = smoothed(tuple(stack_of(model)), 1e-4)
    torch.testing.assert_close(smooth(points), model(points), rtol=1e-3, atol=1e-3)


def test_a_unit_without_weights_stays_as_it_is():
    model, points = stack(nn.ReLU()), torch.rand(20, PIXELS, generator=seeded(2))
    model[1].weight.data.zero_()
    smooth = smoothed(tuple(stack_of(model)), 0.3)
    torch.testing.assert_close(smooth(points), model(points), rtol=1e-4, atol=1e-4)


def test_other_networks_are_not_smoothed():
    first, last = nn.Linear(PIXELS, 8), nn.Linear(8, CLASSES)
    assert smoothed((), 0.1) is None  # no stack at all
    assert smoothed((first,), 0.1) is None
    assert smoothed((first, nn.GELU(), last), 0.1) is None
    assert smoothed((first, nn.ReLU(), nn.Sigmoid(), last), 0.1) is None
    assert list(graduated((first, nn.GELU(), last))) == []
    assert len(list(graduated((first, nn.ReLU(), last)))) == len(NOISES)


@pytest.mark.parametrize("function", [nn.Sigmoid(), nn.Tanh(), nn.ReLU()])
def test_a_warm_step_climbs_the_log_odds_of_targets_not_reached(function):
    model, images = stack(function), torch.rand(61, PIXELS, generator=seeded(3))
    images[:, :4] = torch.tensor([0.0, 0.0, 1.0, 1.0])  # some pixels are held
    smooth = smoothed(tuple(stack_of(model)), 0.3)
    targets = smooth(images).argmax(1)  # reached there, and not reached
    targets[1::2] = (targets[1::2] + 2) % CLASSES
    mask = target_mask_of(CLASSES, targets, None)
    network = network_of(model, images.shape[1:])
    problem, _, results, _ = problem_of(network, images, mask, 1, None, None)
    smoother = [network_of(smooth, images.shape[1:])]
    points = warm_points(smoother, images, problem, results)
    inputs = images.clone().requires_grad_(True)
    logits = smooth(inputs)
    odds = logits[mask] - logits.masked_fill(mask, -torch.inf).logsumexp(1)
    stays = odds > 0
    assert (results["evaluations"] == 1).all() and stays.any()
    assert results["gradients"].tolist() == (~stays).int().tolist()
    assert torch.equal(points[stays], images[stays])
    (gradient,) = torch.autograd.grad(odds.sum(), inputs)
    held = ((images == 0) & (gradient < 0)) | ((images == 1) & (gradient > 0))
    gradient, moved = gradient.masked_fill(held, 0), (points - images)[~stays]
    assert held[~stays].any() and not moved[held[~stays]].any()
    length = moved.norm(dim=1)
    assert ((length > 0) & (length <= FIRST_WARM_STEP * (1 + 1e-5))).all()
    inside = ((points > 0) & (points < 1))[~stays]  # the others are cut by the box
    cosine = cosine_similarity(moved * inside, gradient[~stays] * inside)
    torch.testing.assert_close(cosine, torch.ones_like(cosine), rtol=1e-4, atol=0)


@pytest.mark.parametrize("function", [nn.Sigmoid(), nn.Tanh(), nn.ReLU()])
@pytest.mark.parametrize("goal", [targeted, untargeted])
def test_a_smoothed_start_shortens_and_never_lengthens(function, goal):
    model, images = stack(function), torch.rand(80, PIXELS, generator=seeded(3))
    target_mask = goal(model, images)
    others = torch.rand(300, PIXELS, generator=seeded(4))
    one = minimal.search(model, images, target_mask)
    two = minimal.search(model, images, target_mask, starts=2, start_images=others)
    before, after = lengths(one, images), lengths(two, images)
    assert one.success.float().mean() > 0.9
    assert (after <= before * (1 + 1e-4)).all()
    won = two.start == SMOOTHED
    assert (after[won] < before[won]).all()
    assert set(two.start.tolist()) <= {0, SMOOTHED}  # two starts: no start image
    if goal is targeted:  # else all classes are tried, which finds most minima
        assert won.any()


@pytest.mark.parametrize("starts", [1, 4])
@pytest.mark.parametrize("goal", [targeted, untargeted])
def test_the_passes_reported_are_those_made(goal, starts, monkeypatch):
    """In smoothed networks too; sorting the start images is no image's own cost."""
    made = {"forward": 0, "backward": 0}
    passes_of = {name: getattr(search, name) for name in ("network_of", "network_on")}

    def counted(name, model, images):
        both = passes_of[name](model, images)

        def forward(points):
            made["forward"] += len(points)
            return both.forward(points)

        def backward(points, weights):
            made["backward"] += len(points)
            return both.backward(points, weights)

        return both._replace(forward=forward, backward=backward)

    for name in passes_of:
        monkeypatch.setattr(search, name, partial(counted, name))
    # A search that is compiled as a whole passes without these functions.
    monkeypatch.setattr(dense, "dense_of", lambda layers: None)
    model, images = stack(nn.Sigmoid()), torch.rand(40, PIXELS, generator=seeded(3))
    target_mask = goal(model, images)
    others = torch.rand(300, PIXELS, generator=seeded(4)) if starts > 1 else None
    found = minimal.search(
        model, images, target_mask, starts=starts, start_images=others
    )
    sorting = 0 if others is None else len(others)
    assert found.evaluations.sum() == made["forward"] - sorting
    assert found.gradients.sum() == made["backward"]


def test_the_table_knows_the_numbers_of_the_starts():
    numbers = (
        minimal_norm.PAPER_START,
        minimal_norm.SMOOTHED_START,
        minimal_norm.COLD_START,
    )
    assert numbers == (KNOWN, SMOOTHED, COLD)
