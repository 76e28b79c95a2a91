"""`workingset` of one image, compiled."""

from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.vectors import (
    INFINITE,
    INNER,
    ONE,
    ZERO,
    lowest,
)


class Rules(NamedTuple):
    """Constants of the torch versions of a turn, arguments as `projection.Limits`."""

    known: int
    cuts: int
    kept_from: int
    walk_steps: int
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
    kept_within: np.float32
    trace: np.float32
    first: np.float32
    growth: np.float32
    within: np.float32
    aim: np.float32


@njit(**INNER)
def margins_over(logits, goal, rivals, margins):
    """Write the goal's margins, infinite over what is no rival; return the least."""
    least = INFINITE
    for c in range(len(logits)):
        margins[c] = logits[goal] - logits[c] if rivals[c] else INFINITE
        least = min(least, margins[c])
    return least


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
def difference(winner, loser, weights):
    """Write weights that give the winner's logit less the loser's."""
    for c in range(len(weights)):
        weights[c] = ZERO
    weights[winner], weights[loser] = ONE, -ONE
