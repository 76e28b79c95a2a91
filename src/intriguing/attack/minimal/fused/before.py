"""First half of a turn: trial points are judged, and gradients asked for."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused.kinks import keep_left_behind
from intriguing.attack.minimal.fused.subproblem import leave
from intriguing.attack.minimal.fused.workingset import (
    choose,
    difference,
    margins_over,
)
from intriguing.attack.vectors import (
    ENTRY,
    HALF,
    INFINITE,
    INNER,
    ONE,
    ZERO,
    by_class,
    copy,
    distance,
    lowest,
)

ON_THE_WAY, ARRIVED, TAKEN, REFUSED = range(4)
"""Verdicts on a trial point: that of a walk, a first iterate, a step."""

NOTES = {
    "asked": np.int64,
    "verdict": np.int64,
    "cut": np.int64,
    "plain": np.bool_,
    "margin": np.float32,
    "short": np.float32,
}
"""What a slot's record holds beside `live.Live` from one half of a turn to the next:
gradients asked for, the verdict on the trial point, the rival that a cut is wanted for
or -1, whether the next step is the projection's, the margin, and the log odds that a
walk is short of."""


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


class Room(NamedTuple):
    """Room for one number a class, and one a seat."""

    margins: np.ndarray
    whole: np.ndarray
    total: np.ndarray
    spare: np.ndarray
    key: np.ndarray
    before: np.ndarray


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
    if slot.length == np.inf:
        return ARRIVED
    before = merit(slot, slot.length, now)
    good = before + rules.merit_slack * (slot.length * slot.length)
    return TAKEN if merit(slot, length, margin) <= good else REFUSED


@njit(**INNER)
def span(logits):
    """Return how far the logits lie apart."""
    least = greatest = logits[0]
    for c in range(1, len(logits)):
        least, greatest = min(least, logits[c]), max(greatest, logits[c])
    return greatest - least


@njit(**INNER)
def measure(slot, logits, rules):
    """Take the scale of the margins where the first iterate is."""
    slot.unit = span(logits)
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
def missing(logits, odds, rules):
    """Return by how much log odds fall short of those that a walk aims at."""
    return rules.aim * span(logits) - odds


@njit(**INNER)
def ask(i, n, logits, arrays, asked, rules, place):
    """List the gradients that a slot needs, from a place on; return how many."""
    slot, gap, seats = arrays.slot[i], arrays.gap[i], arrays.classes[i]
    count = 0
    if slot.walking:
        pull = asked.weights[place]
        odds = log_odds(logits, slot.goal, arrays.rivals[i], pull)
        slot.short = missing(logits, odds, rules)
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
    slot.verdict = judge(slot, now, slot.margin, length, rules)
    if slot.verdict == ARRIVED:
        measure(slot, logits, rules)
        slot.walking = False
        slot.taken = 0
    keep_best(slot, arrays.trial[i], arrays.best_image[i], slot.margin, length, rules)
    refused = slot.verdict == REFUSED
    slot.refusals = slot.refusals + ONE if refused else ZERO
    slot.halvings = slot.halvings + ONE if refused else ZERO
    cut = rules.cuts_from <= slot.refusals <= rules.cuts_to
    violated = slot.margin < slot.kappa
    slot.cut = lowest(margins) if cut and violated else -1
    return length


@njit(**ENTRY)
def attempt(busy, logits, arrays, asked, rules, space):
    """Do a turn's first half in some slots; return how many gradients it calls for.

    Args:
        busy: The slots, one for each row of the logits.
        logits: Those of the trial points.
        arrays: All slots.
        asked: What is asked for, written.
        rules: Constants.
        space: Room for what is computed on the way.
    """
    sums, place = space.sums, 0
    room = Room(sums[0], sums[1], sums[2], sums[3], sums[4], space.before)
    for n in range(len(busy)):
        i = busy[n]
        slot = arrays.slot[i]
        length = look(i, logits[n], arrays, rules, room.margins)
        if slot.verdict == TAKEN:
            depart(i, arrays, rules, room)
            keep_left_behind(i, arrays, rules)
        elif slot.verdict == ARRIVED or slot.walking:
            settle(i, arrays, room)
        if slot.verdict == TAKEN or slot.verdict == ARRIVED:
            copy(arrays.margins[i], room.margins)
            slot.length = length
            enlist(i, arrays, rules, room, asked.left[i])
        if slot.verdict != REFUSED:
            slot.iterations += 1
        place += ask(i, n, logits[n], arrays, asked, rules, place)
    return place
