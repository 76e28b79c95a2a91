"""`projection` of one image, compiled."""

from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused.vectors import (
    HALF,
    INNER,
    ONE,
    SUMS,
    ZERO,
    add_row,
    copy,
    dot,
    dot_row,
    factorise,
    gather,
    substitute,
)


class Limits(NamedTuple):
    """Constants of the torch versions.

    They are arguments, because numba's cache does not notice when a constant of
    another module changes.
    """

    most_steps: int
    most_cuts: int
    refinements: int
    cut: np.float32
    dual_ridge: np.float32
    rounding: np.float32
    close: np.float32
    far: np.float32
    least_curvature: np.float32
    ridge: np.float32
    longest: np.float32
    shortest: np.float32
    price: np.float32


class Piece(NamedTuple):
    """The sub-problem of one image."""

    clean: np.ndarray
    image: np.ndarray
    slopes: np.ndarray
    need: np.ndarray
    kappa: np.float32


@njit(fastmath=SUMS, **INNER)
def minimise_lagrangian(piece, multiplier, point, move, shortfall):
    """Write x'(λ) and the shortfall; return the value of the dual."""
    clean, image, value = piece.clean, piece.image, ZERO
    for j in range(len(clean)):
        point[j] = clean[j]
    for k in range(len(multiplier)):
        if multiplier[k] != 0:
            add_row(point, multiplier[k], piece.slopes, k)
    for j in range(len(clean)):
        inside = min(max(point[j], ZERO), ONE)
        value += (inside - clean[j]) * (inside - clean[j])
        move[j] = inside - image[j]
        point[j] = inside
    value *= HALF
    for k in range(len(multiplier)):
        shortfall[k] = piece.need[k] - dot_row(move, piece.slopes, k)
        value += multiplier[k] * shortfall[k]
    return value


@njit(fastmath=SUMS, **INNER)
def free_pixels(point, free):
    """Write 1 for pixels strictly inside the box, 0 for the others."""
    for j in range(len(point)):
        inside = (point[j] > ZERO) & (point[j] < ONE)
        free[j] = ONE if inside else ZERO


@njit(fastmath=SUMS, **INNER)
def gram_of(slopes, free, active, size, masked, gram):
    """Write the lower triangle of W D Wᵀ on the active rows; return its trace."""
    trace = ZERO
    for a in range(size):
        k = active[a]
        for j in range(len(free)):
            masked[j] = slopes[k, j] * free[j]
        for c in range(a + 1):
            gram[a, c] = dot_row(masked, slopes, active[c])
        trace += gram[a, a]
    return trace


@njit(fastmath=SUMS, **INNER)
def bounded_newton(gram, right, multiplier, ascent):
    """Write Newton's step on the dual, stopped where multipliers would turn negative.

    Rows that would turn negative go to zero, and the others are solved for anew.
    Says whether there is such a step.
    """
    size = len(right)
    kept, places = np.empty(size, np.bool_), np.empty(size, np.int64)
    for a in range(size):
        kept[a] = True
    factor, rest = np.empty((size, size), np.float32), np.empty(size, np.float32)
    for _ in range(size):
        count = 0
        for a in range(size):
            if kept[a]:
                places[count] = a
                count += 1
        for p in range(count):
            rest[p] = right[places[p]]
            for a in range(size):
                if not kept[a]:
                    low, high = min(a, places[p]), max(a, places[p])
                    rest[p] += gram[high, low] * multiplier[a]
            for q in range(p + 1):
                factor[p, q] = gram[places[p], places[q]]
        if not factorise(factor, count):
            return False
        substitute(factor, rest, count)
        again = False
        for p in range(count):
            ascent[places[p]] = rest[p]
            if multiplier[places[p]] + rest[p] < 0:
                kept[places[p]], again = False, True
                ascent[places[p]] = -multiplier[places[p]]
        if not again:
            return True
    return True


@njit(fastmath=SUMS, **INNER)
def newton_ascent(piece, point, now, active, ridge, work, ascent):
    """Write Newton's step on the dual for the active rows; say whether there is one."""
    free, masked, size = work[0], work[1], len(active)
    gram, parts = np.empty((size, size), np.float32), np.empty((2, size), np.float32)
    free_pixels(point, free)
    trace = gram_of(piece.slopes, free, active, size, masked, gram)
    if trace <= np.float32(1e-12):  # the box holds every pixel: open it
        for j in range(len(free)):
            free[j] = ONE
        trace = gram_of(piece.slopes, free, active, size, masked, gram)
    for a in range(size):
        gram[a, a] += max(ridge * trace, np.float32(1e-20))
    gather(parts[0], active, now[0])
    gather(parts[1], active, now[1])
    return bounded_newton(gram, parts[1], parts[0], ascent)


@njit(fastmath=SUMS, **INNER)
def find_active(multiplier, shortfall, active):
    """List the rows with a multiplier or a shortfall; return how many, and the gap."""
    size, gap = 0, ZERO
    for k in range(len(multiplier)):
        if multiplier[k] > 0 or shortfall[k] > 0:
            active[size] = k
            size += 1
            gap = max(gap, abs(shortfall[k]))
    return size, gap


@njit(fastmath=SUMS, **INNER)
def accuracy_and_cap(piece, limits, move):
    """Return the shortfall that will do, and the cap on the multipliers."""
    scale, flattest, slopes = np.float32(1e-6), np.float32(np.inf), piece.slopes
    for j in range(len(move)):
        move[j] = piece.image[j] - piece.clean[j]
    for k in range(len(slopes)):
        scale = max(scale, abs(piece.need[k] + dot_row(move, slopes, k)))
        flattest = min(flattest, dot_row(slopes[k], slopes, k))
    length = np.sqrt(dot(move, move))
    steepness = max(np.sqrt(flattest), np.float32(1e-6))
    enough = min(limits.close * scale, np.float32(0.25) * piece.kappa)
    return enough, limits.far * (length + np.float32(0.3)) / steepness


@njit(fastmath=SUMS, **INNER)
def climb(piece, ascent, active, size, cap, value, limits, now, trial, other, work):
    """Take the longest of some steps that does not lower the dual.

    ``now`` and ``trial`` hold multipliers and shortfall. Returns the new value of the
    dual, and whether there was such a step.
    """
    share = ONE
    for _ in range(limits.most_cuts):
        copy(trial[0], now[0])
        for a in range(size):
            wish = now[0, active[a]] + share * ascent[a]
            trial[0, active[a]] = min(max(wish, ZERO), cap)
        found = minimise_lagrangian(piece, trial[0], other, work[1], trial[1])
        if found >= value - limits.rounding * abs(value) - np.float32(1e-9):
            return found, True
        share *= limits.cut
    return value, False


@njit(fastmath=SUMS, **INNER)
def project(piece, limits, multiplier, point, work):
    """Write the projection and its multipliers; say whether these are below the cap."""
    rows = len(multiplier)
    now, trial = np.empty((2, rows), np.float32), np.empty((2, rows), np.float32)
    ascent = np.empty(rows, np.float32)
    active = np.empty(rows, np.int64)
    enough, cap = accuracy_and_cap(piece, limits, work[1])
    copy(now[0], multiplier)
    value = minimise_lagrangian(piece, now[0], point, work[1], now[1])
    for _ in range(limits.most_steps):
        size, gap = find_active(now[0], now[1], active)
        if gap <= enough or not newton_ascent(
            piece, point, now, active[:size], limits.dual_ridge, work, ascent
        ):
            break
        value, better = climb(
            piece, ascent, active, size, cap, value, limits, now, trial, work[2], work
        )
        if not better:
            break
        change, largest = ZERO, ZERO
        for k in range(rows):
            change = max(change, abs(trial[0, k] - now[0, k]))
            largest = max(largest, trial[0, k])
        now, trial = trial, now
        copy(point, work[2])
        if change <= np.float32(1e-5) * largest:
            break
    below = True
    for k in range(rows):
        multiplier[k] = now[0, k]
        below &= multiplier[k] < cap
    return below
