"""Trial points: the recursion against the equations that define it, both ways alike."""

import pytest
import torch

from intriguing.attack.recursion import two_loop
from intriguing.attack.trial import LONGEST_STEP, Trial, next_trial, trial_by_torch


def problem(seed: int, count: int = 5, memory: int = 4, width: int = 12):
    """Pairs of random convex quadratics, some pixels held."""
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(count, width, width, generator=generator) / width**0.5
    steps = torch.randn(count, memory, width, generator=generator)
    changes = torch.einsum("nij,nkj,nmk->nmi", root, root, steps)
    free = (torch.rand(count, width, generator=generator) > 0.3).float()
    gradient = torch.randn(count, width, generator=generator)
    stiffness = 0.5 + torch.rand(count, generator=generator)
    return gradient, free, stiffness, steps, changes


@pytest.mark.parametrize("slot", range(4))
def test_the_newest_pair_satisfies_the_secant_equation(slot):
    _, free, stiffness, steps, changes = problem(10 + slot)
    newest = (slot - 1) % 4
    total = changes[:, newest] + stiffness[:, None] * steps[:, newest]
    step = two_loop(total, free, stiffness, steps, changes, slot)
    torch.testing.assert_close(step, -steps[:, newest] * free, rtol=1e-3, atol=1e-4)


def test_without_pairs_it_is_the_penaltys_newton_step():
    gradient, free, stiffness, steps, _changes = problem(3)
    nothing = torch.zeros_like(steps)
    step = two_loop(gradient, free, stiffness, nothing, nothing, 0)
    torch.testing.assert_close(step, -gradient * free / stiffness[:, None])


def test_pairs_of_negative_curvature_are_left_out():
    gradient, free, stiffness, steps, _changes = problem(4)
    step = two_loop(gradient, free, stiffness, steps, -50 * steps, 0)
    torch.testing.assert_close(step, -gradient * free / stiffness[:, None])


@pytest.mark.parametrize("seed", range(10))
def test_every_step_goes_downhill_and_leaves_held_pixels(seed):
    gradient, free, stiffness, steps, changes = problem(seed)
    step = two_loop(gradient, free, stiffness, steps, changes, 1)
    assert (torch.linalg.vecdot(step, gradient) < 0).all()
    assert (step[free == 0] == 0).all()


def state(seed: int, count: int = 9, memory: int = 4, width: int = 12):
    """What a trial starts from: iterates in the box, some pixels on its faces."""
    generator = torch.Generator().manual_seed(seed)
    gradient, _, stiffness, steps, changes = problem(seed, count, memory, width)
    image, clean = torch.rand(2, count, width, generator=generator)
    image[:, :4] = image[:, :4].round()
    halvings = torch.arange(count) % 4.0
    steps[0], steps[1, :2] = 0, 0  # no pairs yet, and some
    changes[2], changes[3, 1] = (
        -50 * steps[2],
        -50 * steps[3, 1],
    )  # left out, all or one
    return image, clean, 3 * gradient, stiffness, halvings, steps, changes


def copied(tensors):
    return [tensor.clone() for tensor in tensors]


@pytest.mark.parametrize("slot", range(4))
def test_the_compiled_trials_are_the_same(slot):
    pytest.importorskip("numba")
    ours, theirs = copied(state(slot)), copied(state(slot))
    plain, compiled = trial_by_torch(*ours, slot), next_trial(*theirs, slot)
    for name in Trial._fields:
        torch.testing.assert_close(
            getattr(compiled, name), getattr(plain, name), rtol=1e-4, atol=1e-5
        )
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("slot", range(4))
@pytest.mark.parametrize("way", [trial_by_torch, next_trial])
def test_trials_stay_in_the_box_and_enter_their_move_in_the_ring(way, slot):
    given = copied(state(20 + slot))
    image, clean, slope, stiffness, _, steps, changes = given
    trial = way(*given, slot)
    moved = trial.point - image
    gradient = slope + stiffness[:, None] * (image - clean)
    assert ((trial.point >= 0) & (trial.point <= 1)).all()
    assert (moved.norm(dim=1) <= LONGEST_STEP * (1 + 1e-5)).all()
    assert torch.equal(steps[:, slot], moved)
    other = [i for i in range(4) if i != slot]
    assert torch.equal(steps[:, other], state(20 + slot)[5][:, other])
    assert torch.equal(changes, state(20 + slot)[6])
    torch.testing.assert_close(trial.length, (trial.point - clean).norm(dim=1))
    torch.testing.assert_close(trial.descent, torch.linalg.vecdot(gradient, moved))


def test_a_halving_halves_the_step():
    image, clean, slope, stiffness, _, steps, changes = state(7)
    image = image.clamp(0.3, 0.7)
    gentle = (image, clean, 1e-2 * slope, 50 * stiffness)
    moves = []
    for halvings in (0.0, 1.0):
        count = torch.full((len(image),), halvings)
        trial = next_trial(*gentle, count, torch.zeros_like(steps), changes, 0)
        moves.append(trial.point - image)
        assert (trial.descent < 0).all()
    assert (moves[0].abs().amax(1) > 0).all()
    torch.testing.assert_close(moves[1], moves[0] / 2)
