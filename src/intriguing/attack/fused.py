"""`recursion.two_loop`, one image at a time, compiled by numba for the CPU.

The torch version passes over (N, m, d) temporaries; here the pairs of one image stay
in the processor's cache. A test asserts that both give the same step.
"""

import numpy as np
from numba import njit

SUMS = {"reassoc", "contract", "nsz", "arcp"}
"""Let sums be reordered, so that they run on vector registers; NaN stays NaN."""


@njit(cache=True, fastmath=SUMS)
def dot(a: np.ndarray, b: np.ndarray) -> np.float32:
    """Return the inner product of two float32 vectors."""
    total = np.float32(0)
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit(cache=True, fastmath=SUMS)
def add(a: np.ndarray, factor: np.float32, b: np.ndarray) -> None:
    """Add ``factor * b`` to ``a`` in place."""
    for j in range(len(a)):
        a[j] += factor * b[j]


@njit(cache=True, fastmath=SUMS)
def two_loop(
    gradient: np.ndarray,
    free: np.ndarray,
    stiffness: np.ndarray,
    steps: np.ndarray,
    changes: np.ndarray,
    out: np.ndarray,
    slot: int,
    least_curvature: float,
) -> None:
    """Write the step of each image to ``out``; the other arguments as in torch."""
    count, memory, width = steps.shape
    total = np.empty((memory, width), np.float32)
    inverse = np.empty(memory, np.float32)
    shares = np.empty(memory, np.float32)
    for n in range(count):
        stiff, rest = stiffness[n], out[n]
        for j in range(width):
            rest[j] = gradient[n, j] * free[n, j]
        for age in range(memory):
            i = (slot - 1 - age) % memory
            step, change = steps[n, i], total[i]
            for j in range(width):
                change[j] = (changes[n, i, j] + stiff * step[j]) * free[n, j]
            overlap = dot(step, change)
            floor = np.float32(least_curvature) * stiff * dot(step, step)
            inverse[i] = 1 / overlap if overlap > floor + np.float32(1e-30) else 0
            shares[i] = inverse[i] * dot(step, rest)
            add(rest, -shares[i], change)
        for j in range(width):
            rest[j] /= stiff
        for back in range(memory):
            i = (slot + back) % memory
            share = inverse[i] * dot(total[i], rest)
            add(rest, shares[i] - share, steps[n, i])
        for j in range(width):
            rest[j] *= -free[n, j]
