"""The search on the penalty's weight c, image by image.

The paper's text asks for the *minimum* c that succeeds. A small c makes perturbations
large, so the meaningful reading, which later work states, is the *largest* c whose
minimiser still has the wanted label. `docs/methods.md` discusses the readings.

A rule maps the bracket of each image to the next weight to try, NaN to stop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.attack.objective import Evaluation, Penalty, free_pixels

WIDER = 4.0
"""Factor from one weight to the next while the bracket has an open end."""
LIGHTEST, HEAVIEST = 1e-8, 1e8
"""Weights beyond which the search gives up."""


@dataclass
class Bracket:
    """What is known about the largest successful weight of each image.

    Attributes:
        success: Largest weight that succeeded, 0 if none has.
        failure: Smallest weight above it that failed, infinite if none has.
        success_margin: Margin of the minimiser at ``success``.
        failure_margin: Margin of the minimiser at ``failure``, not positive.
        success_length: Length of the perturbation there.
        failure_length: Length of the perturbation at ``failure``.
        excess: Estimated distance from the minimiser at ``success`` to the decision
            boundary, as a share of the perturbation's length.
        tried: Weights tried so far.
    """

    success: Float[Tensor, " n"]
    failure: Float[Tensor, " n"]
    success_margin: Float[Tensor, " n"]
    failure_margin: Float[Tensor, " n"]
    success_length: Float[Tensor, " n"]
    failure_length: Float[Tensor, " n"]
    excess: Float[Tensor, " n"]
    tried: Float[Tensor, " n"]

    @classmethod
    def unknown(cls, like: Float[Tensor, " n"]) -> "Bracket":
        """Return the bracket of images of which nothing is known."""
        zero = torch.zeros_like(like)
        return cls(zero, zero + torch.inf, zero, zero, zero, zero, zero, zero)

    def update(
        self,
        weight: Float[Tensor, " n"],
        margin: Float[Tensor, " n"],
        length: Float[Tensor, " n"],
        excess: Float[Tensor, " n"],
        reached: Tensor,
        ended: Tensor,
    ) -> None:
        """Enter the outcome of the solves that have ended."""
        won, lost = ended & reached, ended & ~reached
        self.success = torch.where(won, weight, self.success)
        self.success_margin = torch.where(won, margin, self.success_margin)
        self.success_length = torch.where(won, length, self.success_length)
        self.failure_length = torch.where(lost, length, self.failure_length)
        self.excess = torch.where(won, excess, self.excess)
        self.failure = torch.where(lost, weight, self.failure)
        self.failure_margin = torch.where(
            lost, margin.clamp_max(0), self.failure_margin
        )
        self.tried = self.tried + ended.to(self.tried.dtype)


WeightRule = Callable[[Bracket], Float[Tensor, " n"]]


def first_weights(
    at: Evaluation, clean: Float[Tensor, "n d"], penalty: Penalty
) -> Float[Tensor, " n"]:
    """Return the weight that would be the answer if the margin were linear.

    Far from the goal the loss is minus the margin and has its gradient, so the boundary
    lies at distance loss / |slope|. On it a tie of two classes halves the gradient,
    which the penalty's must balance.

    Args:
        at: The network at the clean images.
        clean: Those images.
        penalty: Price on the perturbation.
    """
    steepness = (at.slope * free_pixels(clean, at.slope)).norm(dim=1).clamp_min(1e-12)
    distance = at.loss / steepness
    return steepness / (2 * distance * penalty.stiffness(distance)).clamp_min(1e-12)


def widen(bracket: Bracket) -> Float[Tensor, " n"]:
    """Return the next weight of images whose bracket still has an open end."""
    up, down = bracket.success * WIDER, bracket.failure / WIDER
    following = torch.where(bracket.success > 0, up, down)
    outside = (following > HEAVIEST) | (following < LIGHTEST)
    return following.masked_fill(outside, torch.nan)


def is_open(bracket: Bracket) -> Tensor:
    """Return where no success or no failure is known."""
    return (bracket.success == 0) | bracket.failure.isinf()


def refine(tolerance: float = 2e-3, near: float = 3e-4, most: int = 40) -> WeightRule:
    """Search for the largest successful weight to a relative ``tolerance``.

    It also ends where the minimiser lies within a share ``near`` of the boundary.

    Inside the bracket the margin, as a function of log c, is interpolated towards a
    point just on the successful side of 0.
    """

    def rule(bracket: Bracket) -> Float[Tensor, " n"]:
        low, high = bracket.success.log(), bracket.failure.log()
        width = high - low
        drop = bracket.success_margin - bracket.failure_margin
        share = bracket.success_margin / drop.clamp_min(1e-12)
        # Every other weight bisects: where the margin jumps from one minimum to
        # another, interpolation alone creeps from one side.
        share = torch.where(bracket.tried % 2 == 1, 0.5, share.clamp(0.05, 0.95))
        inside = torch.exp(low + share * width)
        inside = inside.masked_fill(width <= tolerance, torch.nan)
        following = torch.where(is_open(bracket), widen(bracket), inside)
        close = (bracket.success > 0) & (bracket.excess <= near)
        return following.masked_fill(close | (bracket.tried >= most), torch.nan)

    return rule


class Rival(NamedTuple):
    """The shortest success of each image from another start.

    Attributes:
        weight: The weight at which it was found, infinite if there is none.
        length: Length of its perturbation, infinite likewise.
    """

    weight: Float[Tensor, " n"]
    length: Float[Tensor, " n"]


BESIDE = 0.998
"""A rival is met at this share of its weight, just on the successful side."""
ALIKE = 2e-3
"""Relative difference in length up to which two minimisers are taken for one."""
HOPELESS = 1.02
"""A failure this many times as long as the rival ends the search: what succeeds in its
basin is longer still. The slack covers that solves may stop early."""


def contest(
    bracket: Bracket, following: Float[Tensor, " n"], rival: Rival
) -> Float[Tensor, " n"]:
    """Return the next weights of a start that is worth its cost only if it wins.

    It goes from its first success straight to the rival's weight; where that leads to
    the rival's own minimiser, or to a longer one that fails, it ends.
    """
    meeting = BESIDE * rival.weight
    below = (bracket.success > 0) & bracket.failure.isinf() & meeting.isfinite()
    following = torch.where(below & (bracket.success < meeting), meeting, following)
    apart = (bracket.success_length - rival.length).abs() / rival.length
    same = (bracket.success >= meeting) & (apart <= ALIKE)
    hopeless = bracket.failure_length >= HOPELESS * rival.length
    return following.masked_fill(same | hopeless, torch.nan)


def once() -> WeightRule:
    """Try the starting weight only."""
    return lambda bracket: torch.full_like(bracket.success, torch.nan)
