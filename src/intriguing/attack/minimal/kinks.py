"""Cuts: what holds an iterate on a kink of the margin, where a minimum may be.

A *cut* is a linearisation elsewhere, as at a refused trial point. Where the margin has
a kink, as with ReLU, the gradient at the iterate knows one side of it and the cut the
other; both together hold the iterate there.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intriguing.attack.minimal.live import Live

CUTS, CUTS_OF_LAYERS = 64, 16
"""Seats for cuts, and those that do for a stack of linear maps and functions of single
values. Behind max-pooling dozens of kinks meet."""
KEPT_FROM = 3
"""Cuts of a run from which on the gradients that a step leaves behind become cuts too.
Sooner, smooth margins would be taken for kinked ones and hold up the descent."""
KEPT_WITHIN = 0.1
"""In a network that is known to have kinks they do from the first step that is no
longer than this share of the perturbation. From farther away the lines say too little
of margins that are not concave, and lead to worse minima."""
TRACE = 1e-9
"""Multiplier of a new cut of that kind: one with none is dropped."""
SLACK = 1e-6
"""By how much a cut may lie below the margin itself, in units of the logits' span."""


def add_cuts(
    live: Live,
    rows: Int[Tensor, " n"],
    rival: Int[Tensor, " n"],
    margins: Float[Tensor, "b c"],
    slopes: Float[Tensor, "n d"],
) -> Int[Tensor, " m"]:
    """Add linearisations at refused trial points; return the rows where they hold.

    One that puts the margin of the iterate below what it is says nothing about it. One
    that the projection satisfies does not move it, and the same trial would follow.
    """
    way = live.image.index_select(0, rows) - live.trial.index_select(0, rows)
    back = torch.linalg.vecdot(slopes, way)
    gap = margins[rows, rival] + back
    holds = gap >= live.margins[rows, rival] - SLACK * live.unit[rows]
    way = live.projected.index_select(0, rows) - live.image.index_select(0, rows)
    holds &= gap + torch.linalg.vecdot(slopes, way) < live.kappa[rows]
    rows = rows[holds]
    seat_cuts(live, rows, rival[holds], gap[holds], slopes[holds], 0.0)
    return rows


def seat_cuts(
    live: Live,
    rows: Int[Tensor, " n"],
    rival: Int[Tensor, " n"],
    gap: Float[Tensor, " n"],
    slopes: Float[Tensor, "n d"],
    multiplier: float,
) -> None:
    """Give a seat to a cut of each row."""
    taken = live.gap[rows, live.own :], live.multiplier[rows, live.own :]
    seat = live.own + free_seat(*taken, live.cuts[rows])
    live.slopes[rows, seat] = slopes
    live.classes[rows, seat], live.gap[rows, seat] = rival, gap
    live.multiplier[rows, seat] = multiplier
    live.cuts[rows] += 1


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


def keep_left_behind(live: Live, rows: Int[Tensor, " n"], kinked: bool) -> None:
    """Make cuts of the gradients that a step leaves behind, where there are kinks.

    Args:
        live: The slots, still at the iterates that are left.
        rows: Slots that leave theirs.
        kinked: Whether the network is known to have kinks.
    """
    found = live.cuts[rows] >= KEPT_FROM
    if kinked:
        found |= live.residual[rows] < KEPT_WITHIN * live.length[rows]
    rows = rows[found]
    for k in range(live.own if rows.numel() else 0):
        binds = live.gap[rows, k].isfinite() & (live.multiplier[rows, k] > 0)
        some = rows[binds]
        left = (live.classes[some, k], live.gap[some, k], live.slopes[some, k])
        seat_cuts(live, some, *left, TRACE)
