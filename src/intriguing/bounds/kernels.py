"""Compiled: the entries of a Schur complement for rank-two constraints."""

import numpy as np
from numba import njit


@njit(fastmath=True)
def trace_products(primal, inverse, first, second, out):
    """Write tr(A_i X A_j Y) for all pairs, with A_k = sym(v_first v_second').

    Args:
        primal: Inner products of the vectors by X.
        inverse: Inner products of the vectors by Y.
        first: Index of a vector for each constraint.
        second: Index of the other vector.
        out: Where to write, symmetric.
    """
    for i in range(first.shape[0]):
        p, q = first[i], second[i]
        for j in range(i + 1):
            r, s = first[j], second[j]
            value = primal[q, r] * inverse[p, s] + primal[q, s] * inverse[p, r]
            value += primal[p, r] * inverse[q, s] + primal[p, s] * inverse[q, r]
            out[i, j] = 0.25 * value
            out[j, i] = 0.25 * value


def schur_of_pairs(
    primal: np.ndarray, inverse: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Return what `trace_products` writes."""
    out = np.empty((len(first), len(first)))
    trace_products(primal, inverse, first, second, out)
    return out
