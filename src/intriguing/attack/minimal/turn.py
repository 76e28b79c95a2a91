"""One turn: a point is tried for every image, and the next one prepared.

A turn is one forward pass of all slots and one backward pass of the gradients that it
calls for. Each image is in one of two phases, whatever the others are doing: it walks
towards its goal, or it follows the sequence of sub-problems.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.minimal import kinks, steps, subproblem, walk, workingset
from intriguing.attack.minimal.live import Live, bound_of_walks
from intriguing.attack.minimal.network import Network, Trace, difference
from intriguing.attack.minimal.problem import KNOWN
from intriguing.attack.state import copy_rows

PRICE = 1.1
"""Price of a missing margin in the merit, as a multiple of the multipliers' sum."""
FALL = 1e-3
"""Relative fall of the best length that counts as progress."""


def turn(live: Live, network: Network) -> None:
    """Try one point of every image, and prepare the next."""
    logits, trace = network.forward(live.trial)
    live.forwards += live.row >= 0
    live.taken += 1
    margins = workingset.margins_over(logits, live.goal, live.rivals)
    margin, length = margins.amin(1), (live.trial - live.clean).norm(dim=1)
    arrived, taken, refused = judge(live, margin, length)
    measure(live, arrived, logits)
    keep_best(live, margin, length)
    arrive(live, arrived, margins, length)
    before = depart(live, taken, margins, length, network.kinked)
    live.refusals.add_(1).mul_(refused)
    live.halvings.add_(1).mul_(refused)
    solving = (arrived | taken).nonzero()[:, 0]
    before = enlist(live, solving, before)
    cut = refused & steps.calls_for_cut(live.refusals, network.kinked)
    # One that is not violated at the trial point changes nothing there.
    cut = (cut & (margin < live.kappa)).nonzero()[:, 0]
    rival = margins[cut].argmin(1)
    slopes = slopes_at(live, network, trace, logits, solving, cut, rival)
    added = kinks.add_cuts(live, cut, rival, margins, slopes) if cut.numel() else cut
    higher = raise_kappa(live, taken, refused)
    repaired = torch.cat([added, higher[~torch.isin(higher, added)]])
    live.halvings[repaired] = (live.halvings[repaired] - 1).clamp_min(0)
    solve(live, solving, repaired, before)
    aim(live, (arrived | taken | refused).nonzero()[:, 0])


def judge(
    live: Live, margin: Float[Tensor, " b"], length: Float[Tensor, " b"]
) -> tuple[Bool[Tensor, " b"], Bool[Tensor, " b"], Bool[Tensor, " b"]]:
    """Return who arrives at a first iterate, whose step is taken, whose is refused."""
    reached, busy = margin > 0, live.row >= 0
    walked = live.walking & (reached | (live.taken > walk.MOST_STEPS))
    first = live.length.isinf() & ~live.walking
    solving = busy & ~live.walking & ~first
    now = live.margins.amin(1)
    before = steps.merit(live.length, now, live.price, live.kappa)
    after = steps.merit(length, margin, live.price, live.kappa)
    good = steps.accepted(before, after, live.length)
    return busy & (walked | first), solving & good, solving & ~good


def measure(
    live: Live, arrived: Bool[Tensor, " b"], logits: Float[Tensor, "b c"]
) -> None:
    """Take the scale of the margins where the first iterate is."""
    rows = arrived.nonzero()[:, 0]
    if rows.numel():
        span = logits[rows].amax(1) - logits[rows].amin(1)
        live.unit[rows], live.kappa[rows] = span, steps.KAPPA * span


def keep_best(
    live: Live, margin: Float[Tensor, " b"], length: Float[Tensor, " b"]
) -> None:
    """Keep trial points that are safely reached and shorter than any before.

    Images that were known before are believed to be.
    """
    given = (live.start == KNOWN) & live.best.isinf()
    safe = margin > steps.SAFE_MARGIN * live.unit.masked_fill(given, 0)
    safe &= live.unit > 0
    better = safe & (length < live.best)
    rows = better.nonzero()[:, 0]
    copy_rows(live.trial, live.best_image, rows)
    fallen = better & (length < (1 - FALL) * live.best)
    live.stale = torch.where(fallen, 0, live.stale + 1)
    live.best = torch.where(better, length, live.best)


def arrive(
    live: Live,
    arrived: Bool[Tensor, " b"],
    margins: Float[Tensor, "b c"],
    length: Float[Tensor, " b"],
) -> None:
    """Make first iterates of trial points, and go along with those who walk."""
    live.walking &= ~arrived
    live.taken.masked_fill_(arrived, 0)
    live.margins = torch.where(arrived[:, None], margins, live.margins)
    torch.where(arrived, length, live.length, out=live.length)
    moved = arrived | live.walking
    live.iterations += moved
    copy_rows(live.trial, live.image, moved.nonzero()[:, 0])


def depart(
    live: Live,
    taken: Bool[Tensor, " b"],
    margins: Float[Tensor, "b c"],
    length: Float[Tensor, " b"],
    kinked: bool,
) -> Float[Tensor, "b c"]:
    """Go to the trial points that are taken; return the multipliers left, by class.

    A class that only a cut stands for has none: its gradient at the iterate is unknown.
    """
    rows = taken.nonzero()[:, 0]
    weights, seats = live.multiplier[rows], live.classes[rows]
    own = weights.clone()
    own[:, live.own :] = 0
    listed = workingset.by_class(own, seats, margins.shape[1])
    whole = workingset.by_class(weights, seats, margins.shape[1])
    whole = whole.masked_fill(listed == 0, 0)
    share = whole / listed.clamp_min(1e-30)
    subproblem.leave(live, rows, own * share.gather(1, seats))
    kinks.keep_left_behind(live, rows, kinked)
    live.margins[rows], live.length[rows] = margins[rows], length[rows]
    live.iterations += taken
    return torch.zeros_like(margins).index_copy_(0, rows, whole)


def enlist(
    live: Live, rows: Int[Tensor, " n"], before: Float[Tensor, "b c"]
) -> Float[Tensor, "n k"]:
    """Choose the working set anew; return the multipliers left behind, by its seats."""
    margins, seats = live.margins[rows], live.classes[rows]
    gap, kept = live.gap[rows], live.multiplier[rows]
    total = workingset.by_class(kept, seats, margins.shape[1])
    floor = margins.gather(1, seats) - kinks.SLACK * live.unit[rows, None]
    valid = (kept > 0) & (gap >= floor) & gap.isfinite()
    valid[:, : live.own] = False
    gap, kept = gap.masked_fill(~valid, torch.inf), kept.masked_fill(~valid, 0)
    spare = total - workingset.by_class(kept, seats, margins.shape[1])
    share = live.residual[rows] / live.length[rows].clamp_min(1e-12)
    share = share.masked_fill(live.taken[rows] == 0, torch.inf)
    reach = workingset.reach_of(share, live.unit[rows])
    chosen, used = workingset.choose(margins, total, reach, live.own)
    seats[:, : live.own] = chosen
    gap[:, : live.own] = margins.gather(1, chosen).masked_fill(~used, torch.inf)
    kept[:, : live.own] = spare.gather(1, chosen).masked_fill(~used, 0)
    live.classes[rows], live.gap[rows], live.multiplier[rows] = seats, gap, kept
    left = before[rows].gather(1, seats).masked_fill(gap.isinf(), 0)
    left[:, live.own :] = 0
    return left


def slopes_at(
    live: Live,
    network: Network,
    trace: Trace,
    logits: Float[Tensor, "b c"],
    solving: Int[Tensor, " n"],
    cut: Int[Tensor, " m"],
    rival: Int[Tensor, " m"],
) -> Float[Tensor, "m d"]:
    """Compute all gradients that the turn needs, in one ragged backward pass.

    Slopes of the working sets go to their seats, those of walks into their next trial
    points, those of cuts are returned.
    """
    place, seat = live.gap[solving, : live.own].isfinite().nonzero(as_tuple=True)
    listed = solving[place]
    against = torch.cat([live.classes[listed, seat], rival])
    weights = difference(live.goal[torch.cat([listed, cut])], against, logits)
    walking = (live.walking & (live.row >= 0)).nonzero()[:, 0]
    odds, pull = walk.log_odds(
        logits[walking], live.goal[walking], live.rivals[walking]
    )
    every = torch.cat([listed, cut, walking])
    slopes = network.backward(trace, every, torch.cat([weights, pull]))
    live.backwards.index_add_(0, every, torch.ones_like(every))
    own, cuts, walks = slopes.split([len(listed), len(cut), len(walking)])
    live.slopes[listed, seat] = own
    if len(walking):
        live.trial[walking] = walk.next_point(
            live.image.index_select(0, walking),
            walk.missing(logits[walking], odds),
            walks,
            walk.longest_step(live.taken - 1, bound_of_walks(live))[walking],
        )
    return cuts


def raise_kappa(
    live: Live, taken: Bool[Tensor, " b"], refused: Bool[Tensor, " b"]
) -> Int[Tensor, " n"]:
    """Aim higher where iterates near the end keep falling short of the margin.

    The more often in a row, the higher. Returns refused rows that now aim higher.
    """
    margin = live.margins.amin(1)
    short = margin <= steps.SAFE_MARGIN * live.unit
    again = refused & short & (live.refusals == steps.RAISE_AFTER)
    near = live.residual < steps.NEAR * live.length
    counted = (taken & short & near) | again
    if not (counted | (live.missed > 0)).any():
        return again.nonzero()[:, 0]
    missed = torch.where(taken & ~counted, 0, live.missed)
    live.missed = torch.where(counted, live.missed + 1, missed)
    higher = steps.kappa_after(live.missed, margin, live.unit)
    torch.where(taken | again, higher, live.kappa, out=live.kappa)
    return again.nonzero()[:, 0]


def solve(
    live: Live,
    solving: Int[Tensor, " n"],
    repaired: Int[Tensor, " m"],
    before: Float[Tensor, "n k"],
) -> None:
    """Solve the new sub-problems, and raise the price of a missing margin."""
    rows = torch.cat([solving, repaired])
    none = before.new_zeros(len(repaired), before.shape[1])
    subproblem.solve(live, rows, torch.cat([before, none]))
    total = PRICE * live.multiplier[rows].sum(1)
    live.price[rows] = torch.maximum(live.price[rows], total)


def aim(live: Live, rows: Int[Tensor, " n"]) -> None:
    """Set the next trial points of some rows.

    A refused step is halved, and replaced by the projection's if that does not help.
    """
    halvings = live.halvings[rows]
    kinked = live.gap[rows, live.own :].isfinite().any(1)
    plain = steps.goes_straight(halvings, kinked)
    subproblem.aim(live, rows, 0.5**halvings, plain)
