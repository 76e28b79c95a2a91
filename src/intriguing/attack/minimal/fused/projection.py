"""`projection` of one image, compiled."""

from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.vectors import (
    HALF,
    INNER,
    ONE,
    SUMS,
    ZERO,
    add_two_rows,
    copy,
    distance,
    dot_rows,
    factorise,
    gather,
    substitute,
)


class Limits(NamedTuple):
    """Constants of the torch versions.

    They are arguments, because numba's cache does not notice when a constant of
    another module changes.
    """

    cuts: int
    most_steps: int
    most_cuts: int
    refinements: int
    cut: np.float32
    dual_ridge: np.float32
    dual_raise: np.float32
    largest_dual_ridge: np.float32
    rounding: np.float32
    close: np.float32
    far: np.float32
    least_curvature: np.float32
    unknown_curvature: np.float32
    ridge: np.float32
    longest: np.float32
    farthest: np.float32
    farthest_from_images: np.float32
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
def clipped_sum(base, slopes, factors, places, piece, point, move):
    """Write the base plus multiples of two slopes, clipped to the box.

    Returns:
        The squared distance from the clean image. The move from the iterate is written.
    """
    clean, image, square = piece.clean, piece.image, ZERO
    (a, b), (k, m) = factors, places
    for j in range(len(base)):
        value = base[j] + a * slopes[k, j] + b * slopes[m, j]
        inside = min(max(value, ZERO), ONE)
        square += (inside - clean[j]) * (inside - clean[j])
        move[j] = inside - image[j]
        point[j] = inside
    return square


@njit(fastmath=SUMS, **INNER)
def minimise_lagrangian(piece, multiplier, point, move, shortfall):
    """Write x'(λ) and the shortfall; return the value of the dual."""
    base, slopes, count = piece.clean, piece.slopes, 0
    a, b, k, m = ZERO, ZERO, 0, 0
    # Two slopes at a time; the last two go into the pass that clips, and mostly there
    # are no others.
    for c in range(len(multiplier)):
        if multiplier[c] == 0:
            continue
        if count % 2 == 0 and count > 0:
            if count == 2:
                copy(point, base)
                base = point
            add_two_rows(point, a, slopes, k, b, m)
            a = b = ZERO
        if count % 2 == 0:
            a, k = multiplier[c], c
        else:
            b, m = multiplier[c], c
        count += 1
    value = HALF * clipped_sum(base, slopes, (a, b), (k, m), piece, point, move)
    dot_rows(move, slopes, shortfall)
    for c in range(len(multiplier)):
        shortfall[c] = piece.need[c] - shortfall[c]
        value += multiplier[c] * shortfall[c]
    return value


@njit(fastmath=SUMS, **INNER)
def free_pixels(point, free):
    """Write 1 for pixels strictly inside the box, 0 for the others."""
    for j in range(len(point)):
        inside = (point[j] > ZERO) & (point[j] < ONE)
        free[j] = ONE if inside else ZERO


@njit(fastmath=SUMS, **INNER)
def masked_products(slopes, k, a, b, free):
    """Return the inner products of row ``k`` with two rows, over the free pixels."""
    one, other = ZERO, ZERO
    for j in range(len(free)):
        masked = slopes[k, j] * free[j]
        one += masked * slopes[a, j]
        other += masked * slopes[b, j]
    return one, other


@njit(fastmath=SUMS, **INNER)
def gram_of(slopes, free, active, size, gram):
    """Write the lower triangle of W D Wᵀ on the active rows; return its trace."""
    trace = ZERO
    for a in range(size):
        for c in range(0, a + 1, 2):
            d = min(c + 1, a)
            gram[a, c], gram[a, d] = masked_products(
                slopes, active[a], active[c], active[d], free
            )
        trace += gram[a, a]
    return trace


@njit(fastmath=SUMS, **INNER)
def bounded_newton(gram, right, multiplier, ascent, space):
    """Write Newton's step on the dual, stopped where multipliers would turn negative.

    Rows that would turn negative go to zero, and the others are solved for anew.
    Says whether there is such a step.
    """
    size = len(right)
    kept, places, factor, rest = space.kept, space.places, space.factor, space.rest
    for a in range(size):
        kept[a] = True
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
def newton_ascent(piece, point, now, active, ridge, space):
    """Write Newton's step on the dual for the active rows; say whether there is one."""
    free, gram, size = space.free, space.gram, len(active)
    multiplier, right = space.parts[0, :size], space.parts[1, :size]
    free_pixels(point, free)
    trace = gram_of(piece.slopes, free, active, size, gram)
    if trace <= np.float32(1e-12):  # the box holds every pixel: open it
        for j in range(len(free)):
            free[j] = ONE
        trace = gram_of(piece.slopes, free, active, size, gram)
    for a in range(size):
        gram[a, a] += max(ridge * trace, np.float32(1e-20))
    gather(multiplier, active, now[0])
    gather(right, active, now[1])
    return bounded_newton(gram, right, multiplier, space.ascent, space)


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
def promise_and_square(slopes, k, image, clean):
    """Return what a slope promises from clean image to iterate, and its square."""
    promise, square = ZERO, ZERO
    for j in range(len(image)):
        promise += slopes[k, j] * (image[j] - clean[j])
        square += slopes[k, j] * slopes[k, j]
    return promise, square


@njit(fastmath=SUMS, **INNER)
def accuracy_and_cap(piece, limits):
    """Return the shortfall that will do, and the cap on the multipliers."""
    scale, flattest, slopes = np.float32(1e-6), np.float32(np.inf), piece.slopes
    for k in range(len(slopes)):
        promise, square = promise_and_square(slopes, k, piece.image, piece.clean)
        scale = max(scale, abs(piece.need[k] + promise))
        flattest = min(flattest, square)
    length = distance(piece.image, piece.clean)
    steepness = max(np.sqrt(flattest), np.float32(1e-6))
    enough = min(limits.close * scale, np.float32(0.25) * piece.kappa)
    return enough, limits.far * (length + np.float32(0.3)) / steepness


@njit(fastmath=SUMS, **INNER)
def climb(piece, active, cap, value, limits, now, trial, space):
    """Take the longest of some steps that does not lower the dual.

    ``now`` and ``trial`` hold multipliers and shortfall. Returns the new value of the
    dual, and whether there was such a step.
    """
    share = ONE
    for _ in range(limits.most_cuts):
        copy(trial[0], now[0])
        for a in range(len(active)):
            wish = now[0, active[a]] + share * space.ascent[a]
            trial[0, active[a]] = min(max(wish, ZERO), cap)
        found = minimise_lagrangian(piece, trial[0], space.other, space.move, trial[1])
        if found >= value - limits.rounding * abs(value) - np.float32(1e-9):
            return found, True
        share *= limits.cut
    return value, False


@njit(fastmath=SUMS, **INNER)
def moved(before, after):
    """Say whether multipliers have changed noticeably."""
    change, largest = ZERO, ZERO
    for k in range(len(before)):
        change = max(change, abs(after[k] - before[k]))
        largest = max(largest, after[k])
    return change > np.float32(1e-5) * largest


@njit(fastmath=SUMS, **INNER)
def project(piece, limits, multiplier, point, space):
    """Write the projection and its multipliers; say whether these are below the cap."""
    rows = len(multiplier)
    now, trial, active = space.now[:, :rows], space.trial[:, :rows], space.active
    enough, cap = accuracy_and_cap(piece, limits)
    copy(now[0], multiplier)
    value = minimise_lagrangian(piece, now[0], point, space.move, now[1])
    ridge = limits.dual_ridge
    for _ in range(limits.most_steps):
        size, gap = find_active(now[0], now[1], active)
        if gap <= enough or ridge > limits.largest_dual_ridge:
            break
        better = newton_ascent(piece, point, now, active[:size], ridge, space)
        if better:
            value, better = climb(
                piece, active[:size], cap, value, limits, now, trial, space
            )
        if better:
            better = moved(now[0], trial[0])
            now, trial = trial, now
            copy(point, space.other)
        if not better:
            ridge *= limits.dual_raise
    below = True
    for k in range(rows):
        multiplier[k] = now[0, k]
        below &= multiplier[k] < cap
    return below
