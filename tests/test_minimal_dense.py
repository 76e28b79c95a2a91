"""The minimal attack on fully connected networks, compiled as a whole."""

import numpy as np
import pytest
import torch
from torch import nn

from intriguing.attack import minimal
from intriguing.attack.minimal import ending, walk
from intriguing.attack.minimal.kinks import CUTS_OF_LAYERS
from intriguing.attack.minimal.live import empty
from intriguing.attack.minimal.network import difference, network_of, stack_of
from intriguing.attack.minimal.problem import pose
from intriguing.attack.minimal.smoothing import graduated
from intriguing.attack.objective import target_mask_of
from intriguing.errors import InputError

pytest.importorskip("numba")
from numba import njit

from intriguing.attack.minimal import compiled_search
from intriguing.attack.minimal.fused.dense import Passes, backward, forward
from intriguing.attack.minimal.fused.products import ROWS

PIXELS, CLASSES = 30, 6


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images_of(count: int, seed: int) -> torch.Tensor:
    """Images with many pixels at the ends of the box, as digits have."""
    raw = torch.rand(count, PIXELS, generator=seeded(seed))
    return (1.6 * raw - 0.3).clamp(0, 1)


def stack(widths: list[int], function: type[nn.Module], seed: int) -> nn.Sequential:
    """Random weights, no bias in the first layer, every class some image's answer."""
    layers: list[nn.Module] = [nn.Flatten()]
    for fan_in, fan_out in zip([PIXELS, *widths], [*widths, CLASSES], strict=True):
        layers += [nn.Linear(fan_in, fan_out, bias=len(layers) > 1 or not widths)]
        layers += [function()]
    model = nn.Sequential(*layers[:-1])
    for weights in model.parameters():
        weights.data = torch.randn(weights.shape, generator=seeded(seed))
        weights.data *= 3 / weights[0].numel() ** 0.5
    model[-1].bias.data -= model(images_of(100, 4)).detach().mean(0)
    return model.eval().requires_grad_(False)


def dense_of(model: nn.Sequential):
    return compiled_search.dense_of(tuple(stack_of(model)))


@njit
def pass_both_ways(dense, points, busy, rows, weights, passes):
    forward(dense, points, busy, passes)
    backward(dense, rows, weights, passes)


@torch.no_grad()
@pytest.mark.parametrize("function", [nn.Sigmoid, nn.Tanh, nn.ReLU, nn.Softplus])
@pytest.mark.parametrize("widths", [[], [8], [7, 13], [1, 5, 9]])
@pytest.mark.parametrize("count", [1, 4, 11])
def test_both_passes_are_those_of_torch(function, widths, count):
    model, points = stack(widths, function, 1), images_of(20, 2)
    dense, both = dense_of(model), network_of(model, points.shape[1:])
    busy = torch.randperm(20, generator=seeded(3))[:count]
    logits, trace = both.forward(points[busy])
    rows = torch.arange(count).repeat_interleave(torch.arange(count) % 4)
    weights = difference(rows % CLASSES, (rows + 2) % CLASSES, logits)
    passes = Passes(
        values=np.empty((count, dense.widths[1:].sum()), np.float32),
        slopes=np.empty((len(rows), PIXELS), np.float32),
        rows=np.empty((2, ROWS, dense.widths.max()), np.float32),
    )
    given = (points.numpy(), busy.numpy(), rows.numpy(), weights.numpy())
    pass_both_ways(dense, *given, passes)
    found = torch.from_numpy(passes.values[:, -CLASSES:])
    torch.testing.assert_close(found, logits, rtol=1e-5, atol=1e-5)
    if len(rows):
        slopes = torch.from_numpy(passes.slopes)
        expected = both.backward(trace, rows, weights)
        torch.testing.assert_close(slopes, expected, rtol=1e-5, atol=1e-5)


def test_other_networks_go_the_way_of_torch():
    first, last = nn.Linear(PIXELS, 8), nn.Linear(8, CLASSES)
    assert compiled_search.dense_of((first, nn.Sigmoid(), last)) is not None
    assert compiled_search.dense_of(()) is None  # no stack at all
    assert compiled_search.dense_of((first, nn.GELU(), last)) is None
    assert compiled_search.dense_of((first, last)) is None
    assert compiled_search.dense_of((first, nn.Softplus(2), last)) is None
    assert compiled_search.dense_of((first, nn.ReLU(), nn.ReLU(), last)) is None
    assert compiled_search.dense_of((first.double(), nn.ReLU(), last.double())) is None


def searched(model, images, goal: str, **given) -> minimal.Found:
    answers = model(images).argmax(1)
    wanted = target_mask_of(CLASSES, None, answers)
    if goal == "targeted":
        wanted = target_mask_of(CLASSES, (answers + 1) % CLASSES, None)
    else:  # rows with different numbers of wanted classes
        wanted[torch.arange(0, len(wanted), 3), (answers[::3] + 2) % CLASSES] = False
    return minimal.search(model, images, wanted, **given)


def lengths(found: minimal.Found, images: torch.Tensor) -> torch.Tensor:
    return (found.image - images).double().norm(dim=1)


@pytest.mark.parametrize("goal", ["targeted", "untargeted"])
@pytest.mark.parametrize("starts", [1, 5])
@pytest.mark.parametrize("function", [nn.Sigmoid, nn.Tanh, nn.ReLU])
def test_the_whole_finds_what_the_turns_find(goal, starts, function, monkeypatch):
    model, images = stack([16, 12], function, 5), images_of(60, 6)
    given = {"starts": starts}
    if starts > 1:
        others = images_of(200, 7)
        answers, goals = model(others).argmax(1), model(images).argmax(1) + 1
        place = [int((answers == g % CLASSES).nonzero()[0, 0]) for g in goals]
        given |= {"start_images": others, "known": others[place]}
    whole = searched(model, images, goal, **given)
    monkeypatch.setattr(compiled_search, "dense_of", lambda layers: None)
    turns = searched(model, images, goal, **given)
    assert whole.success.all() and turns.success.all()
    found, expected = lengths(whole, images), lengths(turns, images)
    like = torch.ones(len(images), dtype=torch.bool)
    if function is nn.ReLU:  # a kink may part two paths that rounding keeps apart
        like = (found / expected - 1).abs() < 1e-4
        assert like.float().mean() > 0.9
    else:
        # A run ends within 7e-5 of the length, and 1e-6, of what it could still reach.
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-6)
        assert (whole.start == turns.start).float().mean() > 0.95
        assert (whole.tied == turns.tied).float().mean() > 0.95
    for name in ("evaluations", "gradients", "iterations"):
        counted, others = (getattr(one, name)[like].sum() for one in (whole, turns))
        assert abs(counted / others - 1) < 0.05


@pytest.mark.parametrize("seed", [9, 14, 15, 23])
def test_at_kinks_every_run_that_reaches_its_goal_comes_to_an_end(seed):
    """Of these, runs were stuck where cuts did not move the trial point."""
    model, images = stack([16, 12], nn.ReLU, seed + 5), images_of(200, seed + 6)
    found = searched(model, images, "targeted")
    assert found.success.float().mean() > 0.98
    assert found.converged[found.success].all()


@torch.no_grad()
@pytest.mark.parametrize("function", [nn.Sigmoid, nn.Tanh, nn.ReLU])
@pytest.mark.parametrize("slots", [4, 16])
def test_smoothed_networks_lead_both_ways_to_the_same_points(function, slots):
    model, images = stack([16, 12], function, 5), images_of(61, 6)
    model[-1].weight.data *= 3  # some answers of smoothed networks are sure
    network = network_of(model, images.shape[1:])
    smoother = [network_of(m, images.shape[1:]) for m in graduated(network.layers)]
    leading = smoother[: walk.LEADING]
    chances, goal = leading[0].forward(images)[0].softmax(1).max(1)
    goal[1::2] = (goal[1::2] + 2) % CLASSES
    stays = chances > 0.5  # the first network gives the goal already
    stays[1::2] = False
    assert stays.any()
    wanted = target_mask_of(CLASSES, goal, None)
    problem, tally = pose(network, images, wanted, 1, None, None)
    expected = walk.led(leading, images, goal, ~wanted)
    problem = problem._replace(lead=images.clone())
    dense, live = dense_of(model), empty(problem, slots, 2, CUTS_OF_LAYERS)
    given = compiled_search.posed_of(problem), dense, tally, live
    job = compiled_search.job_of(np.arange(61), *given)
    known = [compiled_search.dense_of(one.layers) for one in leading]
    constants = compiled_search.constants_of(dense, ending.Accuracy())
    compiled_search.lead(job, known, constants)
    torch.testing.assert_close(problem.lead, expected[0], rtol=1e-4, atol=1e-5)
    assert (tally.forwards == len(leading)).all()
    assert torch.equal(tally.backwards, expected[1])
    assert (tally.backwards[1::2] >= 1).all() and tally.backwards.max() == 2
    assert (tally.backwards[stays] < 2).all()
    lengths = (problem.lead - images).norm(dim=1)
    assert (lengths <= walk.FIRST_LEADING * (1 + walk.GROWTH) * (1 + 1e-5)).all()


@pytest.mark.parametrize("starts", [1, 4])
def test_neither_slots_nor_threads_change_a_bit(starts, monkeypatch):
    model, images = stack([16, 12], nn.Sigmoid, 8), images_of(50, 9)
    given = {"starts": starts, "start_images": images_of(100, 10)}
    plain = searched(model, images, "untargeted", **given)
    few = searched(model, images, "untargeted", slots=3, **given)
    monkeypatch.setattr(compiled_search, "LEAST_IMAGES", 7)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    threads = searched(model, images, "untargeted", **given)
    for other in (few, threads):
        for one, same in zip(plain, other, strict=True):
            assert torch.equal(one, same)


@pytest.mark.parametrize("broken", [torch.nan, torch.inf])
def test_infinite_logits_are_refused(broken):
    model, images = stack([8], nn.ReLU, 1), images_of(5, 1)
    wanted = target_mask_of(CLASSES, torch.arange(5), None)
    model[-1].bias.data[2] = broken
    with pytest.raises(InputError, match="NaN or infinite logits"):
        minimal.search(model, images, wanted)
