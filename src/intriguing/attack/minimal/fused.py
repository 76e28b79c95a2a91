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

INNER = {
    "cache": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""Options of functions that only compiled ones call; without the wrappers they compile
in less time."""
ENTRY = {"cache": True, "error_model": "numpy", "nogil": True}
"""Options of functions that Python calls."""

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
    price: np.float32


class Arrays(NamedTuple):
    """Fields of `live.Live` as the compiled functions see them.

    Those that hold one number a slot lie together in ``slot``, a record for each.
    """

    slot: np.ndarray
    rivals: np.ndarray
    clean: np.ndarray
    far: np.ndarray
    trial: np.ndarray
    image: np.ndarray
    margins: np.ndarray
    slopes: np.ndarray
    classes: np.ndarray
    gap: np.ndarray
    multiplier: np.ndarray
    steps: np.ndarray
    changes: np.ndarray
    projected: np.ndarray
    step: np.ndarray
    best_image: np.ndarray


class Pairs(NamedTuple):
    """The last steps of one image, their changes, and how to read the rings."""

    steps: np.ndarray
    changes: np.ndarray
    newest: int
    count: int


class Piece(NamedTuple):
    """The sub-problem of one image."""

    clean: np.ndarray
    image: np.ndarray
    slopes: np.ndarray
    need: np.ndarray
    kappa: np.float32


@njit(fastmath=SUMS, **INNER)
def dot(a, b):
    """Return the inner product of two vectors."""
    total = ZERO
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit(**INNER)
def copy(a, b):
    """Write ``b`` to ``a``."""
    for j in range(len(a)):
        a[j] = b[j]


@njit(**INNER)
def gather(a, places, values):
    """Write the values at some places to ``a``."""
    for j in range(len(places)):
        a[j] = values[places[j]]


@njit(**INNER)
def where_positive(values, places):
    """List the places of positive values; return how many there are."""
    count = 0
    for k in range(len(values)):
        if values[k] > ZERO:
            places[count] = k
            count += 1
    return count


@njit(fastmath=SUMS, **INNER)
def add(a, factor, b):
    """Add ``factor * b`` to ``a`` in place."""
    for j in range(len(a)):
        a[j] += factor * b[j]


@njit(fastmath=SUMS, **INNER)
def distance(a, b):
    """Return the Euclidean distance of two vectors."""
    total = ZERO
    for j in range(len(a)):
        total += (a[j] - b[j]) * (a[j] - b[j])
    return np.sqrt(total)


@njit(fastmath=SUMS, **INNER)
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


@njit(fastmath=SUMS, **INNER)
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


@njit(fastmath=SUMS, **INNER)
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
        row = slopes[active[a]]
        for j in range(len(free)):
            masked[j] = row[j] * free[j]
        for c in range(a + 1):
            gram[a, c] = dot(masked, slopes[active[c]])
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
        scale = max(scale, abs(piece.need[k] + dot(slopes[k], move)))
        flattest = min(flattest, dot(slopes[k], slopes[k]))
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


@njit(fastmath=SUMS, **INNER)
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


@njit(fastmath=SUMS, **INNER)
def inverse_times(vectors, pairs, free, least, masked, bent):
    """Multiply the rows of ``vectors`` by the inverse that the pairs define.

    Returns:
        Whether there was any pair.
    """
    steps, changes = pairs.steps, pairs.changes
    memory = len(steps)
    count = min(pairs.count, memory)
    inverse, any_pair = np.empty(memory, np.float32), False
    shares = np.empty((memory, len(vectors)), np.float32)
    for age in range(count):
        i = (pairs.newest - age) % memory
        inverse[i] = damped(steps[i], changes[i], free, least, masked[i], bent[i])
        if inverse[i] > 0:
            any_pair = True
            for v in range(len(vectors)):
                shares[i, v] = dot(vectors[v], masked[i]) * inverse[i]
                add(vectors[v], -shares[i, v], bent[i])
    for age in range(count - 1, -1, -1):
        i = (pairs.newest - age) % memory
        if inverse[i] > 0:
            for v in range(len(vectors)):
                back = dot(vectors[v], bent[i]) * inverse[i]
                add(vectors[v], shares[i, v] - back, masked[i])
    return any_pair


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
        row = piece.slopes[active[a]]
        for j in range(len(free)):
            spread[a + 1, j] = row[j] * free[j]


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


@njit(fastmath=SUMS, **INNER)
def leave(i, arrays, before):
    """Go to the trial point of a slot, and begin the pair of the step."""
    slot = arrays.slot[i]
    slot.newest = (slot.newest + 1) % arrays.steps.shape[1]
    slot.pairs += 1
    trial, image = arrays.trial[i], arrays.image[i]
    step, change = arrays.steps[i, slot.newest], arrays.changes[i, slot.newest]
    for j in range(len(step)):
        step[j] = trial[j] - image[j]
        change[j] = step[j]
        image[j] = trial[j]
    for k in range(len(before)):
        if before[k] != 0:
            add(change, before[k], arrays.slopes[i, k])
        if arrays.gap[i, k] < np.inf:
            arrays.gap[i, k] += dot(arrays.slopes[i, k], step)


@njit(fastmath=SUMS, **ENTRY)
def solve(slots, arrays, before, limits):
    """Complete the pairs of some slots, solve their sub-problems, and raise the price.

    ``before`` has the multipliers of the slopes that the last step left behind.
    """
    seats, width = arrays.slopes.shape[1:]
    memory = arrays.steps.shape[1]
    work = np.empty((4 + seats + 2 * memory, width), np.float32)
    slopes = np.empty((seats, width), np.float32)
    used, numbers = np.empty(seats, np.int64), np.empty((2, seats), np.float32)
    for i in slots:
        slot, size, total = arrays.slot[i], 0, ZERO
        for k in range(seats):
            if before[i, k] != 0:
                change = arrays.changes[i, slot.newest]
                add(change, -before[i, k], arrays.slopes[i, k])
            if arrays.gap[i, k] < np.inf:
                used[size] = k
                copy(slopes[size], arrays.slopes[i, k])
                numbers[0, size] = slot.kappa - arrays.gap[i, k]
                numbers[1, size] = arrays.multiplier[i, k]
                size += 1
        need, multiplier = numbers[0, :size], numbers[1, :size]
        clean, image, point = arrays.clean[i], arrays.image[i], arrays.projected[i]
        piece = Piece(clean, image, slopes[:size], need, slot.kappa)
        pairs = Pairs(arrays.steps[i], arrays.changes[i], slot.newest, slot.pairs)
        step = arrays.step[i]
        if not project(piece, limits, multiplier, point, work) or not quasi_newton(
            piece, limits, point, multiplier, pairs, work, step
        ):
            for j in range(width):
                step[j] = point[j] - image[j]
        for k in range(seats):
            arrays.multiplier[i, k] = ZERO
        for k in range(size):
            arrays.multiplier[i, used[k]] = multiplier[k]
            total += multiplier[k]
        slot.price = max(slot.price, limits.price * total)
        slot.residual = distance(point, image)
        slot.excess = slot.length - distance(point, clean)


@njit(fastmath=SUMS, **ENTRY)
def aim(slots, arrays, limits):
    """Write the next trial points of some slots."""
    for i in slots:
        slot, step, image = arrays.slot[i], arrays.step[i], arrays.image[i]
        trial, projected = arrays.trial[i], arrays.projected[i]
        for j in range(len(trial)):
            trial[j] = projected[j] - image[j] if slot.plain else step[j]
        share = np.float32(0.5**slot.halvings)
        cap = HALF * max(slot.length, limits.shortest) * share
        length = max(np.sqrt(dot(trial, trial)), np.float32(1e-12))
        factor = min(share, cap / length)
        for j in range(len(trial)):
            trial[j] = min(max(image[j] + factor * trial[j], ZERO), ONE)
