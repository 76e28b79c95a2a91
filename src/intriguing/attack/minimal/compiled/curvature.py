"""Curvature of the decision boundary by L-BFGS, one image at a time.

The projection treats the margins as linear. At a solution the Hessian that matters is
that of the Lagrangian ‖x - clean‖²/2 - Σ λ_k g_k(x), the identity less Σ λ_k H_k. Its
product with a step s is read off the gradients that the search has anyway:

    y = s - Σ λ_k (W_k⁺ - W_k).

L-BFGS turns the last pairs (s, y) into an inverse H ≈ B⁻¹. On the free pixels the step
d then solves

    minimise dᵀB d / 2 + (x - clean)ᵀd   subject to   g + W d = κ

for the constraints that the projection found active; on held pixels it is the
projection's.
"""

from typing import NamedTuple

import numpy as np

from intriguing.attack import vectors
from intriguing.attack.compilation import sum_kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.compiled.projection import free_pixels
from intriguing.attack.vectors import ONE, ZERO


class Pairs(NamedTuple):
    """The last steps of one image, their changes, and how to read the rings."""

    steps: np.ndarray
    changes: np.ndarray
    newest: int
    count: int


@sum_kernel
def list_pairs(pairs, free, least, order, factors):
    """List damped pairs, newest first; return how many, and the largest curvature."""
    # Factors of the damped changes: a copy of all would not fit the nearest cache.
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


@sum_kernel
def subtract(vector, pairs, i, by_change, by_step, k, free):
    """Subtract multiples of a pair; return the product with the step of pair ``k``."""
    product = ZERO
    for j in range(len(vector)):
        part = by_change * pairs.changes[i, j] + by_step * pairs.steps[i, j]
        value = vector[j] - part * free[j]
        vector[j] = value
        product += value * pairs.steps[k, j]
    return product


@sum_kernel
def add_step(vector, pairs, i, factor, k, free):
    """Add a multiple of a step; return the products with change and step of ``k``."""
    by_change, by_step = ZERO, ZERO
    for j in range(len(vector)):
        value = vector[j] + factor * pairs.steps[i, j] * free[j]
        vector[j] = value
        by_change += value * pairs.changes[k, j]
        by_step += value * pairs.steps[k, j]
    return by_change, by_step


@sum_kernel
def two_loops(vector, pairs, order, factors, free, unknown):
    """Multiply a vector by the inverse: the two-loop recursion."""
    count, taken = len(order), factors[3]
    product = vectors.dot_row(vector, pairs.steps, order[0])
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


@sum_kernel
def inverse_times(vectors, pairs, free, room):
    """Multiply rows, zero on held pixels, by the inverse; say if there is any pair."""
    order, factors, least = room.order, room.factors, const.LEAST_CURVATURE
    count, stiffest = list_pairs(pairs, free, least, order, factors)
    unknown = min(stiffest, const.UNKNOWN_CURVATURE)
    for v in range(len(vectors) if count else 0):
        two_loops(vectors[v], pairs, order[:count], factors, free, unknown)
    return count > 0


@sum_kernel
def refined(gram, right, solution, room):
    """Solve for the multipliers with a ridge, and refine; say whether it worked."""
    size, trace = len(right), ZERO
    shifted, rest = room.factor, room.system[1]
    for a in range(size):
        trace += gram[a, a]
    for a in range(size):
        for c in range(a + 1):
            shifted[a, c] = gram[a, c]
        shifted[a, a] += max(const.RIDGE * trace, np.float32(1e-20))
    if not vectors.factorise(shifted, size):
        return False
    for _ in range(const.REFINEMENTS):
        for a in range(size):
            rest[a] = right[a]
            for c in range(size):
                rest[a] -= gram[a, c] * solution[c]
        vectors.substitute(shifted, rest, size)
        for a in range(size):
            solution[a] += rest[a]
    sound = True
    for a in range(size):
        sound &= solution[a] >= 0
    return sound


@sum_kernel
def spread_out(subproblem, active, point, free, spread, held):
    """Write pull and active gradients on free pixels, the move on the others."""
    clean, image = subproblem.clean, subproblem.image
    for j in range(len(free)):
        held[j] = (point[j] - image[j]) * (ONE - free[j])
        spread[0, j] = (image[j] - clean[j]) * free[j]
    for a in range(len(active)):
        k = active[a]
        for j in range(len(free)):
            spread[a + 1, j] = subproblem.gradients[k, j] * free[j]


@sum_kernel
def quasi_newton(subproblem, point, multiplier, pairs, room, step):
    """Write the step and its multipliers where it is to be taken, and say so."""
    size = vectors.where_positive(multiplier, room.active)
    active, free, held = room.active[:size], room.free, room.move
    spread = room.spread[: size + 1]
    free_pixels(point, free)
    spread_out(subproblem, active, point, free, spread, held)
    if not inverse_times(spread, pairs, free, room):
        return False
    vectors.add(held, -ONE, spread[0])
    gram, right, solution = room.gram, room.system[0, :size], room.system[2, :size]
    vectors.gather(solution, active, multiplier)
    for a in range(size):
        row = subproblem.gradients[active[a]]
        right[a] = subproblem.required[active[a]] - vectors.dot(row, held)
        vectors.dot_rows(row, spread[1:], gram[a, :size])
    if size == 0 or not refined(gram, right, solution, room):
        return False
    vectors.add_rows(held, solution, spread[1:])
    length = vectors.distance(point, subproblem.image)
    longest = const.LONGEST_NEWTON * length + np.float32(1e-3)
    if np.sqrt(vectors.dot(held, held)) >= longest:
        return False
    vectors.copy(step, held)
    for a in range(size):
        multiplier[active[a]] = solution[a]
    return True
