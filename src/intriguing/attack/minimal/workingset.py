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
) -> tuple[Int[Tensor, "n k"], Int[Tensor, " n"]]:
    """Return the working set and its size, its classes first in each row.

    Classes with a multiplier stay; the others come by their margin. Without that order
    equal keys would swap a binding class in and out for ever.
    """
    key = torch.where(multiplier > 0, margins - 1e3, margins)
    binding = multiplier > NOTICEABLE
    key = torch.where(binding, margins.clamp_max(0) - 1e4, key)
    lowest, classes = key.topk(most, 1, largest=False)
    used = lowest < reach[:, None]
    used[:, 0] = True
    return classes, used.sum(1)


def intruders(
    margins: Float[Tensor, "n c"], classes: Int[Tensor, "n k"], size: Int[Tensor, " n"]
) -> tuple[Int[Tensor, " n"], Bool[Tensor, " n"]]:
    """Return the strongest class outside each set, and whether it beats the goal."""
    place = torch.arange(classes.shape[1], device=classes.device)
    listed = torch.zeros_like(margins, dtype=torch.bool)
    listed.scatter_(1, classes, place < size[:, None])
    lowest, strongest = margins.masked_fill(listed, torch.inf).min(1)
    return strongest, lowest < 0
