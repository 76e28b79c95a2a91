"""What the paper minimises: a price on the perturbation, and the loss of a label.

Section 4.1 writes ``c |r| + loss(x + r, l)`` subject to ``x + r`` in [0, 1]. A goal is
given here as a mask of *wanted* classes, one class for a targeted attack and all but
the label for an untargeted one, so that both are the same problem.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.errors import InputError


class Evaluation(NamedTuple):
    """The network at a batch of points.

    Attributes:
        loss: Cross-entropy of the wanted classes taken together, (N,).
        slope: Its gradient with respect to the pixels, same shape as the images.
        margin: Largest wanted logit less the largest other one, (N,); positive where
            the goal is reached.
    """

    loss: Float[Tensor, " n"]
    slope: Float[Tensor, " n *pixels"]
    margin: Float[Tensor, " n"]


class Penalty(NamedTuple):
    """The price on the perturbation, as a function of its length ``‖r‖₂``.

    Attributes:
        value: Price of a perturbation of this length at weight 1.
        stiffness: The factor ``a`` of the price's gradient ``a r`` at weight 1. The
            Hessian of the price is at most ``a`` times the identity.
    """

    value: Callable[[Tensor], Tensor]
    stiffness: Callable[[Tensor], Tensor]


KINK = 0.1
"""Length below which the plain norm is taken as if it were this long: its gradient has
no limit at 0, where every search starts. Perturbations of digits are over ten times as
long."""

SQUARED = Penalty(torch.square, lambda length: torch.full_like(length, 2.0))
PLAIN = Penalty(lambda length: length, lambda length: 1 / length.clamp_min(KINK))
PENALTIES = {"squared": SQUARED, "plain": PLAIN}


def wanted_classes(
    classes: int,
    targets: Int[Tensor, " n"] | None,
    labels: Int[Tensor, " n"] | None,
) -> Bool[Tensor, "n classes"]:
    """Return which classes count as success for each image."""
    chosen = targets if targets is not None else labels
    if chosen is None:
        raise InputError(
            "an untargeted attack needs `labels`, a targeted one `targets`"
        )
    if len(chosen) and not 0 <= int(chosen.min()) <= int(chosen.max()) < classes:
        raise InputError(f"classes must lie in 0..{classes - 1}")
    mask = torch.zeros(len(chosen), classes, dtype=torch.bool, device=chosen.device)
    mask.scatter_(1, chosen[:, None], True)
    return mask if targets is not None else ~mask


def goal_loss(
    logits: Float[Tensor, "n classes"], wanted: Bool[Tensor, "n classes"]
) -> Float[Tensor, " n"]:
    """Return minus the log of the probability that the wanted classes have together."""
    chosen = logits.masked_fill(~wanted, -torch.inf)
    return logits.logsumexp(1) - chosen.logsumexp(1)


def goal_margin(
    logits: Float[Tensor, "n classes"], wanted: Bool[Tensor, "n classes"]
) -> Float[Tensor, " n"]:
    """Return the largest wanted logit less the largest of the others."""
    chosen = logits.masked_fill(~wanted, -torch.inf).amax(1)
    return chosen - logits.masked_fill(wanted, -torch.inf).amax(1)


def evaluate(
    model: nn.Module, images: Tensor, wanted: Bool[Tensor, "n classes"]
) -> Evaluation:
    """Return loss, gradient and margin of a batch: one forward, one backward."""
    with torch.enable_grad():
        points = images.detach().requires_grad_(True)
        logits = model(points)
        loss = goal_loss(logits, wanted)
        (slope,) = torch.autograd.grad(loss.sum(), points)
    logits = logits.detach()
    if not torch.isfinite(logits).all():
        raise InputError("the model returns NaN or infinite logits; check its weights")
    return Evaluation(loss.detach(), slope, goal_margin(logits, wanted))


def free_pixels(
    image: Float[Tensor, " n *pixels"], gradient: Float[Tensor, " n *pixels"]
) -> Float[Tensor, " n *pixels"]:
    """Return 1 for pixels that may move downhill, 0 for those held by the box."""
    stuck = ((image <= 0) & (gradient > 0)) | ((image >= 1) & (gradient < 0))
    return (~stuck).to(image.dtype)
