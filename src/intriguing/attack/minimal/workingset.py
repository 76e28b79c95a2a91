"""Which classes take part: more than half of the minima are corners where several tie.

The margin of a goal over a *rival* is the goal's logit less the rival's. A method that
linearises the strongest rival alone jumps from one to the other and stalls; so every
rival that has a multiplier or lies within reach of the next step is a constraint.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

MOST_CLASSES = 9
NEAR, PER_STEP, FARTHEST = 7e-3, 0.12, 0.07
"""A rival is within reach at a margin below NEAR plus PER_STEP times the last step, as
a share of the perturbation, and at most FARTHEST, all in units of the logits' span."""
NOTICEABLE = 1e-6
"""Smallest multiplier that keeps a class ahead of any other."""


def margins_over(
    logits: Float[Tensor, "n c"], goal: Int[Tensor, " n"], rivals: Bool[Tensor, "n c"]
) -> Float[Tensor, "n c"]:
    """Return the goal's logit less each rival's, infinite for the other classes."""
    lead = logits.gather(1, goal[:, None]) - logits
    return lead.masked_fill(~rivals, torch.inf)


def reach_of(
    share: Float[Tensor, " n"], unit: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """Return the margin below which a rival matters, given the last step's share."""
    return unit * (NEAR + PER_STEP * share).clamp_max(FARTHEST)


def choose(
    margins: Float[Tensor, "n c"],
    multiplier: Float[Tensor, "n c"],
    reach: Float[Tensor, " n"],
    most: int,
) -> tuple[Int[Tensor, "n k"], Bool[Tensor, "n k"]]:
    """Return the working set, and which of its places are taken.

    Classes with a multiplier stay; the others come by their margin. Without that order
    equal keys would swap a binding class in and out for ever.
    """
    key = torch.where(multiplier > 0, margins - 1e3, margins)
    binding = multiplier > NOTICEABLE
    key = torch.where(binding, margins.clamp_max(0) - 1e4, key)
    lowest, classes = key.topk(most, 1, largest=False)
    used = lowest < reach[:, None]
    used[:, 0] = True
    return classes, used


def by_class(
    values: Float[Tensor, "n k"], seats: Int[Tensor, "n k"], classes: int
) -> Float[Tensor, "n c"]:
    """Return the sums over the seats of each class."""
    return values.new_zeros(len(values), classes).scatter_add_(1, seats, values)
