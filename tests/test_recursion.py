"""The two-loop recursion against the equations that define it."""

import pytest
import torch

from intriguing.attack import recursion


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
def test_the_compiled_recursion_gives_the_same_step(slot):
    pytest.importorskip("numba")
    arguments = problem(slot)
    plain = recursion.two_loop(*arguments, slot)
    torch.testing.assert_close(
        recursion.quasi_newton_step(*arguments, slot), plain, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("slot", range(4))
def test_the_newest_pair_satisfies_the_secant_equation(slot):
    _, free, stiffness, steps, changes = problem(10 + slot)
    newest = (slot - 1) % 4
    total = changes[:, newest] + stiffness[:, None] * steps[:, newest]
    step = recursion.quasi_newton_step(total, free, stiffness, steps, changes, slot)
    torch.testing.assert_close(step, -steps[:, newest] * free, rtol=1e-3, atol=1e-4)


def test_without_pairs_it_is_the_penaltys_newton_step():
    gradient, free, stiffness, steps, _changes = problem(3)
    nothing = torch.zeros_like(steps)
    step = recursion.quasi_newton_step(gradient, free, stiffness, nothing, nothing, 0)
    torch.testing.assert_close(step, -gradient * free / stiffness[:, None])


def test_pairs_of_negative_curvature_are_left_out():
    gradient, free, stiffness, steps, _changes = problem(4)
    step = recursion.quasi_newton_step(gradient, free, stiffness, steps, -50 * steps, 0)
    torch.testing.assert_close(step, -gradient * free / stiffness[:, None])


@pytest.mark.parametrize("seed", range(10))
def test_every_step_goes_downhill_and_leaves_held_pixels(seed):
    gradient, free, stiffness, steps, changes = problem(seed)
    step = recursion.quasi_newton_step(gradient, free, stiffness, steps, changes, 1)
    assert (torch.linalg.vecdot(step, gradient) < 0).all()
    assert (step[free == 0] == 0).all()
