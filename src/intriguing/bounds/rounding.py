"""Bounds of rounding errors in float64, for proofs that allow for them.

Higham (2002) bounds a sum or inner product of n terms, in any order, by
``gamma(n) = n u / (1 - n u)`` times the sum of absolute values. Rump (2006) does the
same for a Cholesky factorisation that succeeds.
"""

import numpy as np
from jaxtyping import Float
from scipy.linalg import lapack

UNIT = 2.0**-53

Matrix = Float[np.ndarray, "_ _"]
Vector = Float[np.ndarray, " _"]


def gamma(terms: int) -> float:
    """Return the relative error of a sum of products, a little enlarged."""
    return 1.01 * (terms + 4) * UNIT


def is_positive_definite(matrix: Matrix, error: float) -> bool:
    """Return whether a symmetric matrix is proved positive definite.

    Args:
        matrix: What was computed; its lower half is used.
        error: Bound of the spectral norm of what the exact matrix differs by.
    """
    size = len(matrix)
    if not np.isfinite(matrix).all() or not np.isfinite(error):
        return False
    shift = 2 * (error + gamma(size + 1) * np.abs(np.diag(matrix)).sum())
    shifted = matrix - shift * np.eye(size)
    return not lapack.dpotrf(shifted, lower=1)[1]


def norm_above(weight: Matrix) -> float:
    """Return an upper bound of the spectral norm of a matrix."""
    # A power of two is exact, and keeps the squares of tiny and huge entries apart from
    # zero and infinity.
    exponent = int(np.frexp(np.abs(weight).max(initial=0.0))[1])
    bound = _scaled_norm_above(np.ldexp(weight, -exponent))
    return float(np.nextafter(np.ldexp(bound, exponent), np.inf)) if bound else 0.0


def _scaled_norm_above(weight: Matrix) -> float:
    small = weight if weight.shape[0] <= weight.shape[1] else weight.T
    total = float((weight**2).sum())
    bound = float(np.linalg.norm(small, 2)) * (1 + 1e-10)
    matrix = bound**2 * np.eye(len(small)) - small @ small.T
    if is_positive_definite(
        matrix, gamma(small.shape[1]) * total + 4 * UNIT * bound**2
    ):
        return bound
    return float(np.sqrt(total) * (1 + gamma(weight.size)))


def product_error(weight: Matrix, values: Vector, bias: Vector) -> Vector:
    """Return bounds of the rounding error of ``weight @ values + bias``."""
    terms = np.abs(weight) @ np.abs(values) + np.abs(bias)
    return gamma(len(values) + 1) * terms
