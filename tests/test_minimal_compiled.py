"""The compiled turns of the minimal attack do what the torch ones do, turn by turn."""

import copy
from dataclasses import fields, replace

import pytest
import torch
from torch import nn

from intriguing.attack.minimal import DEFAULT, ending
from intriguing.attack.minimal.live import Live, empty, packed
from intriguing.attack.minimal.network import network_of
from intriguing.attack.minimal.problem import Tally, pose
from intriguing.attack.minimal.search import refill
from intriguing.attack.minimal.turn import turn
from intriguing.attack.objective import target_mask_of

pytest.importorskip("numba")
from intriguing.attack.minimal import compiled

FEW_SLOTS, FEW_CUTS = 16, 8
SOLVED = ("multiplier", "price", "step", "trial")
"""What two constraints with like gradients leave undetermined, and what follows."""
PROJECTED = ("projected", "residual", "excess")
"""What is determined, but found by an iteration that ends where it is near enough."""


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images_of(count: int, seed: int) -> torch.Tensor:
    """Images with many pixels at the ends of the box, as digits have."""
    raw = torch.rand(count, 1, 6, 6, generator=seeded(seed))
    return (1.6 * raw - 0.3).clamp(0, 1)


def network(name: str) -> nn.Sequential:
    """Random weights, and biases such that every class is some image's answer."""
    first, kink = nn.Linear(36, 24), nn.ReLU()
    layers = {
        "sigmoid": [nn.Flatten(), first, nn.Sigmoid(), nn.Linear(24, 6)],
        "kinked": [nn.Flatten(), first, kink, nn.Linear(24, 6)],
        "convolution": [nn.Conv2d(1, 4, 3), kink, nn.Flatten(), nn.Linear(64, 6)],
    }
    model = nn.Sequential(*layers[name])
    for weights in model.parameters():
        weights.data = torch.randn(weights.shape, generator=seeded(3))
        weights.data *= 3 / weights[0].numel() ** 0.5
    logits = model(images_of(100, 4)).detach()
    model[-1].bias.data -= logits.mean(0)
    return model.eval().requires_grad_(False)


def wanted_of(goal: str, answers: torch.Tensor) -> torch.Tensor:
    if goal == "targeted":
        return target_mask_of(6, (answers + 1) % 6, None)
    wanted = target_mask_of(6, None, answers)
    # Rows with different numbers of wanted classes.
    wanted[torch.arange(0, len(wanted), 3), (answers[::3] + 2) % 6] = False
    return wanted


def seated(live: Live) -> Live:
    """Order the working set's seats by class, and clear the empty ones.

    Classes with equal keys may sit in any order.
    """
    vacant = live.gap.isinf()
    key = live.classes.masked_fill(vacant, 99)
    key[:, live.own :] = 100 + torch.arange(key.shape[1] - live.own)
    order = key.argsort(dim=1, stable=True)
    vacant = vacant.gather(1, order)
    rows = torch.arange(len(order))[:, None]
    slopes = live.slopes[rows, order].masked_fill(vacant[:, :, None], 0)
    return replace(
        live,
        classes=live.classes.gather(1, order).masked_fill(vacant, -1),
        gap=live.gap.gather(1, order),
        multiplier=live.multiplier.gather(1, order).masked_fill(vacant, 0),
        slopes=slopes,
    )


def assert_alike(plain: Live, own: Live) -> torch.Tensor:
    """Compare all fields of some slots; return where steps and pulls agree.

    Multipliers of like gradients may differ where their pull, Σ λ_k ∇g_k, does not.
    """
    plain, own = seated(plain), seated(own)
    same = isclose(own.step, plain.step) & isclose(pull(own), pull(plain))
    agree = same & isclose(own.multiplier, plain.multiplier)
    for field in fields(Live):
        if field.name in ("own", "views"):
            continue
        left, right = getattr(plain, field.name), getattr(own, field.name)
        if not left.is_floating_point():
            assert torch.equal(left, right), field.name
        elif field.name in SOLVED:
            torch.testing.assert_close(
                left[agree], right[agree], rtol=1e-4, atol=3e-5, msg=field.name
            )
        else:
            near = 1e-3 if field.name in PROJECTED else 1e-6
            torch.testing.assert_close(
                left, right, rtol=2e-5, atol=near, msg=field.name
            )
    return same


def isclose(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return torch.isclose(left, right, rtol=1e-4, atol=1e-5).all(1)


def pull(live: Live) -> torch.Tensor:
    return torch.einsum("nk,nkd->nd", live.multiplier, live.slopes)


def assert_same_ends(live: Live, tally: Tally) -> torch.Tensor:
    """End runs both ways, compare what is entered, and return whose have ended."""
    plain, entered = packed(live, torch.arange(len(live.row))), copy.deepcopy(tally)
    expected = ending.finish(plain, entered, DEFAULT)
    over = compiled.finish(live, tally, DEFAULT)
    assert torch.equal(over, expected)
    assert torch.equal(live.row, plain.row)
    for field in fields(Live):
        left, right = getattr(live, field.name), getattr(plain, field.name)
        if field.name not in ("own", "views"):
            assert torch.equal(left[live.row >= 0], right[live.row >= 0]), field.name
    for field in fields(Tally):
        left, right = getattr(tally, field.name), getattr(entered, field.name)
        torch.testing.assert_close(left, right, rtol=1e-6, atol=0)
    return over


def shake(live: Live, seed: int) -> None:
    """Bring slots into states that seldom occur by themselves."""
    generator, count = seeded(seed), len(live.row)
    rare = {"refusals": 24, "missed": 15, "stale": 60, "cuts": 9}
    for field, most in rare.items():
        getattr(live, field).copy_(torch.randint(most, (count,), generator=generator))
    missed = torch.rand(count, generator=generator) < 0.5
    least = live.margins.amin(1) + 1e-6 * live.unit
    live.margins.sub_((least * missed).nan_to_num(0, 0, 0)[:, None])


def taken_both_ways(model, images, wanted, *, shaken=False, **given):
    """Run a search whose every turn is taken by torch as well, and compare.

    Returns:
        The tally, and the share of all turns whose steps agreed.
    """
    both, agreed, turns = network_of(model, images.shape[1:]), [], 0
    starts = (given.get("starts", 1), given.get("others"), given.get("known"))
    problem, tally = pose(both, images.flatten(1), wanted, *starts)
    live = empty(problem, FEW_SLOTS, 6, FEW_CUTS)
    waiting = torch.arange(len(images))
    while True:
        waiting = refill(live, problem, tally, waiting)
        busy = (live.row >= 0).nonzero()[:, 0]
        if not len(busy):
            assert turns > 10
            return tally, torch.cat(agreed).float().mean()
        if shaken and turns % 3 == 2:
            shake(live, turns)
        plain = packed(live, busy)
        turn(plain, both)
        compiled.take_turn(live, both)
        agreed.append(assert_alike(plain, packed(live, busy)))
        waiting = torch.cat([assert_same_ends(live, tally), waiting])
        turns += 1


def barely(model, images, far, wanted) -> torch.Tensor:
    """Bisect the way to images that reach a wanted class; return where it begins."""
    low, high = torch.zeros(len(images), 1), torch.ones(len(images), 1)
    for _ in range(30):
        share = (low + high) / 2
        points = torch.lerp(images.flatten(1), far, share).reshape(images.shape)
        reached = wanted.gather(1, model(points).argmax(1)[:, None])
        low, high = torch.where(reached, low, share), torch.where(reached, share, high)
    return torch.lerp(images.flatten(1), far, high)


@torch.no_grad()
@pytest.mark.parametrize("name", ["sigmoid", "kinked", "convolution"])
@pytest.mark.parametrize("goal", ["targeted", "untargeted"])
def test_turn_by_turn_every_field_is_the_same(name, goal):
    model, images = network(name), images_of(24, 1)
    wanted = wanted_of(goal, model(images).argmax(1))
    tally, agreed = taken_both_ways(model, images, wanted)
    assert agreed == 1
    assert tally.length.isfinite().any()


@torch.no_grad()
@pytest.mark.parametrize("name", ["sigmoid", "kinked", "convolution"])
@pytest.mark.parametrize("shaken", [False, True])
def test_so_it_is_with_more_starts_and_in_rare_states(name, shaken):
    model, images, others = network(name), images_of(24, 1), images_of(150, 2)
    wanted = wanted_of("untargeted", model(images).argmax(1))
    hits = wanted.T[model(others).argmax(1)]
    assert hits.any(0).all()
    flat = others.flatten(1)
    known = flat[hits.int().argmax(0)]
    known[::2] = barely(model, images, known, wanted)[::2]
    given = {"starts": 4, "others": flat, "known": known}
    tally, agreed = taken_both_ways(model, images, wanted, shaken=shaken, **given)
    assert agreed > 0.99
    assert tally.length.isfinite().all()
