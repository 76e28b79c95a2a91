"""Singular values of batches of small matrices, through their Gram matrices."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Num
from torch import Tensor

from intriguing.errors import InputError

GUARD = 1e-11
"""Relative margin for rounding. Norms come from float64 matrices of at most a few
thousand rows, whose eigenvalues LAPACK returns with errors of about 1e-13."""

NEGLIGIBLE = 1e-7
"""Share of the largest singular value below which the Gram matrix has only rounding."""


def checked_weight(weight: Any, axes: tuple[str, ...]) -> Float64[Tensor, "..."]:
    """Return the weights of a layer in double precision.

    Args:
        weight: A tensor or an array.
        axes: What its axes are, for messages.

    Raises:
        InputError: It is something else, complex, empty or not finite.
    """
    given = torch.from_numpy(weight) if isinstance(weight, np.ndarray) else weight
    if not isinstance(given, Tensor) or given.is_complex() or given.is_meta:
        said = (
            f"a {given.dtype} tensor on {given.device}"
            if isinstance(given, Tensor)
            else type(given).__name__
        )
        raise InputError(f"weight: {said} given; give a tensor of real numbers")
    if given.dim() != len(axes) or not given.numel():
        raise InputError(
            f"weight of shape {tuple(given.shape)}; give ({', '.join(axes)})"
        )
    if not torch.isfinite(given).all():
        raise InputError("weight holds NaN or infinite values; train the network again")
    return given.detach().double()


def singular_values(
    matrices: Num[Tensor, "*batch rows columns"],
) -> Num[Tensor, "*batch values"]:
    """Return the singular values of each matrix, ascending.

    Values below `NEGLIGIBLE` of the largest one are set to 0.
    """
    tall = matrices.shape[-2] > matrices.shape[-1]
    gram = matrices.mH @ matrices if tall else matrices @ matrices.mH
    values = torch.linalg.eigvalsh(gram).clamp_min(0).sqrt()
    return values.masked_fill(values < NEGLIGIBLE * values[..., -1:], 0)


def matrix_norm(matrices: Num[Tensor, "*batch rows columns"]) -> float:
    """Return the largest singular value over all matrices."""
    return float(singular_values(matrices)[..., -1].max())
