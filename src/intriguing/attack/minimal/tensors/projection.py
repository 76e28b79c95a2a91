"""The projection of `compiled.projection`, for all images at once."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.state import Subproblem

Dual = tuple[Tensor, Tensor, Tensor, Tensor]
"""Multipliers (n, k), x'(λ) (n, d), shortfall (n, k) and value of the dual (n)."""


def project(
    subproblem: Subproblem, multiplier: Float[Tensor, "n k"]
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"], Bool[Tensor, " n"]]:
    """Return the projection, its multipliers, and where these hit their cap."""
    accuracy, cap = accuracy_and_cap(subproblem)
    now = at(subproblem, multiplier)
    ridge = torch.full_like(cap, float(const.DUAL_RIDGE))
    for _ in range(const.MOST_DUAL_STEPS):
        gap = torch.where(now[0] > 0, now[2].abs(), now[2]).amax(1)
        todo = (gap > accuracy) & (ridge <= float(const.LARGEST_DUAL_RIDGE))
        if not todo.any():
            break
        ascent = newton_ascent(subproblem.gradients, now, ridge)
        now, changed = climb(subproblem, ascent, cap, now, todo)
        larger = ridge * float(const.DUAL_RIDGE_GROWTH)
        ridge = torch.where(todo & ~changed, larger, ridge)
    return now[1], now[0], (now[0] >= cap[:, None]).any(1)


def accuracy_and_cap(
    subproblem: Subproblem,
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Return the shortfall that will do, and the largest multiplier allowed."""
    clean, image, gradients, required, target_margin = subproblem
    used, move = required > -torch.inf, image - clean
    asked = required + torch.einsum("nkd,nd->nk", gradients, move)
    scale = asked.abs().masked_fill(~used, 0).amax(1).clamp_min(1e-6)
    norm = gradients.norm(dim=2).masked_fill(~used, torch.inf).amin(1).clamp_min(1e-6)
    cap = const.MULTIPLIER_CAP * (move.norm(dim=1) + 0.3) / norm
    return torch.minimum(const.DUAL_ACCURACY * scale, 0.25 * target_margin), cap


def at(subproblem: Subproblem, multiplier: Float[Tensor, "n k"]) -> Dual:
    """Return the dual at some multipliers."""
    clean, image, gradients, required, _ = subproblem
    point = (clean + torch.einsum("nk,nkd->nd", multiplier, gradients)).clamp_(0, 1)
    shortfall = required - torch.einsum("nkd,nd->nk", gradients, point - image)
    linear = (multiplier * shortfall).masked_fill(multiplier <= 0, 0).sum(1)
    value = 0.5 * (point - clean).square().sum(1) + linear
    return multiplier, point, shortfall, value


def newton_ascent(
    gradients: Float[Tensor, "n k d"], now: Dual, ridge: Float[Tensor, " n"]
) -> Float[Tensor, "n k"]:
    """Return Newton's step on the dual, zero for constraints that are not active."""
    multiplier, point, shortfall, _ = now
    active = (multiplier > 0) | (shortfall > 0)
    rows = gradients * active[:, :, None]
    free = ((point > 0) & (point < 1)).to(rows.dtype)[:, None]
    gram = (rows * free) @ rows.mT
    held = gram.diagonal(dim1=1, dim2=2).sum(1) <= 1e-12
    if held.any():  # the box holds every pixel: take the step that opens it
        gram = torch.where(held[:, None, None], rows @ rows.mT, gram)
    added = (ridge * gram.diagonal(dim1=1, dim2=2).sum(1)).clamp_min(1e-20)
    gram = gram + torch.diag_embed(added[:, None].expand_as(shortfall))
    kept, ascent = active, torch.zeros_like(shortfall)
    for _ in range(shortfall.shape[1]):
        gone = torch.where(active & ~kept, multiplier, 0.0)
        right = shortfall + torch.einsum("njk,nk->nj", gram, gone)
        ascent = solve_kept(gram, right, kept) - gone
        negative = kept & (multiplier + ascent < 0)
        if not negative.any():
            break
        kept = kept & ~negative
    return ascent


def solve_kept(
    gram: Float[Tensor, "n k k"], right: Float[Tensor, "n k"], kept: Bool[Tensor, "n k"]
) -> Float[Tensor, "n k"]:
    """Solve for the rows that are kept; zero elsewhere, and where that fails."""
    both = kept[:, :, None] & kept[:, None]
    system = torch.where(both, gram, 0) + torch.diag_embed((~kept).to(gram.dtype))
    factor, failed = torch.linalg.cholesky_ex(system)
    right = right.masked_fill(~kept, 0)[:, :, None]
    solved = torch.cholesky_solve(right, factor)[:, :, 0]
    return torch.where((failed == 0)[:, None], solved, 0.0)


def climb(
    subproblem: Subproblem,
    ascent: Float[Tensor, "n k"],
    cap: Float[Tensor, " n"],
    now: Dual,
    todo: Bool[Tensor, " n"],
) -> tuple[Dual, Bool[Tensor, " n"]]:
    """Take the longest step that keeps the dual up; return also where it changes."""
    least = now[3] - float(const.DUAL_ROUNDING) * now[3].abs() - 1e-9
    before, share = now[0], 1.0
    for _ in range(const.MOST_DUAL_CUTS):
        wish = (before + share * ascent).clamp_min(0)
        there = at(subproblem, torch.minimum(wish, cap[:, None]))
        good = todo & (there[3] >= least)
        row = good[:, None]
        now = (
            torch.where(row, there[0], now[0]),
            torch.where(row, there[1], now[1]),
            torch.where(row, there[2], now[2]),
            torch.where(good, there[3], now[3]),
        )
        todo, share = todo & ~good, share * float(const.DUAL_CUT)
        if not todo.any():
            break
    change = (now[0] - before).abs().amax(1)
    return now, change > 1e-5 * now[0].amax(1)
