"""Second half of a turn: what the gradients are used for, up to the sub-problems."""

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused.before import REFUSED, TAKEN
from intriguing.attack.minimal.fused.kinks import add_cut
from intriguing.attack.vectors import (
    ENTRY,
    INFINITE,
    INNER,
    ONE,
    SUMS,
    ZERO,
    copy,
    dot,
    lowest,
)


@njit(**INNER)
def bound_of_walk(slot, rivals):
    """Return what a walk must stay below: the best known, if another class gave it."""
    count = 0
    for c in range(len(rivals)):
        count += rivals[c]
    return INFINITE if count == len(rivals) - 1 else slot.bound


@njit(**INNER)
def longest_step(slot, bound, rules):
    """Return the length that the next step of a walk has at most."""
    growth = ONE
    for _ in range(slot.taken - 1):
        growth *= rules.growth
    return min(rules.within * bound, rules.first) * growth


@njit(fastmath=SUMS, **INNER)
def next_point(image, short, slope, longest, trial):
    """Write the next point of a walk: up the slope, as far as the box lets it."""
    for j in range(len(slope)):
        low, high = image[j] <= 0 and slope[j] < 0, image[j] >= 1 and slope[j] > 0
        if low or high:
            slope[j] = ZERO
    steepness = max(np.sqrt(dot(slope, slope)), np.float32(1e-20))
    share = min(short / steepness, longest) / steepness
    for j in range(len(slope)):
        trial[j] = min(max(image[j] + share * slope[j], ZERO), ONE)


@njit(**INNER)
def kappa_after(slot, margin, rules):
    """Return the margin to aim at after some misses in a row."""
    least = rules.kappa * slot.unit
    if slot.missed == 0:
        return least
    factor = np.float32(2.0**slot.missed)
    higher = least - rules.raised * factor * min(margin, ZERO)
    higher = max(higher, factor * least)
    return min(higher, rules.largest_kappa * slot.unit)


@njit(**INNER)
def raise_kappa(slot, margin, taken, rules):
    """Aim higher where the margin is missed; say whether at a refused point.

    ``margin`` is that of the iterate.
    """
    short = margin <= rules.safe * slot.unit
    again = not taken and short and slot.refusals == rules.raise_after
    near = slot.residual < rules.end_near * slot.length
    if again or (taken and short and near):
        slot.missed += 1
    elif taken:
        slot.missed = 0
    if taken or again:
        slot.kappa = kappa_after(slot, margin, rules)
    return again


@njit(**INNER)
def goes_straight(slot, gap, rules):
    """Say whether the projection's direction is taken instead of the curved step."""
    kinked = False
    for k in range(len(gap) - rules.cuts, len(gap)):
        kinked |= gap[k] < np.inf
    return slot.halvings >= (rules.at_a_kink if kinked else rules.patience)


@njit(**INNER)
def write_slopes(i, own, arrays):
    """Write the gradients of the working set to their seats."""
    place = 0
    for k in range(arrays.gap.shape[1]):
        if place < len(own) and arrays.gap[i, k] < np.inf:
            copy(arrays.slopes[i, k], own[place])
            place += 1


@njit(**INNER)
def repair(i, own, arrays, left, rules):
    """Answer a refusal; say whether the sub-problem has changed."""
    slot, repaired = arrays.slot[i], False
    if slot.cut >= 0:
        repaired = add_cut(i, slot.cut, slot.margin, own, arrays, rules)
    margin = arrays.margins[i, lowest(arrays.margins[i])]
    repaired |= raise_kappa(slot, margin, False, rules)
    if repaired:
        slot.halvings = max(slot.halvings - ONE, ZERO)
        for k in range(len(left)):
            left[k] = ZERO
    return repaired


@njit(**INNER)
def go_on(i, own, arrays, left, rules):
    """Take note of a slot's gradients, and say whether its sub-problem is new."""
    slot, new = arrays.slot[i], True
    if slot.verdict == REFUSED:
        new = repair(i, own, arrays, left, rules)
    else:
        write_slopes(i, own, arrays)
    if slot.verdict == TAKEN:
        margin = arrays.margins[i, lowest(arrays.margins[i])]
        raise_kappa(slot, margin, True, rules)
    slot.plain = goes_straight(slot, arrays.gap[i], rules)
    return new


@njit(**ENTRY)
def complete(busy, slopes, arrays, asked, rules):
    """Do a turn's second half in some slots, up to the sub-problems.

    Args:
        busy: The slots.
        slopes: Gradients that the first half called for.
        arrays: All slots.
        asked: What the first half asked for; lists are written.
        rules: Constants.

    Returns:
        How many slots have a new sub-problem, and how many are to aim.
    """
    place = solving = aiming = 0
    for i in busy:
        slot, trial = arrays.slot[i], arrays.trial[i]
        own = slopes[place : place + slot.asked]
        place += slot.asked
        if slot.walking:
            longest = longest_step(slot, bound_of_walk(slot, arrays.rivals[i]), rules)
            next_point(arrays.image[i], slot.short, own[0], longest, trial)
        else:
            if go_on(i, own, arrays, asked.left[i], rules):
                asked.solving[solving] = i
                solving += 1
            asked.aiming[aiming] = i
            aiming += 1
    return solving, aiming
