"""`projection` and `curvature` of one image at a time, compiled by numba for the CPU.

The torch versions pass over (N, K, D) temporaries; here all that concerns an image
stays in the processor's cache. Functions have the names of those they stand for, and a
test asserts that both give the same steps.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

SUMS = {"reassoc", "contract", "nsz", "arcp"}
"""Let sums be reordered, so that they run on vector registers; NaN stays NaN."""

ZERO, ONE = np.float32(0), np.float32(1)


class Limits(NamedTuple):
    """Constants of `projection` and `curvature`.

    They are arguments, because numba's cache does not notice when a constant of
    another module changes.
    """

    most_steps: int
    most_cuts: int
    cut: np.float32
    dual_ridge: np.float32
    rounding: np.float32
    close: np.float32
    far: np.float32
    least_curvature: np.float32
    ridge: np.float32
    refinements: int
    longest: np.float32


@njit(cache=True, fastmath=SUMS)
def dot(a, b):
    """Return the inner product of two float32 vectors."""
    total = ZERO
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


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
def minimise_lagrangian(clean, image, slopes, need, multiplier, point, move, shortfall):
    """Write x'(λ) and the shortfall; return the value of the dual."""
    width, value = len(clean), ZERO
    for j in range(width):
        point[j] = clean[j]
    for k in range(len(need)):
        if multiplier[k] != 0:
            add(point, multiplier[k], slopes[k])
    for j in range(width):
        point[j] = min(max(point[j], ZERO), ONE)
        value += (point[j] - clean[j]) * (point[j] - clean[j])
        move[j] = point[j] - image[j]
    value *= np.float32(0.5)
    for k in range(len(need)):
        shortfall[k] = need[k] - dot(slopes[k], move)
        value += multiplier[k] * shortfall[k]
    return value


@njit(cache=True, fastmath=SUMS)
def free_pixels(point, free):
    """Write 1 for pixels strictly inside the box, 0 for the others."""
    for j in range(len(point)):
        free[j] = ONE if ZERO < point[j] < ONE else ZERO


@njit(cache=True, fastmath=SUMS)
def gram_of(slopes, free, active, size, masked, gram):
    """Write the lower triangle of W D Wᵀ on the active rows; return its trace."""
    trace = ZERO
    for a in range(size):
        for j in range(len(free)):
            masked[j] = slopes[active[a], j] * free[j]
        for c in range(a + 1):
            gram[a, c] = dot(masked, slopes[active[c]])
        trace += gram[a, a]
    return trace


@njit(cache=True, fastmath=SUMS)
def newton_ascent(
    slopes, point, shortfall, active, size, ridge, free, masked, gram, ascent
):
    """Write Newton's step on the dual for the active rows; say whether there is one."""
    free_pixels(point, free)
    trace = gram_of(slopes, free, active, size, masked, gram)
    if trace <= np.float32(1e-12):
        free[:] = ONE
        trace = gram_of(slopes, free, active, size, masked, gram)
    for a in range(size):
        gram[a, a] += max(ridge * trace, np.float32(1e-20))
        ascent[a] = shortfall[active[a]]
    if not factorise(gram, size):
        return False
    substitute(gram, ascent, size)
    return True


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
def accuracy_and_cap(clean, image, slopes, need, kappa, limits, move):
    """Return the shortfall that will do, and the cap on the multipliers."""
    scale, flattest = np.float32(1e-6), np.float32(np.inf)
    for j in range(len(clean)):
        move[j] = image[j] - clean[j]
    for k in range(len(need)):
        scale = max(scale, abs(need[k] + dot(slopes[k], move)))
        flattest = min(flattest, dot(slopes[k], slopes[k]))
    length = np.sqrt(dot(move, move))
    steepness = max(np.sqrt(flattest), np.float32(1e-6))
    enough = min(limits.close * scale, np.float32(0.25) * kappa)
    return enough, limits.far * (length + np.float32(0.3)) / steepness


@njit(cache=True, fastmath=SUMS)
def project(clean, image, slopes, need, kappa, limits, multiplier, point, free):
    """Write the projection and its multipliers, starting from those given."""
    rows, width = len(need), len(clean)
    move, other = np.empty(width, np.float32), np.empty(width, np.float32)
    shortfall, short = np.empty(rows, np.float32), np.empty(rows, np.float32)
    ascent, trial = np.empty(rows, np.float32), np.empty(rows, np.float32)
    gram, active = np.empty((rows, rows), np.float32), np.empty(rows, np.int64)
    enough, cap = accuracy_and_cap(clean, image, slopes, need, kappa, limits, move)
    value = minimise_lagrangian(
        clean, image, slopes, need, multiplier, point, move, shortfall
    )
    for _ in range(limits.most_steps):
        size, gap = find_active(multiplier, shortfall, active)
        if gap <= enough or not newton_ascent(
            slopes,
            point,
            shortfall,
            active,
            size,
            limits.dual_ridge,
            free,
            move,
            gram,
            ascent,
        ):
            break
        share, better = ONE, False
        for _ in range(limits.most_cuts):
            trial[:] = multiplier
            for a in range(size):
                wish = multiplier[active[a]] + share * ascent[a]
                trial[active[a]] = min(max(wish, ZERO), cap)
            found = minimise_lagrangian(
                clean, image, slopes, need, trial, other, move, short
            )
            if found >= value - limits.rounding * abs(value) - np.float32(1e-9):
                better = True
                break
            share *= limits.cut
        if not better:
            break
        change, most = ZERO, ZERO
        for k in range(rows):
            change = max(change, abs(trial[k] - multiplier[k]))
            most = max(most, trial[k])
            multiplier[k], shortfall[k] = trial[k], short[k]
        value = found
        point[:] = other
        if change <= np.float32(1e-5) * most:
            break
    return np.max(multiplier) < cap


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
def inverse_times(vectors, steps, changes, newest, free, least):
    """Multiply the rows of ``vectors`` by the inverse that the pairs define.

    Returns:
        Whether there was any pair.
    """
    memory = len(steps)
    inverse = np.zeros(memory, np.float32)
    shares = np.empty((memory, len(vectors)), np.float32)
    masked, bent = np.empty_like(steps), np.empty_like(steps)
    for age in range(memory):
        i = (newest - age) % memory
        inverse[i] = damped(steps[i], changes[i], free, least, masked[i], bent[i])
        if inverse[i] > 0:
            for v in range(len(vectors)):
                shares[i, v] = dot(vectors[v], masked[i]) * inverse[i]
                add(vectors[v], -shares[i, v], bent[i])
    for age in range(memory - 1, -1, -1):
        i = (newest - age) % memory
        if inverse[i] > 0:
            for v in range(len(vectors)):
                back = dot(vectors[v], bent[i]) * inverse[i]
                add(vectors[v], shares[i, v] - back, masked[i])
    return np.max(inverse) > 0


@njit(cache=True, fastmath=SUMS)
def refine(gram, right, solution, size, limits):
    """Solve for the multipliers with a ridge, and refine; say whether it worked."""
    shifted, rest = np.empty((size, size), np.float32), np.empty(size, np.float32)
    trace = ZERO
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
    return np.min(solution) >= 0


@njit(cache=True, fastmath=SUMS)
def quasi_newton(
    clean,
    image,
    slopes,
    need,
    limits,
    point,
    multiplier,
    steps,
    changes,
    newest,
    free,
    step,
):
    """Write the step and its multipliers where it is to be taken, and say so."""
    rows, width = len(need), len(clean)
    active, size = np.empty(rows, np.int64), 0
    for k in range(rows):
        if multiplier[k] > 0:
            active[size] = k
            size += 1
    if size == 0:
        return False
    free_pixels(point, free)
    spread = np.empty((size + 1, width), np.float32)
    held, gram = np.empty(width, np.float32), np.empty((size, size), np.float32)
    right, solution = np.empty(size, np.float32), np.empty(size, np.float32)
    for j in range(width):
        held[j] = (point[j] - image[j]) * (ONE - free[j])
        spread[0, j] = (image[j] - clean[j]) * free[j]
    for a in range(size):
        for j in range(width):
            spread[a + 1, j] = slopes[active[a], j] * free[j]
    if not inverse_times(spread, steps, changes, newest, free, limits.least_curvature):
        return False
    for j in range(width):
        held[j] -= spread[0, j]
    for a in range(size):
        row = slopes[active[a]]
        right[a] = need[active[a]] - dot(row, held)
        solution[a] = multiplier[active[a]]
        for c in range(size):
            gram[a, c] = dot(row, spread[c + 1])
    if not refine(gram, right, solution, size, limits):
        return False
    for a in range(size):
        add(held, solution[a], spread[a + 1])
    if np.sqrt(dot(held, held)) >= limits.longest * distance(point, image) + np.float32(
        1e-3
    ):
        return False
    step[:] = held
    for a in range(size):
        multiplier[active[a]] = solution[a]
    return True


@njit(cache=True, fastmath=SUMS, nogil=True)
def solve(
    rows,
    clean,
    image,
    slopes,
    need,
    kappa,
    multiplier,
    steps,
    changes,
    newest,
    projected,
    step,
    limits,
):
    """Solve the sub-problem of some rows of a batch, in place.

    Arrays of images are the whole batch's; ``need``, ``kappa``, ``multiplier`` and
    ``newest`` have one entry for each of ``rows``.
    """
    free = np.empty(clean.shape[1], np.float32)
    for n in range(len(rows)):
        i, used = rows[n], 0
        while used < need.shape[1] and need[n, used] > -np.inf:
            used += 1
        weights, lengths = slopes[i, :used], need[n, :used]
        settled = project(
            clean[i],
            image[i],
            weights,
            lengths,
            kappa[n],
            limits,
            multiplier[n, :used],
            projected[i],
            free,
        )
        if not settled or not quasi_newton(
            clean[i],
            image[i],
            weights,
            lengths,
            limits,
            projected[i],
            multiplier[n, :used],
            steps[i],
            changes[i],
            newest[n],
            free,
            step[i],
        ):
            for j in range(len(free)):
                step[i, j] = projected[i, j] - image[i, j]


@njit(cache=True, fastmath=SUMS, nogil=True)
def combine(rows, slopes, weights, out):
    """Add the weighted slopes of some rows of a batch to ``out``."""
    for n in range(len(rows)):
        for k in range(weights.shape[1]):
            if weights[n, k] != 0:
                add(out[n], weights[n, k], slopes[rows[n], k])
