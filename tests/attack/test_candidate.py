"""Candidates: the two-loop recursion against its equations, two forms."""

import pytest
import torch
from networks import seeded

from intriguing.attack.candidate import (
    MAX_STEP,
    next_candidate,
    next_candidate_by_torch,
    two_loop_recursion,
)
from intriguing.attack.objective import Evaluation
from intriguing.attack.state import initial_state


def problem(seed: int, count: int = 5, memory: int = 4, width: int = 12):
    """Pairs of random convex quadratics, some pixels fixed."""
    generator = seeded(seed)
    root = torch.randn(count, width, width, generator=generator) / width**0.5
    steps = torch.randn(count, memory, width, generator=generator)
    changes = torch.einsum("nij,nkj,nmk->nmi", root, root, steps)
    free = (torch.rand(count, width, generator=generator) > 0.3).float()
    gradient = torch.randn(count, width, generator=generator)
    curvature = 0.5 + torch.rand(count, generator=generator)
    return gradient, free, curvature, steps, changes


@pytest.mark.parametrize("slot", range(4))
def test_the_newest_pair_satisfies_the_secant_equation(slot):
    _, free, curvature, steps, changes = problem(10 + slot)
    newest = (slot - 1) % 4
    total = changes[:, newest] + curvature[:, None] * steps[:, newest]
    step = two_loop_recursion(total, free, curvature, steps, changes, slot)
    torch.testing.assert_close(step, -steps[:, newest] * free, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [0, 1], ids=["no pairs", "negative curvature"])
def test_without_usable_pairs_it_is_the_penaltys_newton_step(size):
    gradient, free, curvature, steps, _ = problem(3)
    pairs = (size * steps, -50 * size * steps)
    step = two_loop_recursion(gradient, free, curvature, *pairs, 0)
    torch.testing.assert_close(step, -gradient * free / curvature[:, None])


@pytest.mark.parametrize("seed", range(10))
def test_every_step_goes_downhill_and_leaves_fixed_pixels(seed):
    gradient, free, curvature, steps, changes = problem(seed)
    step = two_loop_recursion(gradient, free, curvature, steps, changes, 1)
    assert (torch.linalg.vecdot(step, gradient) < 0).all()
    assert (step[free == 0] == 0).all()


def search_state(seed: int, count: int = 9, memory: int = 4, width: int = 12):
    """A state inside the box with some pixels at its bounds, and curvatures."""
    generator = seeded(seed)
    gradient, _, curvature, steps, changes = problem(seed, count, memory, width)
    image, clean = torch.rand(2, count, width, generator=generator)
    image[:, :4] = image[:, :4].round()
    steps[0], steps[1, :2] = 0, 0  # no pairs yet, and some
    changes[2], changes[3, 1] = -50 * steps[2], -50 * steps[3, 1]  # skipped

    def evaluate(_points: torch.Tensor, _mask: torch.Tensor) -> Evaluation:
        number = torch.zeros(count)
        return Evaluation(image, number, 3 * gradient, number)

    mask = torch.zeros(count, 1, dtype=torch.bool)
    state = initial_state(clean, mask, torch.zeros(count), evaluate, memory)
    state.steps, state.changes = steps, changes
    state.backtracks = torch.arange(count) % 4.0
    return state, curvature


@pytest.mark.parametrize("slot", range(4))
def test_compiled_candidates_are_those_of_torch(slot):
    (ours, curvature), (theirs, _) = search_state(slot), search_state(slot)
    plain = next_candidate_by_torch(ours, curvature, slot)
    compiled = next_candidate(theirs, curvature, slot)
    close = {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(tuple(compiled), tuple(plain), **close)
    torch.testing.assert_close(theirs.steps, ours.steps, **close)


@pytest.mark.parametrize("slot", range(4))
@pytest.mark.parametrize("propose", [next_candidate_by_torch, next_candidate])
def test_candidates_stay_in_the_box_and_their_steps_are_entered(propose, slot):
    (state, curvature), (before, _) = search_state(20 + slot), search_state(20 + slot)
    candidate = propose(state, curvature, slot)
    step, shift = (
        candidate.image - state.current.image,
        state.current.image - state.clean,
    )
    gradient = state.current.gradient + curvature[:, None] * shift
    assert ((candidate.image >= 0) & (candidate.image <= 1)).all()
    assert (step.norm(dim=1) <= MAX_STEP * (1 + 1e-5)).all()
    assert torch.equal(state.steps[:, slot], step)
    other = [i for i in range(4) if i != slot]
    assert torch.equal(state.steps[:, other], before.steps[:, other])
    assert torch.equal(state.changes, before.changes)
    length = (candidate.image - state.clean).norm(dim=1)
    torch.testing.assert_close(candidate.length, length)
    torch.testing.assert_close(candidate.descent, torch.linalg.vecdot(gradient, step))


def test_a_backtrack_halves_the_step():
    state, curvature = search_state(7)
    state.current.image.clamp_(0.3, 0.7)
    state.current.gradient.mul_(1e-2)
    steps = []
    for backtracks in (0.0, 1.0):
        state.backtracks = torch.full_like(curvature, backtracks)
        state.steps = torch.zeros_like(state.steps)
        candidate = next_candidate(state, 50 * curvature, 0)
        steps.append(candidate.image - state.current.image)
        assert (candidate.descent < 0).all()
    assert (steps[0].abs().amax(1) > 0).all()
    torch.testing.assert_close(steps[1], steps[0] / 2)
