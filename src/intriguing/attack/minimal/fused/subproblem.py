"""`subproblem` of some slots, one after the other, compiled."""

from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused.curvature import Pairs, quasi_newton
from intriguing.attack.minimal.fused.projection import Piece, project
from intriguing.attack.vectors import (
    ENTRY,
    INNER,
    ONE,
    SUMS,
    ZERO,
    add,
    copy,
    distance,
    dot,
)


class Arrays(NamedTuple):
    """Fields of `live.Live` as the compiled functions see them.

    Those that hold one number a slot lie together in ``slot``, a record for each.
    """

    slot: np.ndarray
    rivals: np.ndarray
    clean: np.ndarray
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
def solve(slots, arrays, before, limits, space):
    """Complete the pairs of some slots, solve their sub-problems, and raise the price.

    ``before`` has the multipliers of the slopes that the last step left behind.
    """
    seats, width = arrays.slopes.shape[1:]
    slopes, used = space.slopes, space.used
    for i in slots:
        slot, size, total = arrays.slot[i], 0, ZERO
        for k in range(seats):
            if before[i, k] != 0:
                change = arrays.changes[i, slot.newest]
                add(change, -before[i, k], arrays.slopes[i, k])
            if arrays.gap[i, k] < np.inf:
                used[size] = k
                copy(slopes[size], arrays.slopes[i, k])
                space.need[size] = slot.kappa - arrays.gap[i, k]
                space.multiplier[size] = arrays.multiplier[i, k]
                size += 1
        need, multiplier = space.need[:size], space.multiplier[:size]
        clean, image, point = arrays.clean[i], arrays.image[i], arrays.projected[i]
        piece = Piece(clean, image, slopes[:size], need, slot.kappa)
        pairs = Pairs(arrays.steps[i], arrays.changes[i], slot.newest, slot.pairs)
        step = arrays.step[i]
        bent = project(piece, limits, multiplier, point, space)
        for k in range(size):  # across a kink there is no curvature
            bent &= used[k] < seats - limits.cuts or multiplier[k] <= 0
        if not bent or not quasi_newton(
            piece, limits, point, multiplier, pairs, space, step
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
        far = limits.farthest_from_images if slot.start > 0 else limits.farthest
        cap = far * max(slot.length, limits.shortest) * share
        length = max(np.sqrt(dot(trial, trial)), np.float32(1e-12))
        factor = min(share, cap / length)
        for j in range(len(trial)):
            trial[j] = min(max(image[j] + factor * trial[j], ZERO), ONE)
