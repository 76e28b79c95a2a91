"""The quasi-Newton step of `compiled.curvature`, for all images at once."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.state import Subproblem
from intriguing.attack.minimal.tensors.projection import solve_kept


def quasi_newton(
    subproblem: Subproblem,
    projected: Float[Tensor, "n d"],
    multiplier: Float[Tensor, "n k"],
    steps: Float[Tensor, "n m d"],
    changes: Float[Tensor, "n m d"],
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"], Bool[Tensor, " n"]]:
    """Return the step, its multipliers, and where it is to be taken.

    Steps s and changes y are newest first, and zero where there is none.
    """
    clean, image, gradients, required, _ = subproblem
    active = multiplier > 0
    free = ((projected > 0) & (projected < 1)).to(image.dtype)[:, None]
    move = projected - image
    held = move * (1 - free[:, 0])
    rows = gradients * active[:, :, None]
    vectors = torch.cat([(image - clean)[:, None], rows], 1) * free
    spread = inverse_times(vectors, steps * free, changes * free)
    back, spread = spread[:, 0], spread[:, 1:]
    right = required + torch.einsum("nkd,nd->nk", gradients, back - held)
    gram = rows @ spread.mT
    solution = refined(gram, right.masked_fill(~active, 0), multiplier, active)
    step = held - back + torch.einsum("nk,nkd->nd", solution, spread)
    short = step.norm(dim=1) < const.LONGEST_NEWTON * move.norm(dim=1) + 1e-3
    sound = active.any(1) & (solution >= 0).all(1) & short
    return step, solution, sound & (steps != 0).flatten(1).any(1)


def inverse_times(
    vectors: Float[Tensor, "n v d"],
    steps: Float[Tensor, "n m d"],
    changes: Float[Tensor, "n m d"],
) -> Float[Tensor, "n v d"]:
    """Multiply vectors by the inverse that the pairs define: the two-loop recursion."""
    square = torch.linalg.vecdot(steps, steps).clamp_min(1e-14)
    stiffest = (torch.linalg.vecdot(steps, changes) / square).amax(1)
    unknown = stiffest.clamp(1, const.UNKNOWN_CURVATURE)
    changes, inverse = damped(steps, changes)
    shares = []
    for i in range(steps.shape[1]):
        share = torch.einsum("nvd,nd->nv", vectors, steps[:, i]) * inverse[:, i, None]
        vectors = vectors - share[:, :, None] * changes[:, None, i]
        shares.append(share)
    vectors = vectors / unknown[:, None, None]
    for i in reversed(range(steps.shape[1])):
        back = torch.einsum("nvd,nd->nv", vectors, changes[:, i]) * inverse[:, i, None]
        vectors = vectors + (shares[i] - back)[:, :, None] * steps[:, None, i]
    return vectors


def damped(
    steps: Float[Tensor, "n m d"], changes: Float[Tensor, "n m d"]
) -> tuple[Float[Tensor, "n m d"], Float[Tensor, "n m"]]:
    """Return pairs whose curvature is at least `LEAST_CURVATURE`, and 1 / sᵀy."""
    overlap = torch.linalg.vecdot(steps, changes)
    square = torch.linalg.vecdot(steps, steps)
    least = const.LEAST_CURVATURE * square
    share = torch.where(overlap < least, (square - least) / (square - overlap), 1.0)
    inverse = torch.where(square > 1e-14, 1 / torch.maximum(overlap, least), 0.0)
    return torch.lerp(steps, changes, share[:, :, None]), inverse


def refined(
    gram: Float[Tensor, "n k k"],
    right: Float[Tensor, "n k"],
    start: Float[Tensor, "n k"],
    active: Bool[Tensor, "n k"],
) -> Float[Tensor, "n k"]:
    """Solve for the multipliers with a ridge, and refine until it leaves no trace."""
    # The ridge alone would shift the constraints by as much as the target margin.
    ridge = (gram.diagonal(dim1=1, dim2=2).sum(1) * float(const.RIDGE)).clamp_min(1e-20)
    shifted = gram + torch.diag_embed(ridge[:, None].expand_as(right))
    solution = start.masked_fill(~active, 0)
    for _ in range(const.REFINEMENTS):
        rest = right - torch.einsum("njk,nk->nj", gram, solution)
        solution = solution + solve_kept(shifted, rest, active)
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
