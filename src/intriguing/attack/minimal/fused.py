"""`projection` and `curvature` of one image at a time, compiled by numba for the CPU.

The torch versions pass over (N, K, D) temporaries; here all that concerns an image
stays in the processor's cache. Functions have the names of those they stand for, and a
test asserts that both give the same steps. They are plain loops: every array function
of NumPy would be compiled along, and take longer than all of this.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

SUMS = {"reassoc", "contract", "nsz", "arcp"}
"""Let sums be reordered, so that they run on vector registers; NaN stays NaN."""

ZERO, ONE, HALF = np.float32(0), np.float32(1), np.float32(0.5)


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


class Arrays(NamedTuple):
    """Fields of `live.Live` that the compiled functions read or write."""

    clean: np.ndarray
    image: np.ndarray
    trial: np.ndarray
    slopes: np.ndarray
    gap: np.ndarray
    multiplier: np.ndarray
    kappa: np.ndarray
    steps: np.ndarray
    changes: np.ndarray
    newest: np.ndarray
    pairs: np.ndarray
    projected: np.ndarray
    step: np.ndarray
    length: np.ndarray
    residual: np.ndarray
    excess: np.ndarray


class Piece(NamedTuple):
    """The sub-problem of one image."""

    clean: np.ndarray
    image: np.ndarray
    slopes: np.ndarray
    need: np.ndarray
    kappa: np.float32


@njit(cache=True, fastmath=SUMS)
def dot(a, b):
    """Return the inner product of two vectors."""
    total = ZERO
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit(cache=True)
def copy(a, b):
    """Write ``b`` to ``a``."""
    for j in range(len(a)):
        a[j] = b[j]


@njit(cache=True)
def gather(a, places, values):
    """Write the values at some places to ``a``."""
    for j in range(len(places)):
        a[j] = values[places[j]]


@njit(cache=True)
def where_positive(values, places):
    """List the places of positive values; return how many there are."""
    count = 0
    for k in range(len(values)):
        if values[k] > ZERO:
            places[count] = k
            count += 1
    return count


@njit(cache=True, fastmath=SUMS)
def add(a, factor, b):
    """Add ``factor * b`` to ``a`` in place."""
    for j in range(len(a)):
        a[j] += factor * b[j]


@njit(cache=True, fastmath=SUMS)
def distance(a, b):
    """Return the Euclidean distance of two vectors."""
    total = ZERO
    for j in range(len(a)):
        total += (a[j] - b[j]) * (a[j] - b[j])
    return np.sqrt(total)


@njit(cache=True, fastmath=SUMS)
def factorise(gram, size):
    """Replace the lower triangle by Cholesky's factor; say whether there is one."""
    for i in range(size):
        for j in range(i + 1):
            total = gram[i, j]
            for k in range(j):
                total -= gram[i, k] * gram[j, k]
            if i > j:
                gram[i, j] = total / gram[j, j]
            elif total <= 0:
                return False
            else:
                gram[i, i] = np.sqrt(total)
    return True


@njit(cache=True, fastmath=SUMS)
def substitute(factor, right, size):
    """Solve in place with Cholesky's factor."""
    for i in range(size):
        for k in range(i):
            right[i] -= factor[i, k] * right[k]
        right[i] /= factor[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            right[i] -= factor[k, i] * right[k]
        right[i] /= factor[i, i]


@njit(cache=True, fastmath=SUMS)
def minimise_lagrangian(piece, multiplier, point, move, shortfall):
    """Write x'(λ) and the shortfall; return the value of the dual."""
    clean, image, value = piece.clean, piece.image, ZERO
    for j in range(len(clean)):
        point[j] = clean[j]
    for k in range(len(multiplier)):
        if multiplier[k] != 0:
            add(point, multiplier[k], piece.slopes[k])
    for j in range(len(clean)):
        inside = min(max(point[j], ZERO), ONE)
        value += (inside - clean[j]) * (inside - clean[j])
        move[j] = inside - image[j]
        point[j] = inside
    value *= HALF
    for k in range(len(multiplier)):
        shortfall[k] = piece.need[k] - dot(piece.slopes[k], move)
        value += multiplier[k] * shortfall[k]
    return value


@njit(cache=True, fastmath=SUMS)
def free_pixels(point, free):
    """Write 1 for pixels strictly inside the box, 0 for the others."""
    for j in range(len(point)):
        inside = (point[j] > ZERO) & (point[j] < ONE)
        free[j] = ONE if inside else ZERO


@njit(cache=True, fastmath=SUMS)
def gram_of(slopes, free, active, size, masked, gram):
    """Write the lower triangle of W D Wᵀ on the active rows; return its trace."""
    trace = ZERO
    for a in range(size):
        row = slopes[active[a]]
        for j in range(len(free)):
            masked[j] = row[j] * free[j]
        for c in range(a + 1):
            gram[a, c] = dot(masked, slopes[active[c]])
        trace += gram[a, a]
    return trace


@njit(cache=True, fastmath=SUMS)
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


@njit(cache=True, fastmath=SUMS)
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


@njit(cache=True, fastmath=SUMS)
def find_active(multiplier, shortfall, active):
    """List the rows with a multiplier or a shortfall; return how many, and the gap."""
    size, gap = 0, ZERO
    for k in range(len(multiplier)):
        if multiplier[k] > 0 or shortfall[k] > 0:
            active[size] = k
            size += 1
            gap = max(gap, abs(shortfall[k]))
    return size, gap


@njit(cache=True, fastmath=SUMS)
def accuracy_and_cap(piece, limits, move):
    """Return the shortfall that will do, and the cap on the multipliers."""
    scale, flattest, slopes = np.float32(1e-6), np.float32(np.inf), piece.slopes
    for j in range(len(move)):
        move[j] = piece.image[j] - piece.clean[j]
    for k in range(len(slopes)):
        scale = max(scale, abs(piece.need[k] + dot(slopes[k], move)))
        flattest = min(flattest, dot(slopes[k], slopes[k]))
    length = np.sqrt(dot(move, move))
    steepness = max(np.sqrt(flattest), np.float32(1e-6))
    enough = min(limits.close * scale, np.float32(0.25) * piece.kappa)
    return enough, limits.far * (length + np.float32(0.3)) / steepness


@njit(cache=True, fastmath=SUMS)
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


@njit(cache=True, fastmath=SUMS)
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


@njit(cache=True, fastmath=SUMS)
def damped(step, change, free, least, masked, bent):
    """Write a pair on the free pixels, damped; return 1 / sᵀy, 0 without a step."""
    for j in range(len(free)):
        masked[j] = step[j] * free[j]
        bent[j] = change[j] * free[j]
    square, overlap = dot(masked, masked), dot(masked, bent)
    if square <= np.float32(1e-14):
        return ZERO
    if overlap < least * square:
        share = (ONE - least) * square / (square - overlap)
        for j in range(len(free)):
            bent[j] = share * bent[j] + (ONE - share) * masked[j]
        overlap = least * square
    return ONE / overlap


@njit(cache=True, fastmath=SUMS)
def inverse_times(vectors, pairs, newest, count, free, least, masked, bent):
    """Multiply the rows of ``vectors`` by the inverse that the pairs define.

    Returns:
        Whether there was any pair.
    """
    steps, changes = pairs
    memory = len(steps)
    count = min(count, memory)
    inverse, any_pair = np.empty(memory, np.float32), False
    shares = np.empty((memory, len(vectors)), np.float32)
    for age in range(count):
        i = (newest - age) % memory
        inverse[i] = damped(steps[i], changes[i], free, least, masked[i], bent[i])
        if inverse[i] > 0:
            any_pair = True
            for v in range(len(vectors)):
                shares[i, v] = dot(vectors[v], masked[i]) * inverse[i]
                add(vectors[v], -shares[i, v], bent[i])
    for age in range(count - 1, -1, -1):
        i = (newest - age) % memory
        if inverse[i] > 0:
            for v in range(len(vectors)):
                back = dot(vectors[v], bent[i]) * inverse[i]
                add(vectors[v], shares[i, v] - back, masked[i])
    return any_pair


@njit(cache=True, fastmath=SUMS)
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


@njit(cache=True, fastmath=SUMS)
def spread_out(piece, active, point, free, spread, held):
    """Write the pull and the active slopes on free pixels, the move on the others."""
    clean, image = piece.clean, piece.image
    for j in range(len(free)):
        held[j] = (point[j] - image[j]) * (ONE - free[j])
        spread[0, j] = (image[j] - clean[j]) * free[j]
    for a in range(len(active)):
        row = piece.slopes[active[a]]
        for j in range(len(free)):
            spread[a + 1, j] = row[j] * free[j]


@njit(cache=True, fastmath=SUMS)
def quasi_newton(piece, limits, point, multiplier, pairs, newest, count, work, step):
    """Write the step and its multipliers where it is to be taken, and say so."""
    active, memory = np.empty(len(multiplier), np.int64), len(pairs[0])
    size = where_positive(multiplier, active)
    active = active[:size]
    free, held = work[0], work[1]
    spread = work[3 : 4 + size]
    masked, bent = work[-memory:], work[-2 * memory : -memory]
    free_pixels(point, free)
    spread_out(piece, active, point, free, spread, held)
    least = limits.least_curvature
    if not inverse_times(spread, pairs, newest, count, free, least, masked, bent):
        return False
    add(held, -ONE, spread[0])
    gram, right = np.empty((size, size), np.float32), np.empty(size, np.float32)
    solution = np.empty(size, np.float32)
    gather(solution, active, multiplier)
    for a in range(size):
        row = piece.slopes[active[a]]
        right[a] = piece.need[active[a]] - dot(row, held)
        for c in range(size):
            gram[a, c] = dot(row, spread[c + 1])
    if size == 0 or not refined(gram, right, solution, limits):
        return False
    for a in range(size):
        add(held, solution[a], spread[a + 1])
    longest = limits.longest * distance(point, piece.image) + np.float32(1e-3)
    if np.sqrt(dot(held, held)) >= longest:
        return False
    copy(step, held)
    for a in range(size):
        multiplier[active[a]] = solution[a]
    return True


@njit(cache=True, fastmath=SUMS, nogil=True)
def solve(rows, arrays, before, limits):
    """Complete the pairs of some rows and solve their sub-problems, in place.

    ``before`` has the multipliers of the slopes that the last step left behind.
    """
    seats, width = arrays.slopes.shape[1:]
    memory = arrays.steps.shape[1]
    work = np.empty((4 + seats + 2 * memory, width), np.float32)
    slopes = np.empty((seats, width), np.float32)
    used, numbers = np.empty(seats, np.int64), np.empty((2, seats), np.float32)
    for n in range(len(rows)):
        i = rows[n]
        newest, size = arrays.newest[i], 0
        for k in range(seats):
            if before[n, k] != 0:
                add(arrays.changes[i, newest], -before[n, k], arrays.slopes[i, k])
            if arrays.gap[i, k] < np.inf:
                used[size] = k
                copy(slopes[size], arrays.slopes[i, k])
                numbers[0, size] = arrays.kappa[i] - arrays.gap[i, k]
                numbers[1, size] = arrays.multiplier[i, k]
                size += 1
        need, multiplier = numbers[0, :size], numbers[1, :size]
        clean, image, point = arrays.clean[i], arrays.image[i], arrays.projected[i]
        piece = Piece(clean, image, slopes[:size], need, arrays.kappa[i])
        step, pairs = arrays.step[i], (arrays.steps[i], arrays.changes[i])
        if not project(piece, limits, multiplier, point, work) or not quasi_newton(
            piece, limits, point, multiplier, pairs, newest, arrays.pairs[i], work, step
        ):
            for j in range(width):
                step[j] = point[j] - image[j]
        for k in range(seats):
            arrays.multiplier[i, k] = ZERO
        for k in range(size):
            arrays.multiplier[i, used[k]] = multiplier[k]
        arrays.residual[i] = distance(point, image)
        arrays.excess[i] = arrays.length[i] - distance(point, clean)


@njit(cache=True, fastmath=SUMS, nogil=True)
def leave(rows, arrays, before):
    """Go to the trial points of some rows, and begin the pair of each step."""
    for n in range(len(rows)):
        i = rows[n]
        newest = arrays.newest[i]
        step, change = arrays.steps[i, newest], arrays.changes[i, newest]
        for j in range(len(step)):
            step[j] = arrays.trial[i, j] - arrays.image[i, j]
            change[j] = step[j]
            arrays.image[i, j] = arrays.trial[i, j]
        for k in range(before.shape[1]):
            if before[n, k] != 0:
                add(change, before[n, k], arrays.slopes[i, k])
            if arrays.gap[i, k] < np.inf:
                arrays.gap[i, k] += dot(arrays.slopes[i, k], step)


@njit(cache=True, fastmath=SUMS, nogil=True)
def aim(rows, arrays, share, plain, limits):
    """Write the next trial points of some rows."""
    for n in range(len(rows)):
        i = rows[n]
        trial, image = arrays.trial[i], arrays.image[i]
        copy(trial, arrays.step[i])
        if plain[n]:
            for j in range(len(trial)):
                trial[j] = arrays.projected[i, j] - image[j]
        cap = HALF * max(arrays.length[i], limits.shortest) * share[n]
        length = max(np.sqrt(dot(trial, trial)), np.float32(1e-12))
        factor = min(share[n], cap / length)
        for j in range(len(trial)):
            trial[j] = min(max(image[j] + factor * trial[j], ZERO), ONE)
