"""The quasi-Newton step of `compiled.curvature`, for all images at once."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from intriguing.attack.minimal.constants import (
    LEAST_CURVATURE,
    LONGEST_NEWTON,
    REFINEMENTS,
    RIDGE,
    UNKNOWN_CURVATURE,
)
from intriguing.attack.minimal.tensors.projection import solve_gram


def quasi_newton(
    clean: Float[Tensor, "n d"],
    image: Float[Tensor, "n d"],
    gradients: Float[Tensor, "n k d"],
    required: Float[Tensor, "n k"],
    projected: Float[Tensor, "n d"],
    multiplier: Float[Tensor, "n k"],
    steps: Float[Tensor, "n m d"],
    changes: Float[Tensor, "n m d"],
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"], Bool[Tensor, " n"]]:
    """Return the step, its multipliers, and where it is to be taken.

    Args:
        clean: Images whose neighbourhood is searched.
        image: Present iterates.
        gradients: Gradients W of the margins.
        required: Margin still asked for, κ - g.
        projected: Solution of the linearised sub-problem.
        multiplier: Its multipliers.
        steps: Last steps s, newest first; zero where there is none.
        changes: Their y.
    """
    active = multiplier > 0
    free = ((projected > 0) & (projected < 1)).to(image.dtype)[:, None]
    move = projected - image
    held = move * (1 - free[:, 0])
    rows = torch.where(active[:, :, None], gradients, 0) * free
    deviation = (image - clean)[:, None] * free
    spread = inverse_times(
        torch.cat([deviation, rows], 1), steps * free, changes * free
    )
    deviation, spread = spread[:, 0], spread[:, 1:]
    gram = torch.where(active[:, :, None], gradients, 0) @ spread.mT
    right = required.clamp_min(-1e9)  # no infinities: these rows are not active
    right = right + torch.einsum("nkd,nd->nk", gradients, deviation - held)
    solution = refined(gram, right.masked_fill(~active, 0), multiplier, active)
    step = held - deviation + torch.einsum("nk,nkd->nd", solution, spread)
    short = step.norm(dim=1) < float(LONGEST_NEWTON) * move.norm(dim=1) + 1e-3
    sound = active.any(1) & (solution >= 0).all(1) & short
    return step, solution, sound & (steps != 0).flatten(1).any(1)


def inverse_times(
    vectors: Float[Tensor, "n v d"],
    steps: Float[Tensor, "n m d"],
    changes: Float[Tensor, "n m d"],
) -> Float[Tensor, "n v d"]:
    """Multiply vectors by the inverse that the pairs define: the two-loop recursion."""
    pairs = changes
    changes, inverse = damped(steps, changes)
    shares = []
    for i in range(steps.shape[1]):
        share = torch.einsum("nvd,nd->nv", vectors, steps[:, i]) * inverse[:, i, None]
        vectors = vectors - share[:, :, None] * changes[:, None, i]
        shares.append(share)
    vectors = vectors / assumed(steps, pairs)[:, None, None]
    for i in reversed(range(steps.shape[1])):
        back = torch.einsum("nvd,nd->nv", vectors, changes[:, i]) * inverse[:, i, None]
        vectors = vectors + (shares[i] - back)[:, :, None] * steps[:, None, i]
    return vectors


def assumed(
    steps: Float[Tensor, "n m d"], changes: Float[Tensor, "n m d"]
) -> Float[Tensor, " n"]:
    """Return the curvature assumed where no pair tells: that of the stiffest pair.

    It is at least 1, which it is for a linear network, and at most `UNKNOWN_CURVATURE`.
    """
    square = torch.linalg.vecdot(steps, steps)
    share = torch.linalg.vecdot(steps, changes) / square.clamp_min(1e-14)
    return share.amax(1).clamp(1, float(UNKNOWN_CURVATURE))


def damped(
    steps: Float[Tensor, "n m d"], changes: Float[Tensor, "n m d"]
) -> tuple[Float[Tensor, "n m d"], Float[Tensor, "n m"]]:
    """Return pairs whose curvature is at least `LEAST_CURVATURE`, and 1 / sᵀy.

    Powell's damping: y is drawn towards s, which has curvature 1, as far as requireded.
    """
    overlap = torch.linalg.vecdot(steps, changes)
    square = torch.linalg.vecdot(steps, steps)
    flat = overlap < float(LEAST_CURVATURE) * square
    share = (1 - float(LEAST_CURVATURE)) * square / (square - overlap)
    share = torch.where(flat, share, 1.0)[:, :, None]
    overlap = torch.where(flat, float(LEAST_CURVATURE) * square, overlap)
    inverse = torch.where(square > 1e-14, 1 / overlap, 0.0)
    return torch.lerp(steps, changes, share), inverse


def refined(
    gram: Float[Tensor, "n k k"],
    right: Float[Tensor, "n k"],
    start: Float[Tensor, "n k"],
    active: Bool[Tensor, "n k"],
) -> Float[Tensor, "n k"]:
    """Solve for the multipliers with a ridge, and refine until it leaves no trace.

    The ridge alone would shift the constraints by as much as the margin aimed at.
    """
    trace = gram.diagonal(dim1=1, dim2=2).sum(1)
    ridge = (float(RIDGE) * trace).clamp_min(1e-20)[:, None].expand_as(right)
    shifted = gram + torch.diag_embed(torch.where(active, ridge, 1.0))
    solution = start.masked_fill(~active, 0)
    for _ in range(REFINEMENTS):
        rest = right - torch.einsum("njk,nk->nj", gram, solution)
        solution = solution + solve_gram(shifted, rest.masked_fill(~active, 0))
    return solution


def newest_first(
    ring: Float[Tensor, "n m d"],
    newest: Int64[np.ndarray, " n"],
    count: Int64[np.ndarray, " n"],
) -> Float[Tensor, "n m d"]:
    """Return the entries of each row's ring, newest first, zero beyond their count."""
    ages = np.arange(ring.shape[1])
    places = (newest[:, None] - ages) % ring.shape[1]
    beyond = torch.from_numpy(ages >= count[:, None]).to(ring.device)
    entries = ring[np.arange(len(ring))[:, None], places]
    return entries.masked_fill_(beyond[:, :, None], 0)
