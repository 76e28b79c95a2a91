"""The search for the penalty's weight c of each image.

The paper's text asks for the *minimum* c that succeeds. A small c makes perturbations
large. The meaningful reading, which later work states, is the *largest* c whose
minimiser is still in a target class. `docs/methods.md` discusses the readings.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from intriguing.attack.objective import Evaluation, Penalty, free_pixels

EXPANSION = 4.0
"""Ratio of successive weights while one end of the bracket is unknown."""
MIN_WEIGHT, MAX_WEIGHT = 1e-8, 1e8
"""Range of the weights; the search ends outside."""


@dataclass
class Bracket:
    """Bounds of the largest successful weight, one row an image.

    Attributes:
        success: Largest weight that succeeded, 0 if none has.
        failure: Smallest weight above it that failed, infinite if none has.
        success_margin: Margin of the minimiser at ``success``.
        failure_margin: Margin of the minimiser at ``failure``, at most 0.
        success_length: Length of the perturbation at ``success``.
        failure_length: Length of the perturbation at ``failure``.
        boundary_distance: Estimated distance of the minimiser at ``success`` from the
            decision boundary, as a share of the perturbation's length.
        tried: Number of weights tried.
    """

    success: Float[Tensor, " n"]
    failure: Float[Tensor, " n"]
    success_margin: Float[Tensor, " n"]
    failure_margin: Float[Tensor, " n"]
    success_length: Float[Tensor, " n"]
    failure_length: Float[Tensor, " n"]
    boundary_distance: Float[Tensor, " n"]
    tried: Float[Tensor, " n"]

    @classmethod
    def unknown(cls, like: Float[Tensor, " n"]) -> "Bracket":
        """Return the brackets before any weight is tried."""
        zero = torch.zeros_like(like)
        return cls(zero, zero + torch.inf, zero, zero, zero, zero, zero, zero)

    def update(
        self,
        weight: Float[Tensor, " n"],
        margin: Float[Tensor, " n"],
        length: Float[Tensor, " n"],
        boundary_distance: Float[Tensor, " n"],
        success: Bool[Tensor, " n"],
        ended: Bool[Tensor, " n"],
    ) -> None:
        """Enter the minimisers of the weights whose minimisation has ended."""
        won, lost = ended & success, ended & ~success

        def enter(where: Tensor, value: Tensor, name: str) -> None:
            setattr(self, name, torch.where(where, value, getattr(self, name)))

        enter(won, weight, "success")
        enter(won, margin, "success_margin")
        enter(won, length, "success_length")
        enter(won, boundary_distance, "boundary_distance")
        enter(lost, weight, "failure")
        enter(lost, margin.clamp_max(0), "failure_margin")
        enter(lost, length, "failure_length")
        self.tried = self.tried + ended.to(self.tried.dtype)


def initial_weights(clean: Evaluation, penalty: Penalty) -> Float[Tensor, " n"]:
    """Return the largest successful weight if the margin were linear.

    Far from the boundary the loss is minus the margin and has its gradient ``g``, so
    the boundary is at distance loss / |g|. On the boundary the gradient of the loss is
    half of ``g``, and the penalty's gradient must balance it.
    """
    gradient = clean.gradient * free_pixels(clean.image, clean.gradient)
    norm = gradient.norm(dim=1).clamp_min(1e-12)
    distance = clean.loss / norm
    return norm / (2 * distance * penalty.curvature(distance)).clamp_min(1e-12)


def expanded(bracket: Bracket) -> Float[Tensor, " n"]:
    """Return the next weights where one end of the bracket is unknown."""
    up, down = bracket.success * EXPANSION, bracket.failure / EXPANSION
    weight = torch.where(bracket.success > 0, up, down)
    outside = (weight > MAX_WEIGHT) | (weight < MIN_WEIGHT)
    return weight.masked_fill(outside, torch.nan)


class Refinement(NamedTuple):
    """The rule that finds the largest successful weight of each image.

    Attributes:
        tolerance: Relative width of the bracket at which the search ends.
        boundary_tolerance: `Bracket.boundary_distance` at which the search ends.
        max_weights: Largest number of weights tried.
    """

    tolerance: float = 2e-3
    boundary_tolerance: float = 3e-4
    max_weights: int = 40

    def next_weights(self, bracket: Bracket) -> Float[Tensor, " n"]:
        """Return the next weights, NaN where the search ends.

        Inside the bracket the margin is interpolated as a function of log c.
        """
        low, high = bracket.success.log(), bracket.failure.log()
        width = high - low
        drop = bracket.success_margin - bracket.failure_margin
        share = bracket.success_margin / drop.clamp_min(1e-12)
        # Every second weight bisects: where the margin jumps between two minima,
        # interpolation alone converges slowly from one side.
        share = torch.where(bracket.tried % 2 == 1, 0.5, share.clamp(0.05, 0.95))
        inside = torch.exp(low + share * width)
        inside = inside.masked_fill(width <= self.tolerance, torch.nan)
        is_open = (bracket.success == 0) | bracket.failure.isinf()
        weight = torch.where(is_open, expanded(bracket), inside)
        close = bracket.boundary_distance <= self.boundary_tolerance
        ended = (bracket.success > 0) & close | (bracket.tried >= self.max_weights)
        return weight.masked_fill(ended, torch.nan)


class BestStart(NamedTuple):
    """The shortest success of each image from the earlier starts.

    Attributes:
        weight: Its weight, infinite if there is none.
        length: Length of its perturbation, infinite if there is none.
    """

    weight: Float[Tensor, " n"]
    length: Float[Tensor, " n"]


JUST_BELOW = 0.998
"""Share of the best start's weight that a later start tries: just below success."""
SAME_LENGTH = 2e-3
"""Relative difference in length up to which two minimisers count as the same."""
TOO_LONG = 1.02
"""Ratio of a failure's length to the best start's at which a start ends: a success in
that basin is even longer. The slack allows for minimisations that stop early."""


def weights_against_best(
    bracket: Bracket, weight: Float[Tensor, " n"], best: BestStart
) -> Float[Tensor, " n"]:
    """Return the next weights of a later start, NaN where it cannot win.

    After its first success it goes to the weight of the best start. It ends if it finds
    the same minimiser there, or if a failure is longer.
    """
    near = JUST_BELOW * best.weight
    jumps = (bracket.success > 0) & bracket.failure.isinf() & near.isfinite()
    weight = torch.where(jumps & (bracket.success < near), near, weight)
    difference = (bracket.success_length - best.length).abs() / best.length
    same = (bracket.success >= near) & (difference <= SAME_LENGTH)
    too_long = bracket.failure_length >= TOO_LONG * best.length
    return weight.masked_fill(same | too_long, torch.nan)
