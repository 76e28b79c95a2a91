"""Singular values of many small matrices at once, through their Gram matrices."""

import torch
from jaxtyping import Num
from torch import Tensor

GUARD = 1e-11
"""Relative slack for rounding: norms are computed in float64 from matrices of at most
a few thousand rows, whose eigenvalues LAPACK returns to about 1e-13."""


LOST = 1e-7
"""Share of the largest singular value below which the Gram matrix knows nothing."""


def singular_values(
    matrices: Num[Tensor, "*batch rows columns"],
) -> Num[Tensor, "*batch values"]:
    """Return the singular values of each matrix, ascending.

    Those that rounding would make up, below `LOST` of the largest one, are 0.
    """
    tall = matrices.shape[-2] > matrices.shape[-1]
    gram = matrices.mH @ matrices if tall else matrices @ matrices.mH
    values = torch.linalg.eigvalsh(gram).clamp_min(0).sqrt()
    return values.masked_fill(values < LOST * values[..., -1:], 0)


def matrix_norm(matrices: Num[Tensor, "*batch rows columns"]) -> float:
    """Return the largest singular value of all."""
    return float(singular_values(matrices)[..., -1].max())
