"""How far to go, and whether the point is taken: every image on its own.

A trial costs one forward pass. It is accepted where the merit

    ‖x - clean‖² / 2 + μ · max(κ - margin, 0)

does not grow; μ exceeds the sum of the multipliers, so that the minimiser of the merit
is the one of the problem. A refused step is halved; nobody waits for anybody.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SAFE_MARGIN = 1.5e-6
"""Margin that counts as success, as a share of the logits' span: three times what
another order of summation changes in float32."""
KAPPA = 3e-6
"""Margin that the iterates aim at, likewise. It must exceed the one at which they are
accepted, or nothing converges."""
SLACK = 1e-4
"""Growth of the merit that is still taken, in units of the squared distance."""
FARTHEST, FARTHEST_FROM_IMAGES = 0.3, 0.5
"""Most that a step may be of the distance from the clean image, and the same in runs
that begin at a start image: they come from afar."""
SHORTEST = 0.3
"""Distance, in L2, below which steps are no longer capped in proportion to it."""
PATIENCE, AT_A_KINK = 2, 1
"""Halvings after which the curvature is no longer trusted, but the projection is; and
the same where cuts show a kink, across which there is no curvature."""
CUTS_FROM, CUTS_TO = 2, 20
"""Refusals in a row that are answered by a cut; others by a shorter step."""
CUTS_FROM_AT_KINKS = 1
"""The first of them in a network that is known to have kinks. Elsewhere the first
refusal means more often that the step was too long for the curvature."""
NEAR = 0.05
"""Length of a step, as a share of the perturbation's, at which the end is near."""
RAISE, RAISE_AFTER, LARGEST_KAPPA = 0.1, 4, 1e-2
"""After n misses in a row the iterates aim at RAISE * 2ⁿ times the last miss; refusals
that count as one; and the largest κ, in units of the logits' span."""


def cuts_from(kinked: bool) -> int:
    """Return from which refusal in a row on cuts answer, by whether there are kinks."""
    return CUTS_FROM_AT_KINKS if kinked else CUTS_FROM


def calls_for_cut(refusals: Float[Tensor, " n"], kinked: bool) -> Bool[Tensor, " n"]:
    """Return where refusals in a row are answered by a cut."""
    return (refusals >= cuts_from(kinked)) & (refusals <= CUTS_TO)


def goes_straight(
    halvings: Float[Tensor, " n"], kinked: Bool[Tensor, " n"]
) -> Bool[Tensor, " n"]:
    """Return where the projection's direction is taken instead of the curved step."""
    return halvings >= torch.where(kinked, AT_A_KINK, PATIENCE)


def kappa_after(
    missed: Int[Tensor, " n"], margin: Float[Tensor, " n"], unit: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """Return the margin to aim at after some misses in a row.

    Curvature and kinks take from the margin what its linearisation promised. Where the
    steps shrink quickly so does the loss; where they do not, it has to be aimed over.
    """
    factor = 2.0**missed
    higher = KAPPA * unit - RAISE * factor * margin.clamp_max(0)
    higher = torch.maximum(higher, factor * KAPPA * unit)
    higher = torch.minimum(higher, LARGEST_KAPPA * unit)
    return torch.where(missed > 0, higher, KAPPA * unit)


def longest_trial(
    length: Float[Tensor, " n"], start: Int[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """Return the L2 length that a whole step has at most.

    Args:
        length: Distance of the iterates from the clean images.
        start: Numbers of the runs' starts.
    """
    share = torch.where(start > 0, FARTHEST_FROM_IMAGES, FARTHEST)
    return share.to(length.dtype) * length.clamp_min(SHORTEST)


def trial_point(
    image: Float[Tensor, "n d"],
    direction: Float[Tensor, "n d"],
    longest: Float[Tensor, " n"],
    share: Float[Tensor, " n"],
) -> Float[Tensor, "n d"]:
    """Return the next trial point.

    Args:
        image: Present iterates.
        direction: Step to be tried.
        longest: Most that the whole step may be.
        share: Share of the step to be tried.
    """
    cap = longest * share / direction.norm(dim=1).clamp_min(1e-12)
    share = torch.minimum(share, cap)
    return torch.addcmul(image, share[:, None], direction).clamp_(0, 1)


def merit(
    length: Float[Tensor, " n"],
    margin: Float[Tensor, " n"],
    price: Float[Tensor, " n"],
    kappa: Float[Tensor, " n"],
) -> Float[Tensor, " n"]:
    """Return half the squared distance plus the price of the missing margin."""
    return 0.5 * length.square() + price * (kappa - margin).clamp_min(0)


def accepted(
    before: Float[Tensor, " n"], after: Float[Tensor, " n"], length: Float[Tensor, " n"]
) -> Bool[Tensor, " n"]:
    """Return where a trial is taken."""
    return after <= before + SLACK * length.square()
