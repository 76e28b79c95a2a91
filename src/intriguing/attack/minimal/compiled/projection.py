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

import numpy as np

from intriguing.attack import vectors
from intriguing.attack.compilation import loop_kernel, sum_kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.vectors import HALF, INFINITE, ONE, ZERO


@sum_kernel
def minimise_lagrangian(subproblem, multiplier, point, move, shortfall):
    """Write x'(λ), the move from the iterate and the shortfall; return the dual."""
    # Taken from pixels themselves, the shortfall would be rounded by as much as κ.
    clean, image, value = subproblem.clean, subproblem.image, ZERO
    vectors.copy(point, clean)
    vectors.add_rows(point, multiplier, subproblem.gradients)
    for j in range(len(point)):
        point[j] = min(max(point[j], ZERO), ONE)
        move[j] = point[j] - image[j]
        value += HALF * (point[j] - clean[j]) * (point[j] - clean[j])
    vectors.dot_rows(move, subproblem.gradients, shortfall)
    for k in range(len(multiplier)):
        shortfall[k] = subproblem.required[k] - shortfall[k]
        value += multiplier[k] * shortfall[k]
    return value


@loop_kernel
def free_pixels(point, free):
    """Write 1 for pixels strictly inside the box, 0 for the others."""
    for j in range(len(point)):
        inside = (point[j] > ZERO) & (point[j] < ONE)
        free[j] = ONE if inside else ZERO


@loop_kernel
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
            rows = active[a], active[c], active[d]
            gram[a, c], gram[a, d] = masked_products(gradients, *rows, free)
        trace += gram[a, a]
    return trace


@sum_kernel
def bounded_newton(gram, right, multiplier, ascent, room):
    """Write Newton's step, which turns no multiplier negative; say if there is one."""
    # With nearly equal constraints, shortening the step instead does not do.
    size = len(right)
    kept, places, factor, rest = room.kept, room.places, room.factor, room.system[1]
    for a in range(size):
        kept[a] = True
    again = True
    while again:
        count, again = vectors.where_positive(kept[:size], places), False
        for p in range(count):
            rest[p] = right[places[p]]
            for a in range(size):
                if not kept[a]:
                    low, high = min(a, places[p]), max(a, places[p])
                    rest[p] += gram[high, low] * multiplier[a]
            for q in range(p + 1):
                factor[p, q] = gram[places[p], places[q]]
        if not vectors.factorise(factor, count):
            return False
        vectors.substitute(factor, rest, count)
        for p in range(count):
            a = places[p]
            ascent[a] = rest[p]
            if multiplier[a] + rest[p] < 0:
                kept[a], again = False, True
                ascent[a] = -multiplier[a]
    return True


@sum_kernel
def newton_ascent(subproblem, point, multiplier, shortfall, active, ridge, room):
    """Write Newton's step on the dual for the active rows; say whether there is one."""
    free, gram, size = room.free, room.gram, len(active)
    start, right = room.parts[0, :size], room.parts[1, :size]
    free_pixels(point, free)
    trace = gram_of(subproblem.gradients, free, active, size, gram)
    if trace <= np.float32(1e-12):  # the box holds every pixel: open it
        for j in range(len(free)):
            free[j] = ONE
        trace = gram_of(subproblem.gradients, free, active, size, gram)
    for a in range(size):
        gram[a, a] += max(ridge * trace, np.float32(1e-20))
    vectors.gather(start, active, multiplier)
    vectors.gather(right, active, shortfall)
    return bounded_newton(gram, right, start, room.ascent, room)


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
def accuracy_and_cap(subproblem):
    """Return the shortfall that will do, and the cap on the multipliers."""
    scale, least, gradients = np.float32(1e-6), INFINITE, subproblem.gradients
    clean, image = subproblem.clean, subproblem.image
    for k in range(len(gradients)):
        change = vectors.linear_change(gradients[k], clean, image)
        scale = max(scale, abs(subproblem.required[k] + change))
        least = min(least, vectors.dot(gradients[k], gradients[k]))
    norm = max(np.sqrt(least), np.float32(1e-6))
    accuracy = const.DUAL_ACCURACY * scale
    accuracy = min(accuracy, np.float32(0.25) * subproblem.target_margin)
    length = vectors.distance(image, clean)
    return accuracy, const.MULTIPLIER_CAP * (length + np.float32(0.3)) / norm


@sum_kernel
def climb(subproblem, active, cap, value, multiplier, there, shortfall, room):
    """Take the longest step that keeps the dual up; return the dual, and if any did."""
    share = ONE
    for _ in range(const.MOST_DUAL_CUTS):
        vectors.copy(there, multiplier)
        for a in range(len(active)):
            wish = multiplier[active[a]] + share * room.ascent[a]
            there[active[a]] = min(max(wish, ZERO), cap)
        found = minimise_lagrangian(subproblem, there, room.other, room.move, shortfall)
        if found >= value - const.DUAL_ROUNDING * abs(value) - np.float32(1e-9):
            return found, True
        share *= const.DUAL_CUT
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
    now, there, active = room.dual[0, :rows], room.dual[1, :rows], room.active
    short, short_there = room.dual[2, :rows], room.dual[3, :rows]
    accuracy, cap = accuracy_and_cap(subproblem)
    vectors.copy(now, multiplier)
    value = minimise_lagrangian(subproblem, now, point, room.move, short)
    ridge = const.DUAL_RIDGE
    for _ in range(const.MOST_DUAL_STEPS):
        size, gap = find_active(now, short, active)
        if gap <= accuracy or ridge > const.LARGEST_DUAL_RIDGE:
            break
        some = active[:size]
        better = newton_ascent(subproblem, point, now, short, some, ridge, room)
        if better:
            value, better = climb(
                subproblem, some, cap, value, now, there, short_there, room
            )
        if better:
            better = has_changed(now, there)
            now, there, short, short_there = there, now, short_there, short
            vectors.copy(point, room.other)
        if not better:
            ridge *= const.DUAL_RIDGE_GROWTH
    below = True
    for k in range(rows):
        multiplier[k] = now[k]
        below &= multiplier[k] < cap
    return below
