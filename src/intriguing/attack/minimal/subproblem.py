"""One step of the search: the projection, bent by the curvature seen so far.

In plain torch on any device; on the CPU compiled, image by image, where numba is
installed.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from intriguing.attack.minimal import curvature, projection
from intriguing.attack.minimal.curvature import ordered, quasi_newton
from intriguing.attack.minimal.projection import project

try:
    from intriguing.attack.minimal import fused
except ImportError:  # numba is optional
    fused = None


def solve(
    rows: Int[Tensor, " n"],
    clean: Float[Tensor, "b d"],
    image: Float[Tensor, "b d"],
    slopes: Float[Tensor, "b k d"],
    need: Float[Tensor, "n k"],
    kappa: Float[Tensor, " n"],
    multiplier: Float[Tensor, "n k"],
    steps: Float[Tensor, "b m d"],
    changes: Float[Tensor, "b m d"],
    newest: Int[Tensor, " n"],
    projected: Float[Tensor, "b d"],
    step: Float[Tensor, "b d"],
) -> None:
    """Write projection, step and multipliers of some rows of a batch.

    Args:
        rows: The rows.
        clean: Unperturbed images.
        image: Present iterates.
        slopes: Gradients of the margins of the working set.
        need: Margin still asked for; -inf beyond the working set.
        kappa: Margin aimed at.
        multiplier: First guess; replaced by the multipliers of the step.
        steps: Last steps, a ring over the second axis.
        changes: Their images under the Lagrangian's Hessian.
        newest: Latest entry of each ring.
        projected: Receives the solution of the linearised sub-problem.
        step: Receives the step.
    """
    arguments = (
        rows,
        clean,
        image,
        slopes,
        need,
        kappa,
        multiplier,
        steps,
        changes,
        newest,
        projected,
        step,
    )
    if fused is None or clean.device.type != "cpu" or clean.dtype != torch.float32:
        solve_together(*arguments)
    elif len(rows):
        fused.solve(*(argument.numpy() for argument in arguments), limits())


def limits():
    """Return the constants that the compiled functions take as arguments."""
    return fused.Limits(
        projection.MOST_STEPS,
        projection.MOST_CUTS,
        *map(
            np.float32,
            (
                projection.CUT,
                projection.RIDGE,
                projection.ROUNDING,
                projection.CLOSE,
                projection.FAR,
                curvature.LEAST_CURVATURE,
                curvature.RIDGE,
            ),
        ),
        curvature.REFINEMENTS,
        np.float32(curvature.LONGEST),
    )


def solve_together(
    rows: Int[Tensor, " n"],
    clean: Float[Tensor, "b d"],
    image: Float[Tensor, "b d"],
    slopes: Float[Tensor, "b k d"],
    need: Float[Tensor, "n k"],
    kappa: Float[Tensor, " n"],
    multiplier: Float[Tensor, "n k"],
    steps: Float[Tensor, "b m d"],
    changes: Float[Tensor, "b m d"],
    newest: Int[Tensor, " n"],
    projected: Float[Tensor, "b d"],
    step: Float[Tensor, "b d"],
) -> None:
    """The same in plain torch, all rows at once."""
    if not len(rows):
        return
    used = (need > -torch.inf).sum(1)
    most = int(used.max())
    near = torch.arange(most, device=need.device) < used[:, None]
    parts = (clean[rows], image[rows])
    weights = torch.where(near[:, :, None], slopes[rows, :most], 0)
    short = need[:, :most]
    point, prices, capped = project(*parts, weights, short, multiplier[:, :most], kappa)
    pairs = (ordered(steps[rows], newest), ordered(changes[rows], newest))
    bent, bent_prices, sound = quasi_newton(
        *parts, weights, short.masked_fill(~near, 0), point, prices, *pairs
    )
    take = (sound & ~capped)[:, None]
    projected[rows] = point
    step[rows] = torch.where(take, bent, point - parts[1])
    multiplier[:, :most] = torch.where(take, bent_prices, prices)


def combine(
    rows: Int[Tensor, " n"],
    slopes: Float[Tensor, "b k d"],
    weights: Float[Tensor, "n k"],
) -> Float[Tensor, "n d"]:
    """Return the weighted sum of the slopes of each of some rows."""
    if fused is None or slopes.device.type != "cpu" or slopes.dtype != torch.float32:
        listed = torch.where(weights[:, :, None] != 0, slopes[rows], 0)
        return torch.einsum("nk,nkd->nd", weights, listed)
    out = slopes.new_zeros(len(rows), slopes.shape[2])
    fused.combine(rows.numpy(), slopes.numpy(), weights.numpy(), out.numpy())
    return out
