"""Lower bound of the norm of a convolution: Lanczos, fully reorthogonalised."""

from collections.abc import Callable
from math import prod

import torch
from jaxtyping import Float64
from torch import Tensor

from intriguing.spectra.convolution import Convolution, apply, apply_adjoint
from intriguing.spectra.matrices import GUARD

CONVERGED = 1e-11
"""Estimated relative error of the eigenvalue at which the iteration stops."""
COARSE = 1e-6
"""The same for layers whose upper bound is further off."""
MOST_STEPS = 400
MEMORY = 2**30
"""Bytes of stored Lanczos vectors; very large layers get fewer steps."""


def lanczos_bound(layer: Convolution, accuracy: float = CONVERGED) -> float:
    """Return a lower bound of the operator norm; ``accuracy`` is relative."""
    inputs, outputs = (1, *layer.input_shape), (1, *layer.output_shape)
    if prod(inputs) <= prod(outputs):
        shape, gram = inputs, lambda x: apply_adjoint(layer, apply(layer, x))
    else:
        shape, gram = outputs, lambda y: apply(layer, apply_adjoint(layer, y))
    # Sampled on the CPU, so that every device has the same start.
    start = torch.randn(
        shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    largest = largest_eigenvalue(
        lambda flat: gram(flat.reshape(shape)).flatten(),
        start.flatten().to(layer.weight.device),
        accuracy,
    )
    return max(largest, 0.0) ** 0.5 * (1 - GUARD)


def largest_eigenvalue(
    gram: Callable[[Tensor], Tensor], start: Float64[Tensor, " d"], accuracy: float
) -> float:
    """Return the largest eigenvalue of a linear map, up to rounding from below.

    Args:
        gram: The map, symmetric and positive semidefinite.
        start: A vector that is not orthogonal to the eigenvector, such as a random one.
        accuracy: Estimated relative error at which the iteration stops.
    """
    width = len(start)
    steps = max(min(MOST_STEPS, width, MEMORY // (8 * width)), 2)
    basis = start.new_empty(steps, width)
    projected = start.new_zeros(steps, steps)
    vector = start / start.norm()
    for step in range(min(steps, width)):
        basis[step] = vector
        image = gram(vector)
        projected[step, step] = image @ vector
        # First the three-term recurrence, then reorthogonalisation against rounding.
        for known in (basis[max(step - 1, 0) : step + 1], basis[: step + 1]):
            image -= known.T @ (known @ image)
        residual = float(image.norm())
        values, vectors = torch.linalg.eigh(projected[: step + 1, : step + 1])
        if _error(values, residual * float(vectors[-1, -1].abs())) <= accuracy:
            break
        if step + 1 < steps:
            projected[step, step + 1] = projected[step + 1, step] = residual
            vector = image / residual
    return float(values[-1])


def _error(values: Float64[Tensor, " k"], residual: float) -> float:
    """Return an estimate of the relative error of the largest Ritz value.

    The error is below the residual, and below its square over the gap to the next
    eigenvalue, which the next Ritz value estimates.
    """
    largest = float(values[-1])
    if largest <= 0:
        return 0.0 if residual == 0 else torch.inf
    gap = float(values[-1] - values[-2]) if len(values) > 1 else 0.0
    squared = residual**2 / gap if gap > 0 else torch.inf
    return min(residual, squared) / largest
