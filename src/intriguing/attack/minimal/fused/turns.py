"""The search in a fully connected network, compiled: no Python between the turns."""

from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused.after import complete, next_point
from intriguing.attack.minimal.fused.before import Asked, attempt, log_odds, missing
from intriguing.attack.minimal.fused.beginning import Beginnings, Begun, Posed, refill
from intriguing.attack.minimal.fused.dense import Dense, Passes, backward, forward
from intriguing.attack.minimal.fused.ending import Ends, Tallied, finish
from intriguing.attack.minimal.fused.projection import Limits
from intriguing.attack.minimal.fused.space import Space
from intriguing.attack.minimal.fused.subproblem import Arrays, aim, solve
from intriguing.attack.minimal.fused.workingset import Rules
from intriguing.attack.vectors import ENTRY, INNER


class Job(NamedTuple):
    """All that the search works on.

    Attributes:
        posed: What is given.
        dense: The network.
        passes: Room for its passes.
        arrays: The slots.
        asked: Room for what a turn asks for.
        space: Room for what is computed on the way.
        busy: Room for the slots that have an image.
        begun: What is known, as a beginning needs it.
        tallied: What is known, as an end enters it.
        waiting: Images whose next run waits, the next one last.
    """

    posed: Posed
    dense: Dense
    passes: Passes
    arrays: Arrays
    asked: Asked
    space: Space
    busy: np.ndarray
    begun: Begun
    tallied: Tallied
    waiting: np.ndarray


class Constants(NamedTuple):
    """Constants of all parts of a turn."""

    beginnings: Beginnings
    rules: Rules
    limits: Limits
    ends: Ends


@njit(**INNER)
def all_finite(values):
    """Say whether no number is NaN or infinite."""
    for n in range(values.shape[0]):
        for c in range(values.shape[1]):
            if not np.isfinite(values[n, c]):
                return False
    return True


@njit(**INNER)
def list_busy(slots, busy):
    """List the slots that have an image; return how many there are."""
    count = 0
    for i in range(len(slots)):
        if slots[i].row >= 0:
            busy[count] = i
            count += 1
    return count


@njit(**ENTRY)
def lead(job, dense, longest, constants):
    """Take a step in a smoothed network with every image that waits: `walk.led`.

    Args:
        job: What is worked on.
        dense: The smoothed network.
        longest: Most that the step may be.
        constants: Those of a turn.
    """
    posed, passes, asked, arrays = job.posed, job.passes, job.asked, job.arrays
    most, classes = len(arrays.slot), posed.wanted.shape[1]
    for begin in range(0, len(job.waiting), most):
        rows, count = job.waiting[begin : begin + most], 0
        forward(dense, posed.lead, rows, passes)
        for n in range(len(rows)):
            job.tallied.forwards[rows[n]] += 1
            for c in range(classes):
                arrays.rivals[n, c] = not posed.wanted[rows[n], c]
            logits = passes.values[n, passes.values.shape[1] - classes :]
            goal, pull = posed.goals[rows[n], 0], asked.weights[count]
            odds = log_odds(logits, goal, arrays.rivals[n], pull)
            if odds <= 0:
                arrays.slot[count].short = missing(logits, odds, constants.rules)
                asked.rows[count] = n
                count += 1
        backward(dense, asked.rows[:count], asked.weights[:count], passes)
        for p in range(count):
            row = rows[asked.rows[p]]
            image, short = posed.lead[row], arrays.slot[p].short
            next_point(image, short, passes.slopes[p], longest, image)
            job.tallied.backwards[row] += 1


@njit(**INNER)
def take_turn(busy, logits, job, constants, over):
    """Take the turn that follows a forward pass, and end runs.

    Returns:
        How many have ended; their images are written to ``over``.
    """
    arrays, asked, passes, space = job.arrays, job.asked, job.passes, job.space
    rules, limits = constants.rules, constants.limits
    count = attempt(busy, logits, arrays, asked, rules, space)
    backward(job.dense, asked.rows[:count], asked.weights[:count], passes)
    solving, aiming = complete(busy, passes.slopes, arrays, asked, rules)
    solve(asked.solving[:solving], arrays, asked.left, limits, space)
    aim(asked.aiming[:aiming], arrays, limits)
    return finish(busy, arrays, job.tallied, constants.ends, over, space)


@njit(**ENTRY)
def take_turns(job, constants, waiting, most):
    """Take turns, and let one run follow the other in the slots.

    Args:
        job: What is worked on.
        constants: Those of a turn.
        waiting: How many images wait.
        most: How many turns to take at most.

    Returns:
        How many images wait then, and whether all answers of the network are finite.
        When no slot has an image any more, nothing is left to be done.
    """
    slots, classes = job.arrays.slot, job.arrays.margins.shape[1]
    values, posed = job.passes.values, job.posed
    for _ in range(most):
        waiting = refill(
            job.arrays, posed, job.begun, constants.beginnings, job.waiting, waiting
        )
        busy = job.busy[: list_busy(slots, job.busy)]
        if len(busy) == 0:
            break
        forward(job.dense, job.arrays.trial, busy, job.passes)
        logits = values[: len(busy), values.shape[1] - classes :]
        if not all_finite(logits):
            return waiting, False
        over = job.waiting[waiting:]
        waiting += take_turn(busy, logits, job, constants, over)
    return waiting, True
