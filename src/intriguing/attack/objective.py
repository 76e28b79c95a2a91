"""The paper's objective: a penalty on the perturbation plus the loss of the target.

Section 4.1 writes ``c |r| + loss(x + r, l)`` subject to ``x + r`` in [0, 1]. The target
is given as a mask of classes: one class for a targeted attack, all classes but the
label for an untargeted one. Both attacks are then the same problem.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.errors import InputError
from intriguing.models.evaluation import predict


class Evaluation(NamedTuple):
    """Value and gradient of the loss at a batch of images.

    Attributes:
        image: The images, flattened.
        loss: Cross-entropy of the target classes taken together.
        gradient: Its gradient with respect to the pixels.
        margin: Largest logit of a target class less the largest of a competing class;
            positive where the attack succeeds.
    """

    image: Float[Tensor, "n d"]
    loss: Float[Tensor, " n"]
    gradient: Float[Tensor, "n d"]
    margin: Float[Tensor, " n"]


class Penalty(NamedTuple):
    """The penalty as a function of the perturbation's length ``‖r‖₂``.

    Attributes:
        value: The penalty at weight 1.
        curvature: The factor ``a`` of its gradient ``a r`` at weight 1. Its Hessian is
            at most ``a`` times the identity.
    """

    value: Callable[[Tensor], Tensor]
    curvature: Callable[[Tensor], Tensor]


SMOOTHING = 0.1
"""Length below which the gradient of the plain norm is that of this length: it has no
limit at 0, where every search starts. Perturbations of digits are ten times longer."""

SAFE_MARGIN = 1e-4
"""Least margin of a success, in logits: a smaller one may depend on the order of
summation. Of logits that differ by less than 1 it is this share of their range."""
LEAST_RANGE = 3000
"""Least range of logits, as a multiple of the rounding of a number of size 1."""

SQUARED = Penalty(torch.square, lambda length: torch.full_like(length, 2.0))
PLAIN = Penalty(lambda length: length, lambda length: 1 / length.clamp_min(SMOOTHING))
PENALTIES = {"squared": SQUARED, "plain": PLAIN}


def penalty_named(norm: str) -> Penalty:
    """Return the penalty of this name."""
    if norm not in PENALTIES:
        raise InputError(f"norm {norm!r} is unknown; known: {sorted(PENALTIES)}")
    return PENALTIES[norm]


def target_mask_of(
    classes: int, targets: Int[Tensor, " n"] | None, labels: Int[Tensor, " n"] | None
) -> Bool[Tensor, "n classes"]:
    """Return which classes count as success: the target, else all but the label."""
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


def target_loss(
    logits: Float[Tensor, "n classes"], target_mask: Bool[Tensor, "n classes"]
) -> Float[Tensor, " n"]:
    """Return minus the log of the summed probability of the target classes."""
    target_logits = logits.masked_fill(~target_mask, -torch.inf)
    return logits.logsumexp(1) - target_logits.logsumexp(1)


def target_margin(
    logits: Float[Tensor, "n classes"], target_mask: Bool[Tensor, "n classes"]
) -> Float[Tensor, " n"]:
    """Return the largest target logit less the largest competing logit."""
    largest = logits.masked_fill(~target_mask, -torch.inf).amax(1)
    return largest - logits.masked_fill(target_mask, -torch.inf).amax(1)


@subnormals_as_zero()
def safe_margins(
    model: nn.Module, clean: Float[Tensor, "n ..."]
) -> Float[Tensor, " n"]:
    """Return the least margin of a success of each image.

    Raises:
        InputError: The logits differ so little that the objective cannot be minimised.
    """
    logits = predict(model, clean)
    extent = logits.amax(1) - logits.amin(1)
    if 0 < extent.amax() < LEAST_RANGE * torch.finfo(extent.dtype).eps:
        raise InputError(
            f"model: its logits of an image differ by {extent.amax():.1g} at most, "
            "which is lost in the rounding of the loss; multiply them by a constant, "
            "or use method='minimal'"
        )
    return SAFE_MARGIN * extent.clamp_max(1)


def evaluate(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
) -> Evaluation:
    """Return loss, gradient and margin from one forward and one backward pass."""
    with torch.enable_grad():
        points = images.detach().requires_grad_(True)
        logits = model(points)
        loss = target_loss(logits, target_mask)
        (gradient,) = torch.autograd.grad(loss.sum(), points)
    logits = logits.detach()
    if not torch.isfinite(logits).all():
        raise InputError("the model returns NaN or infinite logits; check its weights")
    margin = target_margin(logits, target_mask)
    return Evaluation(
        images.detach().flatten(1), loss.detach(), gradient.flatten(1), margin
    )


def free_pixels(
    image: Float[Tensor, "*n d"], gradient: Float[Tensor, "*n d"]
) -> Float[Tensor, "*n d"]:
    """Return 0 for pixels at a bound whose descent direction leaves the box, else 1."""
    fixed = ((image <= 0) & (gradient > 0)) | ((image >= 1) & (gradient < 0))
    return (~fixed).to(image.dtype)
