"""Singular values of batches of small matrices, through their Gram matrices."""

import torch
from jaxtyping import Num
from torch import Tensor

GUARD = 1e-11
"""Relative margin for rounding. Norms come from float64 matrices of at most a few
thousand rows, whose eigenvalues LAPACK returns with errors of about 1e-13."""

NEGLIGIBLE = 1e-7
"""Share of the largest singular value below which the Gram matrix has only rounding."""


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
