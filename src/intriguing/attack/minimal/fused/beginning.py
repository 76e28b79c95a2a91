"""`problem.next_runs` and `live.place`, one image at a time, compiled."""

from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.vectors import INFINITE, INNER, ONE, ZERO, copy


class Posed(NamedTuple):
    """Fields of `problem.Problem` and of its pool, and the hits that close an image.

    What is not given, of start images, known and smoothed ones, has no rows, and so it
    is with the points that smoothed networks lead to.
    """

    clean: np.ndarray
    wanted: np.ndarray
    goals: np.ndarray
    estimate: np.ndarray
    starts: int
    hits: int
    images: np.ndarray
    first: np.ndarray
    count: np.ndarray
    seed: np.ndarray
    known: np.ndarray
    known_goal: np.ndarray
    lead: np.ndarray
    smooth: np.ndarray
    smooth_goal: np.ndarray


class Begun(NamedTuple):
    """Fields of `problem.Tally` that say which run is next."""

    length: np.ndarray
    begun: np.ndarray
    hits: np.ndarray
    goal: np.ndarray


class Beginnings(NamedTuple):
    """Constants of the torch versions."""

    known: int
    smoothed: int
    unled: int
    share: np.float32
    trusted: np.float32
    doubtful: np.float32


@njit(**INNER)
def worthwhile(estimate, first, best, beginnings):
    """Say whether a class may still come below the best known."""
    off = best / max(first, np.float32(1e-12))
    doubt = max(off, ONE / max(off, np.float32(1e-12)))
    doubt = min(beginnings.trusted * doubt * doubt, beginnings.doubtful)
    return estimate < doubt * min(best, first)


@njit(**INNER)
def unled_walks(row, posed, begun):
    """Return 1 where the walk to the best class was led, so that another may not be."""
    led = len(posed.lead) > 0 and begun.goal[row] == posed.goals[row, 0]
    return 1 if led else 0


@njit(**INNER)
def next_number(row, posed, begun, beginnings):
    """Return which run of an image is next, and whether there is one.

    They are numbered as in `problem.runs_of`.
    """
    first = 1 if len(posed.known) else 0
    classes, number = posed.goals.shape[1], begun.begun[row] - first
    if posed.starts == 1 and 1 <= number < classes:
        estimate, best = posed.estimate[row], begun.length[row]
        if not worthwhile(estimate[number], estimate[0], best, beginnings):
            number = classes
    wanted = 0
    for c in range(posed.wanted.shape[1]):
        wanted += posed.wanted[row, c]
    if wanted <= number < classes:
        number = classes
    smooth = 1 if len(posed.smooth) else 0
    others = 0
    if begun.hits[row] < posed.hits:
        others = smooth
        if len(posed.images):
            more = unled_walks(row, posed, begun) + posed.count[begun.goal[row]]
            others += min(more, posed.starts - 1 - smooth)
    more = number < classes + others
    begun.begun[row] = number + first + more
    return number, more


@njit(**INNER)
def place(i, row, number, posed, begun, beginnings, arrays):
    """Begin a run of an image in a slot."""
    slot, classes = arrays.slot[i], posed.goals.shape[1]
    slot.row, slot.bound = row, begun.length[row]
    slot.goal = posed.goals[row, min(max(number, 0), classes - 1)]
    unled = unled_walks(row, posed, begun)
    images = classes + (1 if len(posed.smooth) else 0) + unled
    slot.start = max(number - images + 1, 0)
    slot.walking = 0 <= number < classes
    clean, trial = posed.clean[row], arrays.trial[i]
    copy(arrays.clean[i], clean)
    copy(trial, clean)
    if number == 0 and len(posed.lead):
        copy(trial, posed.lead[row])
    if number < 0:
        slot.goal, slot.start = posed.known_goal[row], beginnings.known
        copy(trial, posed.known[row])
    elif number >= classes and unled and number == images - 1:
        slot.goal, slot.start = begun.goal[row], beginnings.unled
        slot.walking = True
    elif classes <= number < images:
        slot.goal, slot.start = posed.smooth_goal[row], beginnings.smoothed
        copy(trial, posed.smooth[row])
    elif number >= images:
        slot.goal = begun.goal[row]
        nth = (posed.seed[row] + number - images) % posed.count[slot.goal]
        far = posed.images[posed.first[slot.goal] + nth]
        rest = ONE - beginnings.share
        for j in range(len(trial)):
            trial[j] = far[j] - (far[j] - clean[j]) * rest
    for c in range(posed.wanted.shape[1]):
        arrays.rivals[i, c] = not posed.wanted[row, c]
    for k in range(arrays.gap.shape[1]):
        arrays.gap[i, k], arrays.multiplier[i, k] = INFINITE, ZERO
    slot.length = slot.best = INFINITE
    slot.unit = slot.price = slot.kappa = slot.residual = slot.excess = ZERO
    slot.refusals = slot.halvings = ZERO
    slot.cuts = slot.missed = slot.newest = slot.pairs = slot.taken = 0
    slot.stale = slot.returned = 0
    slot.iterations = slot.forwards = slot.backwards = 0


@njit(**INNER)
def refill(arrays, posed, begun, beginnings, waiting, count):
    """Begin the next runs of waiting images in vacant slots.

    Args:
        arrays: All slots.
        posed: What is given.
        begun: What is known; runs that begin are entered.
        beginnings: Constants.
        waiting: Images that wait, the next one last.
        count: How many these are.

    Returns:
        How many are left.
    """
    for i in range(len(arrays.slot)):
        while arrays.slot[i].row < 0 and count > 0:
            count -= 1
            row = waiting[count]
            number, more = next_number(row, posed, begun, beginnings)
            if more:
                place(i, row, number, posed, begun, beginnings, arrays)
    return count
