"""`curvature` of one image, compiled."""

from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused.projection import free_pixels
from intriguing.attack.minimal.fused.vectors import (
    INNER,
    ONE,
    SUMS,
    ZERO,
    add,
    add_row,
    copy,
    distance,
    dot,
    dot_row,
    factorise,
    gather,
    substitute,
    where_positive,
)


class Pairs(NamedTuple):
    """The last steps of one image, their changes, and how to read the rings."""

    steps: np.ndarray
    changes: np.ndarray
    newest: int
    count: int


@njit(fastmath=SUMS, **INNER)
def damped(pairs, i, free, least, masked, bent):
    """Write a pair on the free pixels, damped; return 1 / sᵀy, 0 without a step."""
    for j in range(len(free)):
        masked[j] = pairs.steps[i, j] * free[j]
        bent[j] = pairs.changes[i, j] * free[j]
    square, overlap = dot(masked, masked), dot(masked, bent)
    if square <= np.float32(1e-14):
        return ZERO
    if overlap < least * square:
        share = (ONE - least) * square / (square - overlap)
        for j in range(len(free)):
            bent[j] = share * bent[j] + (ONE - share) * masked[j]
        overlap = least * square
    return ONE / overlap


@njit(fastmath=SUMS, **INNER)
def inverse_times(vectors, pairs, free, least, masked, bent):
    """Multiply the rows of ``vectors`` by the inverse that the pairs define.

    Returns:
        Whether there was any pair.
    """
    memory = len(pairs.steps)
    inverse, shares = np.empty(memory, np.float32), np.empty(memory, np.float32)
    count = 0
    for age in range(min(pairs.count, memory)):
        i = (pairs.newest - age) % memory
        inverse[count] = damped(pairs, i, free, least, masked[count], bent[count])
        count += inverse[count] > 0
    for v in range(len(vectors)):
        vector = vectors[v]
        for p in range(count):
            shares[p] = dot_row(vector, masked, p) * inverse[p]
            add_row(vector, -shares[p], bent, p)
        for p in range(count - 1, -1, -1):
            back = dot_row(vector, bent, p) * inverse[p]
            add_row(vector, shares[p] - back, masked, p)
    return count > 0


@njit(fastmath=SUMS, **INNER)
def refined(gram, right, solution, limits):
    """Solve for the multipliers with a ridge, and refine; say whether it worked."""
    size, trace = len(right), ZERO
    shifted, rest = np.empty((size, size), np.float32), np.empty(size, np.float32)
    for a in range(size):
        trace += gram[a, a]
    for a in range(size):
        for c in range(a + 1):
            shifted[a, c] = gram[a, c]
        shifted[a, a] += max(limits.ridge * trace, np.float32(1e-20))
    if not factorise(shifted, size):
        return False
    for _ in range(limits.refinements):
        for a in range(size):
            rest[a] = right[a]
            for c in range(size):
                rest[a] -= gram[a, c] * solution[c]
        substitute(shifted, rest, size)
        for a in range(size):
            solution[a] += rest[a]
    sound = True
    for a in range(size):
        sound &= solution[a] >= 0
    return sound


@njit(fastmath=SUMS, **INNER)
def spread_out(piece, active, point, free, spread, held):
    """Write the pull and the active slopes on free pixels, the move on the others."""
    clean, image = piece.clean, piece.image
    for j in range(len(free)):
        held[j] = (point[j] - image[j]) * (ONE - free[j])
        spread[0, j] = (image[j] - clean[j]) * free[j]
    for a in range(len(active)):
        k = active[a]
        for j in range(len(free)):
            spread[a + 1, j] = piece.slopes[k, j] * free[j]


@njit(fastmath=SUMS, **INNER)
def quasi_newton(piece, limits, point, multiplier, pairs, work, step):
    """Write the step and its multipliers where it is to be taken, and say so."""
    active, memory = np.empty(len(multiplier), np.int64), len(pairs.steps)
    size = where_positive(multiplier, active)
    active = active[:size]
    free, held = work[0], work[1]
    spread = work[3 : 4 + size]
    masked, bent = work[-memory:], work[-2 * memory : -memory]
    free_pixels(point, free)
    spread_out(piece, active, point, free, spread, held)
    least = limits.least_curvature
    if not inverse_times(spread, pairs, free, least, masked, bent):
        return False
    add(held, -ONE, spread[0])
    gram, right = np.empty((size, size), np.float32), np.empty(size, np.float32)
    solution = np.empty(size, np.float32)
    gather(solution, active, multiplier)
    for a in range(size):
        row = piece.slopes[active[a]]
        right[a] = piece.need[active[a]] - dot(row, held)
        for c in range(size):
            gram[a, c] = dot_row(row, spread, c + 1)
    if size == 0 or not refined(gram, right, solution, limits):
        return False
    for a in range(size):
        add_row(held, solution[a], spread, a + 1)
    longest = limits.longest * distance(point, piece.image) + np.float32(1e-3)
    if np.sqrt(dot(held, held)) >= longest:
        return False
    copy(step, held)
    for a in range(size):
        multiplier[active[a]] = solution[a]
    return True
