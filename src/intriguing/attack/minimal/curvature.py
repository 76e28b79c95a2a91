"""Curvature of the decision boundary, by L-BFGS.

The projection treats the margins as linear. At a solution the Hessian that matters is
that of the Lagrangian ‖x - clean‖²/2 - Σ λ_k g_k(x), the identity less Σ λ_k H_k. What
it does along each step s is read off the gradients that the search has anyway:

    y = s - Σ λ_k (W_k⁺ - W_k).

L-BFGS turns the last pairs (s, y) into an inverse H ≈ B⁻¹, starting from a multiple of
the identity: the first term is the identity itself, and the second mostly adds to it.
On the free pixels the step d then solves

    minimise dᵀB d / 2 + (x - clean)ᵀd   subject to   g + W d = κ

for the constraints that the projection found active; on held pixels it is the
projection's.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.minimal.projection import solve_gram

LEAST_CURVATURE = 0.7
"""Pairs are damped where yᵀs falls below this share of sᵀs: the inverse stays positive,
pairs across a kink do little harm, and steps along flat directions stay short."""
UNKNOWN_CURVATURE = 1.8
"""Most curvature that is assumed along directions of which no pair tells. With that of
the first term, 1, steps along a curved boundary are too long and are taken back."""
RIDGE = 1e-6
REFINEMENTS = 3
LONGEST = 4.0
"""The step is taken only up to this multiple of the projection's length."""


def quasi_newton(
    clean: Float[Tensor, "n d"],
    image: Float[Tensor, "n d"],
    slopes: Float[Tensor, "n k d"],
    need: Float[Tensor, "n k"],
    projected: Float[Tensor, "n d"],
    multiplier: Float[Tensor, "n k"],
    steps: Float[Tensor, "n m d"],
    changes: Float[Tensor, "n m d"],
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"], Bool[Tensor, " n"]]:
    """Return the step, its multipliers, and where it is to be taken.

    Args:
        clean: Images whose neighbourhood is searched.
        image: Present iterates.
        slopes: Gradients W of the margins.
        need: Margin still asked for, κ - g.
        projected: Solution of the linearised sub-problem.
        multiplier: Its multipliers.
        steps: Last steps s, newest first; zero where there is none.
        changes: Their y.
    """
    active = multiplier > 0
    free = ((projected > 0) & (projected < 1)).to(image.dtype)[:, None]
    move = projected - image
    held = move * (1 - free[:, 0])
    rows = torch.where(active[:, :, None], slopes, 0) * free
    pull = (image - clean)[:, None] * free
    spread = inverse_times(torch.cat([pull, rows], 1), steps * free, changes * free)
    pull, spread = spread[:, 0], spread[:, 1:]
    gram = torch.where(active[:, :, None], slopes, 0) @ spread.mT
    right = need.clamp_min(-1e9)  # no infinities: these rows are not active
    right = right + torch.einsum("nkd,nd->nk", slopes, pull - held)
    solution = refined(gram, right.masked_fill(~active, 0), multiplier, active)
    step = held - pull + torch.einsum("nk,nkd->nd", solution, spread)
    short = step.norm(dim=1) < LONGEST * move.norm(dim=1) + 1e-3
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
    return share.amax(1).clamp(1, UNKNOWN_CURVATURE)


def damped(
    steps: Float[Tensor, "n m d"], changes: Float[Tensor, "n m d"]
) -> tuple[Float[Tensor, "n m d"], Float[Tensor, "n m"]]:
    """Return pairs whose curvature is at least `LEAST_CURVATURE`, and 1 / sᵀy.

    Powell's damping: y is drawn towards s, which has curvature 1, as far as needed.
    """
    overlap = torch.linalg.vecdot(steps, changes)
    square = torch.linalg.vecdot(steps, steps)
    flat = overlap < LEAST_CURVATURE * square
    share = (1 - LEAST_CURVATURE) * square / (square - overlap)
    share = torch.where(flat, share, 1.0)[:, :, None]
    overlap = torch.where(flat, LEAST_CURVATURE * square, overlap)
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
    ridge = (RIDGE * trace).clamp_min(1e-20)[:, None].expand_as(right)
    shifted = gram + torch.diag_embed(torch.where(active, ridge, 1.0))
    solution = start.masked_fill(~active, 0)
    for _ in range(REFINEMENTS):
        rest = right - torch.einsum("njk,nk->nj", gram, solution)
        solution = solution + solve_gram(shifted, rest.masked_fill(~active, 0))
    return solution


def ordered(
    ring: Float[Tensor, "n m d"], newest: Int[Tensor, " n"], count: Int[Tensor, " n"]
) -> Float[Tensor, "n m d"]:
    """Return the entries of each row's ring, newest first, zero beyond their count."""
    memory = ring.shape[1]
    ages = torch.arange(memory, device=ring.device)
    places = (newest[:, None] - ages) % memory
    entries = ring.gather(1, places[:, :, None].expand_as(ring))
    return entries.masked_fill((ages >= count[:, None])[:, :, None], 0)
