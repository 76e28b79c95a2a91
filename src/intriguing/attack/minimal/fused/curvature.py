"""`curvature` of one image, compiled."""

from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused.projection import free_pixels
from intriguing.attack.vectors import (
    INNER,
    ONE,
    SUMS,
    ZERO,
    add,
    add_rows,
    copy,
    distance,
    dot,
    dot_row,
    dot_rows,
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
def list_pairs(pairs, free, least, order, factors):
    """List the pairs, newest first, damped on the free pixels.

    A damped change is ``share * y + rest * s``. These two factors and 1 / sᵀy are
    written, not the vector: a copy of all pairs would not fit the nearest cache.

    Returns:
        How many there are, and the curvature of the stiffest, at least 1.
    """
    memory, count, stiffest = len(pairs.steps), 0, ONE
    for age in range(min(pairs.count, memory)):
        i = (pairs.newest - age) % memory
        square, overlap = ZERO, ZERO
        for j in range(len(free)):
            step = pairs.steps[i, j] * free[j]
            square += step * pairs.steps[i, j]
            overlap += step * pairs.changes[i, j]
        if square <= np.float32(1e-14):
            continue
        stiffest = max(stiffest, overlap / square)
        share = ONE
        if overlap < least * square:
            share = (ONE - least) * square / (square - overlap)
            overlap = least * square
        order[count] = i
        factors[0, count], factors[1, count] = share, ONE - share
        factors[2, count] = ONE / overlap
        count += 1
    return count, stiffest


@njit(fastmath=SUMS, **INNER)
def subtract(vector, pairs, i, by_change, by_step, k, free):
    """Subtract multiples of a pair; return the product with the step of pair ``k``.

    One pass does both. The vector is zero on held pixels and remains so.
    """
    product = ZERO
    for j in range(len(vector)):
        part = by_change * pairs.changes[i, j] + by_step * pairs.steps[i, j]
        value = vector[j] - part * free[j]
        vector[j] = value
        product += value * pairs.steps[k, j]
    return product


@njit(fastmath=SUMS, **INNER)
def add_step(vector, pairs, i, factor, k, free):
    """Add a multiple of a step; return the products with change and step of ``k``."""
    by_change, by_step = ZERO, ZERO
    for j in range(len(vector)):
        value = vector[j] + factor * pairs.steps[i, j] * free[j]
        vector[j] = value
        by_change += value * pairs.changes[k, j]
        by_step += value * pairs.steps[k, j]
    return by_change, by_step


@njit(fastmath=SUMS, **INNER)
def two_loops(vector, pairs, order, factors, free, unknown):
    """Multiply a vector by the inverse: the two-loop recursion.

    The first pass of the way back adds nothing, and the last one's products are not
    needed.
    """
    count, taken = len(order), factors[3]
    product = dot_row(vector, pairs.steps, order[0])
    for p in range(count):
        taken[p] = product * factors[2, p]
        change, step = taken[p] * factors[0, p], taken[p] * factors[1, p]
        following = order[min(p + 1, count - 1)]
        product = subtract(vector, pairs, order[p], change, step, following, free)
    for j in range(len(vector)):
        vector[j] /= unknown
    i, share = order[count - 1], ZERO
    for p in range(count - 1, -1, -1):
        change, step = add_step(vector, pairs, i, share, order[p], free)
        back = (factors[0, p] * change + factors[1, p] * step) * factors[2, p]
        i, share = order[p], taken[p] - back
    add_step(vector, pairs, i, share, i, free)


@njit(fastmath=SUMS, **INNER)
def inverse_times(vectors, pairs, free, limits, space):
    """Multiply the rows of ``vectors`` by the inverse that the pairs define.

    They are zero on held pixels, and remain so.

    Returns:
        Whether there was any pair.
    """
    order, factors, least = space.order, space.factors, limits.least_curvature
    count, stiffest = list_pairs(pairs, free, least, order, factors)
    unknown = min(stiffest, limits.unknown_curvature)
    for v in range(len(vectors) if count else 0):
        two_loops(vectors[v], pairs, order[:count], factors, free, unknown)
    return count > 0


@njit(fastmath=SUMS, **INNER)
def refined(gram, right, solution, limits, space):
    """Solve for the multipliers with a ridge, and refine; say whether it worked."""
    size, trace = len(right), ZERO
    shifted, rest = space.factor, space.rest
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
def quasi_newton(piece, limits, point, multiplier, pairs, space, step):
    """Write the step and its multipliers where it is to be taken, and say so."""
    size = where_positive(multiplier, space.active)
    active, free, held = space.active[:size], space.free, space.move
    spread = space.spread[: size + 1]
    free_pixels(point, free)
    spread_out(piece, active, point, free, spread, held)
    if not inverse_times(spread, pairs, free, limits, space):
        return False
    add(held, -ONE, spread[0])
    gram, right, solution = space.gram, space.right[:size], space.solution[:size]
    gather(solution, active, multiplier)
    for a in range(size):
        row = piece.slopes[active[a]]
        right[a] = piece.need[active[a]] - dot(row, held)
        dot_rows(row, spread[1:], gram[a, :size])
    if size == 0 or not refined(gram, right, solution, limits, space):
        return False
    add_rows(held, solution, spread[1:])
    longest = limits.longest * distance(point, piece.image) + np.float32(1e-3)
    if np.sqrt(dot(held, held)) >= longest:
        return False
    copy(step, held)
    for a in range(size):
        multiplier[active[a]] = solution[a]
    return True
