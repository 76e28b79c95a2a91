"""The norm of a convolution from below: Lanczos with full reorthogonalisation."""

from collections.abc import Callable
from math import prod

import torch
from jaxtyping import Float64
from torch import Tensor

from intriguing.spectra.convolution import Convolution, apply, apply_adjoint
from intriguing.spectra.matrices import GUARD

CONVERGED = 1e-11
"""Estimated relative error of the eigenvalue at which Lanczos ends."""
MOST_STEPS = 400
MEMORY = 2**30
"""Bytes of stored directions; a larger layer gets fewer steps, a looser lower end."""


def norm_from_below(layer: Convolution) -> float:
    """Return a number that the norm does not fall below, and that it nearly is."""
    inputs, outputs = (1, *layer.input_shape), (1, *layer.output_shape)
    if prod(inputs) <= prod(outputs):
        shape, gram = inputs, lambda x: apply_adjoint(layer, apply(layer, x))
    else:
        shape, gram = outputs, lambda y: apply(layer, apply_adjoint(layer, y))
    # Drawn on the CPU: the same numbers on every device.
    start = torch.randn(
        shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    largest = largest_eigenvalue(
        lambda flat: gram(flat.reshape(shape)).flatten(),
        start.flatten().to(layer.weight.device),
    )
    return max(largest, 0.0) ** 0.5 * (1 - GUARD)


def largest_eigenvalue(
    gram: Callable[[Tensor], Tensor], start: Float64[Tensor, " d"]
) -> float:
    """Return the largest eigenvalue of a symmetric map, up to rounding from below.

    Args:
        gram: The map, positive semidefinite.
        start: Any vector with a part along the wanted direction, such as a random one.
    """
    width = len(start)
    steps = max(min(MOST_STEPS, width, MEMORY // (8 * width)), 2)
    directions = start.new_empty(steps, width)
    small = start.new_zeros(steps, steps)  # the map on the span of the directions
    direction = start / start.norm()
    for step in range(min(steps, width)):
        directions[step] = direction
        image = gram(direction)
        small[step, step] = image @ direction
        # First what exact arithmetic would find, then what rounding left: twice is
        # enough, and the last two directions hold nearly all of it.
        for known in (directions[max(step - 1, 0) : step + 1], directions[: step + 1]):
            image -= known.T @ (known @ image)
        rest = float(image.norm())
        values, vectors = torch.linalg.eigh(small[: step + 1, : step + 1])
        if _error(values, rest * float(vectors[-1, -1].abs())) <= CONVERGED:
            break
        if step + 1 < steps:
            small[step, step + 1] = small[step + 1, step] = rest
            direction = image / rest
    return float(values[-1])


def _error(values: Float64[Tensor, " k"], residual: float) -> float:
    """Estimate the relative error of the largest value from its residual.

    It is below the residual, and below its square over the gap to the next eigenvalue,
    for which the next value stands in.
    """
    largest = float(values[-1])
    if largest <= 0:
        return 0.0 if residual == 0 else torch.inf
    gap = float(values[-1] - values[-2]) if len(values) > 1 else 0.0
    squared = residual**2 / gap if gap > 0 else torch.inf
    return min(residual, squared) / largest
