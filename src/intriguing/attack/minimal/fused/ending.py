"""`ending` of one slot at a time, compiled."""

from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused.after import bound_of_walk
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


class Ends(NamedTuple):
    """Constants of the torch versions, and the accuracy asked for."""

    known: int
    most_refusals: int
    most_turns: int
    most_stale: int
    pruned_from: int
    idle: int
    tolerance: np.float32
    excess: np.float32
    safe: np.float32
    stale_within: np.float32
    falls_by: np.float32
    falls_by_excess: np.float32
    too_far: np.float32
    basin: np.float32
    tied: np.float32
    better: np.float32
    same: np.float32


class Tallied(NamedTuple):
    """Fields of `problem.Tally` that the end of a run enters."""

    image: np.ndarray
    length: np.ndarray
    hits: np.ndarray
    start: np.ndarray
    goal: np.ndarray
    pressure: np.ndarray
    tied: np.ndarray
    converged: np.ndarray
    iterations: np.ndarray
    forwards: np.ndarray
    backwards: np.ndarray


@njit(**INNER)
def has_converged(slot, margins, ends):
    """Say whether an iterate is stationary, and reached or hardly below the best."""
    small = slot.residual < ends.tolerance * slot.length + np.float32(1e-12)
    least = slot.length - slot.excess
    most = least + ends.excess * slot.length + np.float32(1e-6)
    here = slot.length < most and margins[lowest(margins)] > ends.safe * slot.unit
    return small and (here or (slot.best < most and slot.stale >= ends.idle))


@njit(**INNER)
def is_tired(slot, ends):
    """Say whether a run gets no further."""
    near = slot.best < ends.stale_within * slot.length
    idle = slot.stale > ends.most_stale and near
    over = slot.refusals > ends.most_refusals or slot.taken > ends.most_turns
    return idle or over


@njit(**INNER)
def is_above(slot, ends):
    """Say whether a run does not get below what is known."""
    saved = max(slot.excess, slot.residual * slot.residual / slot.length)
    fall = min(ends.falls_by * slot.residual, ends.falls_by_excess * saved)
    above = slot.length - fall > ends.same * slot.bound
    near = slot.residual < HALF * slot.length
    return above and near and slot.taken >= ends.pruned_from


@njit(**INNER)
def astray(i, arrays, ends):
    """Say whether a walk has gone so far that no minimum near it can be best."""
    bound = bound_of_walk(arrays.slot[i], arrays.rivals[i])
    if bound == np.inf:
        return False
    return distance(arrays.trial[i], arrays.clean[i]) > ends.too_far * bound


@njit(**INNER)
def back_again(i, arrays, tally, ends):
    """Say whether a run comes so close to the best image that it must end there."""
    slot = arrays.slot[i]
    if slot.bound == np.inf or slot.best < (ONE - ends.excess) * slot.bound:
        return False
    apart = distance(arrays.image[i], tally.image[slot.row])
    return apart < ends.basin * slot.length


@njit(**INNER)
def counted(hits, best, length, ends):
    """Return how often the best length is known after another run's."""
    if length < best * ends.better:
        return 1
    same = length <= best * ends.same and best < np.inf
    return hits + 1 if same else hits


@njit(**INNER)
def enter(i, arrays, tally, best, converged, ends, sums):
    """Enter the outcome of the run in a slot."""
    slot = arrays.slot[i]
    row = slot.row
    tally.iterations[row] += slot.iterations
    tally.forwards[row] += slot.forwards
    tally.backwards[row] += slot.backwards
    hits = counted(tally.hits[row], tally.length[row], best, ends)
    tally.hits[row] = 0 if slot.start == ends.known else hits
    if best < tally.length[row] * ends.better:
        tally.start[row] = slot.start
    if not best < tally.length[row]:
        return
    copy(tally.image[row], arrays.best_image[i])
    tally.goal[row] = slot.goal
    tally.length[row], tally.converged[row] = best, converged
    by_class(arrays.multiplier[i], arrays.classes[i], sums)
    largest, total, tied = ZERO, ZERO, 0
    for c in range(len(sums)):
        largest = max(largest, sums[c])
        total += sums[c]
    for c in range(len(sums)):
        tied += sums[c] > ends.tied * largest
    tally.tied[row], tally.pressure[row] = tied, total


@njit(**INNER)
def has_left_best(slot, ends):
    """Say whether a run was shorter than all known, and may go back there once."""
    return slot.returned == 0 and slot.best < ends.better * slot.bound


@njit(**INNER)
def go_back(i, arrays):
    """Begin anew at the shortest success of a run, but for the price."""
    slot, gap, multiplier = arrays.slot[i], arrays.gap[i], arrays.multiplier[i]
    for k in range(len(gap)):
        gap[k], multiplier[k] = INFINITE, ZERO
    slot.refusals = slot.halvings = ZERO
    slot.cuts = slot.missed = slot.pairs = slot.stale = 0
    slot.returned += 1
    slot.length = INFINITE
    copy(arrays.trial[i], arrays.best_image[i])


@njit(**INNER)
def finish_one(i, arrays, tally, ends, sums):
    """Enter the run of a slot if it has ended; say whether it has."""
    slot = arrays.slot[i]
    if slot.walking:
        if not astray(i, arrays, ends):
            return False
        enter(i, arrays, tally, slot.best, False, ends, sums)
        return True
    converged = has_converged(slot, arrays.margins[i], ends)
    again = back_again(i, arrays, tally, ends)
    if not (converged or again or is_tired(slot, ends) or is_above(slot, ends)):
        return False
    if not converged and has_left_best(slot, ends):
        go_back(i, arrays)
        return False
    best = min(slot.best, slot.bound) if again else slot.best
    converged |= again and tally.converged[slot.row]
    enter(i, arrays, tally, best, converged, ends, sums)
    return True


@njit(**ENTRY)
def finish(busy, arrays, tally, ends, over, space):
    """Enter the runs that have ended and vacate their slots.

    Args:
        busy: Slots with a run.
        arrays: All slots.
        tally: What is known.
        ends: Constants.
        over: Images whose run has ended, written.
        space: Room for what is computed on the way.

    Returns:
        How many these are.
    """
    count = 0
    sums = space.sums[5]
    for n in range(len(busy)):
        if finish_one(busy[n], arrays, tally, ends, sums):
            slot = arrays.slot[busy[n]]
            over[count] = slot.row
            slot.row = -1
            count += 1
    return count
