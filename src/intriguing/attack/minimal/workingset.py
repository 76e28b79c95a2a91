"""Which classes take part: more than half of the minima are corners where several tie.

The margin of a goal over a *rival* is the goal's logit less the rival's. A method that
linearises the strongest rival alone jumps from one to the other and stalls; so every
rival that has a multiplier or lies within reach of the next step is a constraint.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

MOST_CLASSES = 9
CUTS, CUTS_OF_LAYERS = 64, 16
"""Seats for cuts, and those that do for a stack of linear maps and functions of single
values. A cut is a linearisation elsewhere, as at a refused trial point. Where the
margin has a kink, as with ReLU, the gradient at the iterate knows one side of it and
the cut the other; both together hold the iterate on the kink, where a minimum may be.
Behind max-pooling dozens of kinks meet."""
KEPT_FROM = 3
"""Cuts of a run from which on the gradients that a step leaves behind become cuts too.
Sooner, smooth margins would be taken for kinked ones and hold up the descent."""
KEPT_WITHIN = 0.1
"""In a network that is known to have kinks they do from the first step that is no
longer than this share of the perturbation. From farther away the lines say too little
of margins that are not concave, and lead to worse minima."""
TRACE = 1e-9
"""Multiplier of a new cut of that kind: one with none is dropped."""
NEAR, PER_STEP, FARTHEST = 7e-3, 0.12, 0.07
"""A rival is within reach at a margin below NEAR plus PER_STEP times the last step, as
a share of the perturbation, and at most FARTHEST, all in units of the logits' span."""
NOTICEABLE = 1e-6
"""Smallest multiplier that keeps a class ahead of any other."""


SLACK = 1e-6
"""By how much a cut may lie below the margin itself, in units of the logits' span."""


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


def free_seat(
    gap: Float[Tensor, "n k"], multiplier: Float[Tensor, "n k"], made: Int[Tensor, " n"]
) -> Int[Tensor, " n"]:
    """Return the seat of the next cut: one that is free, or at least does not bind.

    Args:
        gap: Linearised margins of the cuts' seats, infinite where none sits.
        multiplier: Their multipliers.
        made: Cuts made so far; where all seats bind they are taken in turn.
    """
    worth = torch.where(gap.isinf(), 2, (multiplier == 0).to(torch.int64))
    best, first = worth.max(1).values, worth.argmax(1)
    seats = gap.shape[1]
    return torch.where(best > 0, first, seats - 1 - made % seats)
