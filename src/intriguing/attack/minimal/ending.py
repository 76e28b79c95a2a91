"""When a run ends, and what is kept of it."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.minimal.live import Live, bound_of_walks
from intriguing.attack.minimal.problem import KNOWN, Tally
from intriguing.attack.minimal.starts import SAME, counted
from intriguing.attack.minimal.steps import SAFE_MARGIN
from intriguing.attack.minimal.workingset import by_class
from intriguing.attack.state import copy_rows

MOST_REFUSALS, MOST_TURNS, MOST_STALE = 22, 240, 60
"""Refusals in a row, trials, and turns without progress after which a run ends."""
IDLE = 20
"""Turns without progress after which the best image counts, not only the iterate."""
STALE_WITHIN = 1.005
"""How close to the best the iterate must be for a lack of progress to count."""
PRUNED_FROM = 3
"""Trials after which a run is given up that will not come below the best."""
FALLS_BY, FALLS_BY_EXCESS = 0.5, 5.0
"""Most that a run is expected to fall yet: this share of its next step, and this
multiple of what that step is to save; far away the first says more, near the end the
second."""
TOO_FAR = 2.0
"""Multiple of the best at which a walk is given up; it overshoots by a third."""
BASIN = 0.1
"""Distance to the best image, as a share of the perturbation, at which a run is taken
to end in the same minimum."""
AFRESH = ("cuts", "missed", "pairs", "stale")
"""Counts of `Live` that begin anew where a run goes back to its shortest success."""
TIED = 1e-3
"""A rival ties with the goal if its multiplier exceeds this share of the largest."""


class Accuracy(NamedTuple):
    """When a run ends.

    Attributes:
        tolerance: Length of the projection's step, as a share of the perturbation's.
            The length found is second order in it.
        excess: Distance that the projection would still save, as such a share.
        memory: Curvature pairs kept.
    """

    tolerance: float = 1e-2
    excess: float = 7e-5
    memory: int = 8


def finish(live: Live, tally: Tally, accuracy: Accuracy) -> Int[Tensor, " n"]:
    """Enter the runs that have ended, vacate their slots, and return their images."""
    solving = (live.row >= 0) & ~live.walking
    converged = solving & has_converged(live, accuracy)
    again = torch.zeros_like(solving)
    over = converged | (solving & is_tired(live))
    if live.bound.isfinite().any():
        shorter = live.best < (1 - accuracy.excess) * live.bound
        again = back_again(live, tally, solving & live.bound.isfinite() & ~shorter)
        over |= again | (solving & is_above(live)) | astray(live)
    returns = solving & over & ~converged & has_left_best(live)
    go_back(live, returns.nonzero()[:, 0])
    best = torch.where(again, torch.minimum(live.best, live.bound), live.best)
    over = (over & ~returns).nonzero()[:, 0]
    if not over.numel():
        return over
    # One that comes back to a stationary point is hardly shorter, if at all.
    converged |= again & tally.converged[live.row.clamp_min(0)]
    enter(tally, live, over, best[over], converged[over])
    rows = live.row[over]
    live.row[over] = -1
    return rows


def has_converged(live: Live, accuracy: Accuracy) -> Bool[Tensor, " b"]:
    """Return which iterates are stationary, and reached or hardly below the best.

    On kinks iterates may fall short of the margin for ever, by hardly anything.
    """
    small = live.residual < accuracy.tolerance * live.length + 1e-12
    least = live.length - live.excess
    most = least + accuracy.excess * live.length + 1e-6
    here = (live.length < most) & (live.margins.amin(1) > SAFE_MARGIN * live.unit)
    return small & (here | ((live.best < most) & (live.stale >= IDLE)))


def is_tired(live: Live) -> Bool[Tensor, " b"]:
    """Return which runs get no further."""
    idle = (live.stale > MOST_STALE) & (live.best < STALE_WITHIN * live.length)
    return idle | (live.refusals > MOST_REFUSALS) | (live.taken > MOST_TURNS)


def is_above(live: Live) -> Bool[Tensor, " b"]:
    """Return which runs do not get below what is known."""
    saved = torch.maximum(live.excess, live.residual.square() / live.length)
    fall = torch.minimum(FALLS_BY * live.residual, FALLS_BY_EXCESS * saved)
    above = live.length - fall > (1 + SAME) * live.bound
    return above & (live.residual < 0.5 * live.length) & (live.taken >= PRUNED_FROM)


def astray(live: Live) -> Bool[Tensor, " b"]:
    """Return which walks have gone so far that no minimum near them can be best."""
    bound = bound_of_walks(live)
    rows = (live.walking & (live.row >= 0) & bound.isfinite()).nonzero()[:, 0]
    if not rows.numel():
        return torch.zeros_like(live.walking)
    length = (live.trial[rows] - live.clean[rows]).norm(dim=1)
    far = length > TOO_FAR * bound[rows]
    return torch.zeros_like(live.walking).index_copy_(0, rows, far)


def back_again(
    live: Live, tally: Tally, candidates: Bool[Tensor, " b"]
) -> Bool[Tensor, " b"]:
    """Return which runs come so close to the best image that they must end there.

    Candidates are those that are not already shorter than it.
    """
    rows = candidates.nonzero()[:, 0]
    if not rows.numel():
        return torch.zeros_like(candidates)
    best = tally.image.index_select(0, live.row[rows])
    apart = (live.image.index_select(0, rows) - best).norm(dim=1)
    close = apart < BASIN * live.length[rows]
    return torch.zeros_like(candidates).index_copy_(0, rows, close)


def has_left_best(live: Live) -> Bool[Tensor, " b"]:
    """Return which runs were shorter than all known, and may go back there once."""
    return (live.returned == 0) & (live.best < (1 - SAME) * live.bound)


def go_back(live: Live, rows: Int[Tensor, " n"]) -> None:
    """Begin anew at the shortest success of a run.

    The price of a missing margin was too low when that was left: the merit let the
    iterates fall short of the margin, and what they came to then is longer. The price
    learnt since is kept; curvature and cuts of other places are not.
    """
    if not rows.numel():
        return
    for name in ("multiplier", "refusals", "halvings", *AFRESH):
        getattr(live, name)[rows] = 0
    live.returned[rows] += 1
    live.gap[rows], live.length[rows] = torch.inf, torch.inf
    copy_rows(live.best_image, live.trial, rows)


def enter(
    tally: Tally,
    live: Live,
    over: Int[Tensor, " n"],
    best: Float[Tensor, " n"],
    converged: Bool[Tensor, " n"],
) -> None:
    """Enter the outcome of the runs in some slots; of each image there is at most one.

    Args:
        tally: What is known.
        live: The slots.
        over: Slots whose run has ended.
        best: Their best lengths.
        converged: Where they ended at a stationary point.
    """
    rows = live.row[over]
    tally.iterations[rows] += live.iterations[over]
    tally.forwards[rows] += live.forwards[over]
    tally.backwards[rows] += live.backwards[over]
    start = live.start[over]
    hits = counted(tally.hits[rows], tally.length[rows], best)
    # Not the known image: it may lie in a poor basin, which others then fall into.
    tally.hits[rows] = hits.masked_fill(start == KNOWN, 0)
    # A start wins by more than rounding: all are alike where there is one minimum.
    another = best < tally.length[rows] * (1 - SAME)
    tally.start[rows[another]] = start[another]
    better = best < tally.length[rows]
    rows, over = rows[better], over[better]
    multiplier = by_class(
        live.multiplier[over], live.classes[over], live.margins.shape[1]
    )
    tied = multiplier > TIED * multiplier.amax(1, keepdim=True)
    tally.image.index_copy_(0, rows, live.best_image.index_select(0, over))
    tally.goal[rows] = live.goal[over]
    tally.length[rows], tally.converged[rows] = best[better], converged[better]
    tally.tied[rows], tally.pressure[rows] = tied.sum(1), multiplier.sum(1)
