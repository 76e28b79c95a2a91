"""The projection on linearised constraints and the box, one image at a time.

With the margins g and their gradients W at the iterate x, the sub-problem is

    minimise ‖x' - clean‖² / 2   subject to   g + W (x' - x) ≥ κ,   0 ≤ x' ≤ 1.

For given multipliers λ ≥ 0 of the constraints the Lagrangian has a closed minimiser,
x'(λ) = clip(clean + Wᵀλ, 0, 1), whatever the number of pixels. What remains is to
maximise the dual q(λ), a concave function of as many numbers as there are constraints.
Its gradient is the *shortfall* F = (κ - g) - W (x' - x), its generalised Hessian
-W D Wᵀ, with D picking the pixels that the box does not hold. That is semismooth
Newton's method; a line search on q makes it converge from anywhere.
"""

from typing import NamedTuple

import numpy as np

from intriguing.attack.compilation import sum_kernel
from intriguing.attack.minimal.constants import (
    DUAL_ACCURACY,
    DUAL_CUT,
    DUAL_RIDGE,
    DUAL_RIDGE_GROWTH,
    DUAL_ROUNDING,
    LARGEST_DUAL_RIDGE,
    MOST_DUAL_CUTS,
    MOST_DUAL_STEPS,
    MULTIPLIER_CAP,
)
from intriguing.attack.vectors import (
    HALF,
    ONE,
    ZERO,
    add_two_rows,
    copy,
    distance,
    dot_rows,
    factorise,
    gather,
    substitute,
)


class Subproblem(NamedTuple):
    """The sub-problem of one image.

    Attributes:
        clean: Image whose neighbourhood is searched.
        image: Point of linearisation.
        gradients: Gradients W of the margins.
        required: Margin still required of each, κ - g.
        target_margin: The target margin κ, the scale of an acceptable shortfall.
    """

    clean: np.ndarray
    image: np.ndarray
    gradients: np.ndarray
    required: np.ndarray
    target_margin: np.float32


@sum_kernel
def clipped_sum(base, gradients, factors, places, subproblem, point, move):
    """Write the base plus multiples of two gradients, clipped to the box.

    Returns:
        The squared distance from the clean image. The move from the iterate is written.
    """
    clean, image, square = subproblem.clean, subproblem.image, ZERO
    (a, b), (k, m) = factors, places
    for j in range(len(base)):
        value = base[j] + a * gradients[k, j] + b * gradients[m, j]
        inside = min(max(value, ZERO), ONE)
        square += (inside - clean[j]) * (inside - clean[j])
        move[j] = inside - image[j]
        point[j] = inside
    return square


@sum_kernel
def minimise_lagrangian(subproblem, multiplier, point, move, shortfall):
    """Write x'(λ) and the shortfall; return the value of the dual."""
    base, gradients, count = subproblem.clean, subproblem.gradients, 0
    a, b, k, m = ZERO, ZERO, 0, 0
    # Two gradients at a time; the last two go into the pass that clips, and mostly there
    # are no others.
    for c in range(len(multiplier)):
        if multiplier[c] == 0:
            continue
        if count % 2 == 0 and count > 0:
            if count == 2:
                copy(point, base)
                base = point
            add_two_rows(point, a, gradients, k, b, m)
            a = b = ZERO
        if count % 2 == 0:
            a, k = multiplier[c], c
        else:
            b, m = multiplier[c], c
        count += 1
    value = HALF * clipped_sum(base, gradients, (a, b), (k, m), subproblem, point, move)
    dot_rows(move, gradients, shortfall)
    for c in range(len(multiplier)):
        shortfall[c] = subproblem.required[c] - shortfall[c]
        value += multiplier[c] * shortfall[c]
    return value


@sum_kernel
def free_pixels(point, free):
    """Write 1 for pixels strictly inside the box, 0 for the others."""
    for j in range(len(point)):
        inside = (point[j] > ZERO) & (point[j] < ONE)
        free[j] = ONE if inside else ZERO


@sum_kernel
def masked_products(gradients, k, a, b, free):
    """Return the inner products of row ``k`` with two rows, over the free pixels."""
    one, other = ZERO, ZERO
    for j in range(len(free)):
        masked = gradients[k, j] * free[j]
        one += masked * gradients[a, j]
        other += masked * gradients[b, j]
    return one, other


@sum_kernel
def gram_of(gradients, free, active, size, gram):
    """Write the lower triangle of W D Wᵀ on the active rows; return its trace."""
    trace = ZERO
    for a in range(size):
        for c in range(0, a + 1, 2):
            d = min(c + 1, a)
            gram[a, c], gram[a, d] = masked_products(
                gradients, active[a], active[c], active[d], free
            )
        trace += gram[a, a]
    return trace


@sum_kernel
def bounded_newton(gram, right, multiplier, ascent, room):
    """Write Newton's step on the dual, stopped where multipliers would turn negative.

    Rows that would turn negative go to zero, and the others are solved for anew.
    Says whether there is such a step.
    """
    size = len(right)
    kept, places, factor, rest = room.kept, room.places, room.factor, room.system[1]
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


@sum_kernel
def newton_ascent(subproblem, point, now, active, ridge, room):
    """Write Newton's step on the dual for the active rows; say whether there is one."""
    free, gram, size = room.free, room.gram, len(active)
    multiplier, right = room.parts[0, :size], room.parts[1, :size]
    free_pixels(point, free)
    trace = gram_of(subproblem.gradients, free, active, size, gram)
    if trace <= np.float32(1e-12):  # the box holds every pixel: open it
        for j in range(len(free)):
            free[j] = ONE
        trace = gram_of(subproblem.gradients, free, active, size, gram)
    for a in range(size):
        gram[a, a] += max(ridge * trace, np.float32(1e-20))
    gather(multiplier, active, now[0])
    gather(right, active, now[1])
    return bounded_newton(gram, right, multiplier, room.ascent, room)


@sum_kernel
def find_active(multiplier, shortfall, active):
    """List the rows with a multiplier or a shortfall; return how many, and the gap."""
    size, gap = 0, ZERO
    for k in range(len(multiplier)):
        if multiplier[k] > 0 or shortfall[k] > 0:
            active[size] = k
            size += 1
            gap = max(gap, abs(shortfall[k]))
    return size, gap


@sum_kernel
def change_and_square(gradients, k, image, clean):
    """Return a linear function's change from clean image to iterate, and its square."""
    change, square = ZERO, ZERO
    for j in range(len(image)):
        change += gradients[k, j] * (image[j] - clean[j])
        square += gradients[k, j] * gradients[k, j]
    return change, square


@sum_kernel
def accuracy_and_cap(subproblem):
    """Return the shortfall that will do, and the cap on the multipliers."""
    scale, flattest, gradients = (
        np.float32(1e-6),
        np.float32(np.inf),
        subproblem.gradients,
    )
    for k in range(len(gradients)):
        change, square = change_and_square(
            gradients, k, subproblem.image, subproblem.clean
        )
        scale = max(scale, abs(subproblem.required[k] + change))
        flattest = min(flattest, square)
    length = distance(subproblem.image, subproblem.clean)
    steepness = max(np.sqrt(flattest), np.float32(1e-6))
    accuracy = min(DUAL_ACCURACY * scale, np.float32(0.25) * subproblem.target_margin)
    return accuracy, MULTIPLIER_CAP * (length + np.float32(0.3)) / steepness


@sum_kernel
def climb(subproblem, active, cap, value, now, there, room):
    """Take the longest of some steps that does not lower the dual.

    ``now`` and ``there`` hold multipliers and shortfall. Returns the new value of the
    dual, and whether there was such a step.
    """
    share = ONE
    for _ in range(MOST_DUAL_CUTS):
        copy(there[0], now[0])
        for a in range(len(active)):
            value_there = now[0, active[a]] + share * room.ascent[a]
            there[0, active[a]] = min(max(value_there, ZERO), cap)
        found = minimise_lagrangian(
            subproblem, there[0], room.other, room.move, there[1]
        )
        if found >= value - DUAL_ROUNDING * abs(value) - np.float32(1e-9):
            return found, True
        share *= DUAL_CUT
    return value, False


@sum_kernel
def has_changed(before, after):
    """Say whether multipliers have changed noticeably."""
    change, largest = ZERO, ZERO
    for k in range(len(before)):
        change = max(change, abs(after[k] - before[k]))
        largest = max(largest, after[k])
    return change > np.float32(1e-5) * largest


@sum_kernel
def project(subproblem, multiplier, point, room):
    """Write the projection and its multipliers; say whether these are below the cap."""
    rows = len(multiplier)
    now, there, active = room.dual[:2, :rows], room.dual[2:, :rows], room.active
    accuracy, cap = accuracy_and_cap(subproblem)
    copy(now[0], multiplier)
    value = minimise_lagrangian(subproblem, now[0], point, room.move, now[1])
    ridge = DUAL_RIDGE
    for _ in range(MOST_DUAL_STEPS):
        size, gap = find_active(now[0], now[1], active)
        if gap <= accuracy or ridge > LARGEST_DUAL_RIDGE:
            break
        better = newton_ascent(subproblem, point, now, active[:size], ridge, room)
        if better:
            value, better = climb(
                subproblem, active[:size], cap, value, now, there, room
            )
        if better:
            better = has_changed(now[0], there[0])
            now, there = there, now
            copy(point, room.other)
        if not better:
            ridge *= DUAL_RIDGE_GROWTH
    below = True
    for k in range(rows):
        multiplier[k] = now[0, k]
        below &= multiplier[k] < cap
    return below
