"""`turn` of one slot at a time, compiled by numba for the CPU.

A turn has two halves, `attempt` before the gradients are known and `complete` after:
between them is the one backward pass of the network. Functions have the names of those
of `turn`, `workingset` and `walk` that they stand for; a test asserts that both do the
same to every field of `live.Live`.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused import (
    ENTRY,
    HALF,
    INNER,
    ONE,
    SUMS,
    ZERO,
    copy,
    distance,
    dot,
    leave,
)

INFINITE = np.float32(np.inf)
ON_THE_WAY, ARRIVED, TAKEN, REFUSED = range(4)
"""Verdicts on a trial point: that of a walk or a crossing, a first iterate, a step."""


class Rules(NamedTuple):
    """Constants of the torch versions, as `fused.Limits`."""

    known: int
    cuts: int
    walk_steps: int
    halvings: int
    raise_after: int
    fall: np.float32
    safe: np.float32
    kappa: np.float32
    merit_slack: np.float32
    cuts_from: np.float32
    cuts_to: np.float32
    patience: np.float32
    at_a_kink: np.float32
    end_near: np.float32
    raised: np.float32
    largest_kappa: np.float32
    slack: np.float32
    near: np.float32
    per_step: np.float32
    farthest: np.float32
    noticeable: np.float32
    first: np.float32
    growth: np.float32
    within: np.float32
    log_odds: np.float32


class Asked(NamedTuple):
    """What the first half of a turn asks for, and lists of the second one.

    Attributes:
        rows: Points of the forward pass whose gradients are wanted, slot by slot.
        weights: Weights of the logits whose gradient it is.
        left: Multipliers of the slopes that are left behind, by seats.
        solving: Slots whose sub-problem is new.
        aiming: Slots that aim at their next point.
    """

    rows: np.ndarray
    weights: np.ndarray
    left: np.ndarray
    solving: np.ndarray
    aiming: np.ndarray


NOTES = {
    "asked": np.int64,
    "verdict": np.int64,
    "cut": np.int64,
    "plain": np.bool_,
    "margin": np.float32,
    "odds": np.float32,
}
"""What a slot's record holds beside `live.Live` from one half of a turn to the next:
gradients asked for, the verdict on the trial point, the rival that a cut is wanted for
or -1, whether the next step is the projection's, the margin and a walk's log odds."""


class Room(NamedTuple):
    """Room for one number a class, and one a seat."""

    margins: np.ndarray
    whole: np.ndarray
    total: np.ndarray
    spare: np.ndarray
    key: np.ndarray
    before: np.ndarray


@njit(**INNER)
def margins_over(logits, goal, rivals, margins):
    """Write the goal's margins, infinite over what is no rival; return the least."""
    least = INFINITE
    for c in range(len(logits)):
        margins[c] = logits[goal] - logits[c] if rivals[c] else INFINITE
        least = min(least, margins[c])
    return least


@njit(**INNER)
def lowest(values):
    """Return the place of the lowest value."""
    place = 0
    for k in range(1, len(values)):
        if values[k] < values[place]:
            place = k
    return place


@njit(**INNER)
def narrow(slot, margin):
    """Halve the segment on which a crossing is looked for."""
    share = HALF * (slot.low + slot.high)
    if margin > 0:
        slot.high = share
    else:
        slot.low = share


@njit(**INNER)
def merit(slot, length, margin):
    """Return half the squared distance plus the price of the missing margin."""
    return HALF * length * length + slot.price * max(slot.kappa - margin, ZERO)


@njit(**INNER)
def judge(slot, now, margin, length, rules):
    """Return the verdict on a trial point; ``now`` is the margin at the iterate."""
    if slot.walking:
        over = margin > 0 or slot.taken > rules.walk_steps
        return ARRIVED if over else ON_THE_WAY
    if slot.crossing:
        enough = rules.halvings if margin > 0 else 2 * rules.halvings + 1
        return ARRIVED if slot.taken >= enough else ON_THE_WAY
    if slot.length == np.inf:
        return ARRIVED
    before = merit(slot, slot.length, now)
    good = before + rules.merit_slack * (slot.length * slot.length)
    return TAKEN if merit(slot, length, margin) <= good else REFUSED


@njit(**INNER)
def measure(slot, logits, rules):
    """Take the scale of the margins where the first iterate is."""
    least = greatest = logits[0]
    for c in range(1, len(logits)):
        least, greatest = min(least, logits[c]), max(greatest, logits[c])
    slot.unit = greatest - least
    slot.kappa = rules.kappa * slot.unit


@njit(**INNER)
def keep_best(slot, trial, best_image, margin, length, rules):
    """Keep a trial point that is safely reached and shorter than any before."""
    given = slot.start == rules.known and slot.best == np.inf
    least = ZERO if given else rules.safe * slot.unit
    slot.stale += 1
    if margin > least and slot.unit > 0 and length < slot.best:
        if length < rules.fall * slot.best:
            slot.stale = 0
        slot.best = length
        copy(best_image, trial)


@njit(**INNER)
def by_class(values, seats, sums):
    """Write the sums over the seats of each class."""
    for c in range(len(sums)):
        sums[c] = ZERO
    for k in range(len(values)):
        sums[seats[k]] += values[k]


@njit(**INNER)
def depart(i, arrays, rules, room):
    """Go to the trial point; write the multipliers left, by class, to the room."""
    weights, seats = arrays.multiplier[i], arrays.classes[i]
    whole, share, before = room.whole, room.total, room.before
    own = len(weights) - rules.cuts
    by_class(weights[:own], seats[:own], share)
    by_class(weights, seats, whole)
    for c in range(len(whole)):
        if share[c] == 0:
            whole[c] = ZERO
        share[c] = whole[c] / max(share[c], np.float32(1e-30))
    for k in range(len(weights)):
        before[k] = weights[k] * share[seats[k]] if k < own else ZERO
    leave(i, arrays, before)


@njit(**INNER)
def settle(i, arrays, room):
    """Go to a first iterate, which leaves no multipliers."""
    copy(arrays.image[i], arrays.trial[i])
    for c in range(len(room.whole)):
        room.whole[c] = ZERO


@njit(**INNER)
def choose(margins, multiplier, reach, rules, key, seats):
    """Write the working set, without a multiplier in order of margins.

    Returns:
        How many seats are taken.
    """
    for c in range(len(margins)):
        key[c] = margins[c]
        if multiplier[c] > rules.noticeable:
            key[c] = min(margins[c], ZERO) - np.float32(1e4)
        elif multiplier[c] > 0:
            key[c] = margins[c] - np.float32(1e3)
    for k in range(len(seats)):
        seats[k] = lowest(key)
        if k > 0 and not key[seats[k]] < reach:
            return k
        key[seats[k]] = INFINITE
    return len(seats)


@njit(**INNER)
def enlist(i, arrays, rules, room, left):
    """Choose the working set anew; write the multipliers left, by its seats."""
    slot, margins, seats = arrays.slot[i], arrays.margins[i], arrays.classes[i]
    gap, kept, own = arrays.gap[i], arrays.multiplier[i], len(left) - rules.cuts
    total, spare = room.total, room.spare
    by_class(kept, seats, total)
    for k in range(len(gap)):
        floor = margins[seats[k]] - rules.slack * slot.unit
        valid = kept[k] > 0 and gap[k] >= floor and gap[k] < np.inf
        if k < own or not valid:
            gap[k], kept[k] = INFINITE, ZERO
    by_class(kept, seats, spare)
    share = INFINITE
    if slot.taken > 0:
        share = slot.residual / max(slot.length, np.float32(1e-12))
    reach = slot.unit * min(rules.near + rules.per_step * share, rules.farthest)
    used = choose(margins, total, reach, rules, room.key, seats[:own])
    for k in range(len(gap)):
        left[k] = ZERO
    for k in range(used):
        c = seats[k]
        gap[k], kept[k] = margins[c], total[c] - spare[c]
        left[k] = room.whole[c] if gap[k] < np.inf else ZERO


@njit(**INNER)
def log_odds(logits, goal, rivals, pull):
    """Return the goal's log odds against its rivals; write their slope."""
    largest, total = -INFINITE, ZERO
    for c in range(len(logits)):
        if rivals[c]:
            largest = max(largest, logits[c])
    for c in range(len(logits)):
        pull[c] = math.exp(logits[c] - largest) if rivals[c] else ZERO
        total += pull[c]
    for c in range(len(logits)):
        pull[c] /= -total
    pull[goal] = ONE
    return logits[goal] - (largest + math.log(total))


@njit(**INNER)
def difference(winner, loser, weights):
    """Write weights that give the winner's logit less the loser's."""
    for c in range(len(weights)):
        weights[c] = ZERO
    weights[winner], weights[loser] = ONE, -ONE


@njit(**INNER)
def ask(i, n, logits, arrays, asked, rules, place):
    """List the gradients that a slot needs, from a place on; return how many."""
    slot, gap, seats = arrays.slot[i], arrays.gap[i], arrays.classes[i]
    count = 0
    if slot.walking:
        pull = asked.weights[place]
        slot.odds = log_odds(logits, slot.goal, arrays.rivals[i], pull)
        count = 1
    elif slot.cut >= 0:
        difference(slot.goal, slot.cut, asked.weights[place])
        count = 1
    elif slot.verdict == ARRIVED or slot.verdict == TAKEN:
        for k in range(len(gap) - rules.cuts):
            if gap[k] < np.inf:
                difference(slot.goal, seats[k], asked.weights[place + count])
                count += 1
    for p in range(place, place + count):
        asked.rows[p] = n
    slot.backwards += count
    slot.asked = count
    return count


@njit(**INNER)
def look(i, logits, arrays, rules, margins):
    """Judge the trial point of a slot; write its margins."""
    slot = arrays.slot[i]
    slot.forwards += 1
    slot.taken += 1
    slot.margin = margins_over(logits, slot.goal, arrays.rivals[i], margins)
    length = distance(arrays.trial[i], arrays.clean[i])
    now = arrays.margins[i, lowest(arrays.margins[i])]
    if slot.crossing:
        narrow(slot, slot.margin)
    slot.verdict = judge(slot, now, slot.margin, length, rules)
    if slot.verdict == ARRIVED:
        measure(slot, logits, rules)
        slot.walking = slot.crossing = False
        slot.taken = 0
    keep_best(slot, arrays.trial[i], arrays.best_image[i], slot.margin, length, rules)
    refused = slot.verdict == REFUSED
    slot.refusals = slot.refusals + ONE if refused else ZERO
    slot.halvings = slot.halvings + ONE if refused else ZERO
    cut = rules.cuts_from <= slot.refusals <= rules.cuts_to
    slot.cut = lowest(margins) if cut else -1
    return length


@njit(**ENTRY)
def attempt(busy, logits, arrays, asked, rules):
    """Do a turn's first half in some slots; return how many gradients it calls for.

    Args:
        busy: The slots, one for each row of the logits.
        logits: Those of the trial points.
        arrays: All slots.
        asked: What is asked for, written.
        rules: Constants.
    """
    classes, seats = logits.shape[1], arrays.gap.shape[1]
    sums, place = np.empty((5, classes), np.float32), 0
    before = np.empty(seats, np.float32)
    room = Room(sums[0], sums[1], sums[2], sums[3], sums[4], before)
    for n in range(len(busy)):
        i = busy[n]
        slot = arrays.slot[i]
        length = look(i, logits[n], arrays, rules, room.margins)
        if slot.verdict == TAKEN:
            depart(i, arrays, rules, room)
        elif slot.verdict == ARRIVED or slot.walking:
            settle(i, arrays, room)
        if slot.verdict == TAKEN or slot.verdict == ARRIVED:
            copy(arrays.margins[i], room.margins)
            slot.length = length
            enlist(i, arrays, rules, room, asked.left[i])
        if slot.verdict != REFUSED and not slot.crossing:
            slot.iterations += 1
        place += ask(i, n, logits[n], arrays, asked, rules, place)
    return place


@njit(**INNER)
def bound_of_walk(slot, rivals):
    """Return what a walk must stay below: the best known, if another class gave it."""
    count = 0
    for c in range(len(rivals)):
        count += rivals[c]
    return INFINITE if count == len(rivals) - 1 else slot.bound


@njit(fastmath=SUMS, **INNER)
def next_point(slot, image, slope, bound, rules, trial):
    """Write the next point of a walk: up the slope, as far as the box lets it."""
    for j in range(len(slope)):
        low, high = image[j] <= 0 and slope[j] < 0, image[j] >= 1 and slope[j] > 0
        if low or high:
            slope[j] = ZERO
    steepness = max(np.sqrt(dot(slope, slope)), np.float32(1e-20))
    growth = ONE
    for _ in range(slot.taken - 1):
        growth *= rules.growth
    longest = min(rules.within * bound, rules.first) * growth
    share = min((rules.log_odds - slot.odds) / steepness, longest) / steepness
    for j in range(len(slope)):
        trial[j] = min(max(image[j] + share * slope[j], ZERO), ONE)


@njit(fastmath=SUMS, **INNER)
def between(clean, far, share, trial):
    """Write the point of a segment."""
    for j in range(len(trial)):
        trial[j] = clean[j] + share * (far[j] - clean[j])


@njit(fastmath=SUMS, **INNER)
def gain(slope, a, b):
    """Return what a gradient promises on the way from ``a`` to ``b``."""
    total = ZERO
    for j in range(len(slope)):
        total += slope[j] * (b[j] - a[j])
    return total


@njit(**INNER)
def add_cut(i, rival, margin, slope, arrays, rules):
    """Add the linearisation at a refused trial point; say whether it holds."""
    slot, seats = arrays.slot[i], arrays.gap.shape[1]
    gap = margin + gain(slope, arrays.trial[i], arrays.image[i])
    if not gap >= arrays.margins[i, rival] - rules.slack * slot.unit:
        return False
    seat = seats - 1 - slot.cuts % rules.cuts
    copy(arrays.slopes[i, seat], slope)
    arrays.classes[i, seat], arrays.gap[i, seat] = rival, gap
    arrays.multiplier[i, seat] = ZERO
    slot.cuts += 1
    return True


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
        repaired = add_cut(i, slot.cut, slot.margin, own[0], arrays, rules)
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
            bound = bound_of_walk(slot, arrays.rivals[i])
            next_point(slot, arrays.image[i], own[0], bound, rules, trial)
        elif slot.crossing:
            share = HALF * (slot.low + slot.high)
            between(arrays.clean[i], arrays.far[i], share, trial)
        else:
            if go_on(i, own, arrays, asked.left[i], rules):
                asked.solving[solving] = i
                solving += 1
            asked.aiming[aiming] = i
            aiming += 1
    return solving, aiming
