"""The projection of `compiled.projection`, for all images at once."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from intriguing.attack.minimal.constants import (
    DUAL_ACCURACY,
    DUAL_CUT,
    DUAL_RIDGE,
    DUAL_RIDGE_GROWTH,
    DUAL_ROUNDING,
    LARGEST_DUAL_RIDGE,
    MOST_DUAL_CUTS,
    MOST_DUAL_STEPS,
    MULTIPLIER_CAP,
)


def project(
    clean: Float[Tensor, "n d"],
    image: Float[Tensor, "n d"],
    gradients: Float[Tensor, "n k d"],
    required: Float[Tensor, "n k"],
    multiplier: Float[Tensor, "n k"],
    target_margin: Float[Tensor, " n"],
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"], Bool[Tensor, " n"]]:
    """Return the projection, its multipliers, and where these hit their cap.

    Args:
        clean: Images whose neighbourhood is searched.
        image: Points of linearisation.
        gradients: Gradients W of the margins; zero where there is no constraint.
        required: Margin still required, κ - g; -inf where there is no constraint.
        multiplier: Where to start.
        target_margin: Target margin κ, the scale of an acceptable shortfall.
    """
    problem = (clean, image, gradients, required)
    enough, cap = accuracy_and_cap(*problem, target_margin)
    now = (multiplier, *minimise_lagrangian(*problem, multiplier))
    now = tuple(part.clone() for part in now)
    todo = torch.arange(len(clean), device=clean.device)
    ridge = torch.full_like(target_margin, float(DUAL_RIDGE))
    for _ in range(MOST_DUAL_STEPS):
        todo = todo[violation(now[0][todo], now[2][todo]) > enough[todo]]
        if not len(todo):
            break
        some = tuple(part[todo] for part in problem)
        here = tuple(part[todo] for part in now)
        ascent = newton_ascent(some[2], here, ridge[todo])
        after, moved = climb(some, ascent, cap[todo], here)
        for whole, part in zip(now, after, strict=True):
            whole[todo] = part
        ridge[todo[~moved]] *= float(DUAL_RIDGE_GROWTH)
        todo = todo[ridge[todo] <= float(LARGEST_DUAL_RIDGE)]
    multiplier, point = now[:2]
    return point, multiplier, (multiplier >= cap[:, None]).any(1)


def accuracy_and_cap(
    clean: Float[Tensor, "n d"],
    image: Float[Tensor, "n d"],
    gradients: Float[Tensor, "n k d"],
    required: Float[Tensor, "n k"],
    target_margin: Float[Tensor, " n"],
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Return the shortfall that will do, and the largest multiplier allowed."""
    used, move = required > -torch.inf, image - clean
    asked = required + torch.einsum("nkd,nd->nk", gradients, move)
    scale = asked.abs().masked_fill(~used, 0).amax(1)
    enough = torch.minimum(
        float(DUAL_ACCURACY) * scale.clamp_min(1e-6), 0.25 * target_margin
    )
    steepness = gradients.norm(dim=2).masked_fill(~used, torch.inf).amin(1)
    cap = float(MULTIPLIER_CAP) * (move.norm(dim=1) + 0.3) / steepness.clamp_min(1e-6)
    return enough, cap


def minimise_lagrangian(
    clean: Float[Tensor, "n d"],
    image: Float[Tensor, "n d"],
    gradients: Float[Tensor, "n k d"],
    required: Float[Tensor, "n k"],
    multiplier: Float[Tensor, "n k"],
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"], Float[Tensor, " n"]]:
    """Return x'(λ), the shortfall there, and the value of the dual.

    The shortfall is taken from differences to the iterate: from the pixels themselves
    it would carry a rounding error as large as κ.
    """
    point = (clean + torch.einsum("nk,nkd->nd", multiplier, gradients)).clamp_(0, 1)
    shortfall = required - torch.einsum("nkd,nd->nk", gradients, point - image)
    linear = (multiplier * shortfall).masked_fill(multiplier <= 0, 0).sum(1)
    return point, shortfall, 0.5 * (point - clean).square().sum(1) + linear


def violation(
    multiplier: Float[Tensor, "n k"], shortfall: Float[Tensor, "n k"]
) -> Float[Tensor, " n"]:
    """Return the largest gap in the optimality conditions of the dual."""
    gap = torch.where(multiplier > 0, shortfall.abs(), shortfall)
    return gap.amax(1).clamp_min(0)


def newton_ascent(
    gradients: Float[Tensor, "n k d"],
    here: tuple[Tensor, ...],
    ridge: Float[Tensor, " n"],
) -> Float[Tensor, "n k"]:
    """Return Newton's step on the dual, zero for constraints that are not active.

    Multipliers that it would turn negative go to zero, and the others are solved for
    anew: with constraints that are nearly the same, cutting the step off does not do.

    Args:
        gradients: Gradients of the margins.
        here: Multipliers, point, shortfall and value of the dual.
        ridge: What is added to the Hessian's diagonal, as a share of its trace.
    """
    multiplier, point, shortfall, _ = here
    active = (multiplier > 0) | (shortfall > 0)
    free = ((point > 0) & (point < 1)).to(gradients.dtype)
    gram = gram_of(gradients, free, active)
    trace = gram.diagonal(dim1=1, dim2=2).sum(1)
    held = trace <= 1e-12
    if held.any():  # the box holds every pixel: take the step that opens it
        gram[held] = gram_of(gradients[held], torch.ones_like(free[held]), active[held])
        trace = gram.diagonal(dim1=1, dim2=2).sum(1)
    added = (ridge * trace).clamp_min(1e-20)[:, None].expand_as(shortfall)
    gram = gram + torch.diag_embed(added)
    kept, ascent = active, torch.zeros_like(shortfall)
    for _ in range(shortfall.shape[1]):
        gone = torch.where(active & ~kept, multiplier, 0.0)
        right = shortfall + torch.einsum("njk,nk->nj", gram, gone)
        both = kept[:, :, None] & kept[:, None]
        system = torch.where(both, gram, 0) + torch.diag_embed((~kept).to(gram.dtype))
        ascent = solve_gram(system, right.masked_fill(~kept, 0)) - gone
        negative = kept & (multiplier + ascent < 0)
        if not negative.any():
            break
        kept = kept & ~negative
    return ascent


def gram_of(
    gradients: Float[Tensor, "n k d"],
    free: Float[Tensor, "n d"],
    active: Bool[Tensor, "n k"],
) -> Float[Tensor, "n k k"]:
    """Return W D Wᵀ on the active constraints, zero elsewhere."""
    rows = gradients * active[:, :, None]
    return (rows * free[:, None]) @ rows.mT


def solve_gram(
    gram: Float[Tensor, "n k k"], right: Float[Tensor, "n k"]
) -> Float[Tensor, "n k"]:
    """Solve by Cholesky's factors; zero where there are none."""
    factor, failed = torch.linalg.cholesky_ex(gram)
    solved = torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]
    return torch.where((failed == 0)[:, None], solved, 0.0)


def climb(
    problem: tuple[Tensor, ...],
    ascent: Float[Tensor, "n k"],
    cap: Float[Tensor, " n"],
    now: tuple[Tensor, ...],
) -> tuple[tuple[Tensor, ...], Bool[Tensor, " n"]]:
    """Take the longest of some steps that does not lower the dual.

    Args:
        problem: Arguments of `minimise_lagrangian` but the multipliers.
        ascent: Direction.
        cap: Largest multiplier.
        now: Multipliers, point, shortfall and value of the dual.

    Returns:
        The four after the step, and where the multipliers have moved noticeably.
    """
    after = tuple(part.clone() for part in now)
    rows = torch.arange(len(cap), device=cap.device)
    share = 1.0
    for _ in range(MOST_DUAL_CUTS):
        value = now[3][rows]
        trial = now[0][rows] + share * ascent[rows]
        trial = torch.minimum(trial.clamp_min(0), cap[rows, None])
        found = (
            trial,
            *minimise_lagrangian(*(part[rows] for part in problem), trial),
        )
        good = found[3] >= value - float(DUAL_ROUNDING) * value.abs() - 1e-9
        for whole, part in zip(after, found, strict=True):
            whole[rows[good]] = part[good]
        rows, share = rows[~good], share * float(DUAL_CUT)
        if not len(rows):
            break
    change = (after[0] - now[0]).abs().amax(1)
    return after, change > 1e-5 * after[0].amax(1)
