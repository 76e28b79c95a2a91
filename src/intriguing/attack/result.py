"""What an attack returns, as one plain forward pass confirms it."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.inputs import AttackedModel
from intriguing.attack.pixel_grid import in_target, on_grid
from intriguing.models.evaluation import predict

PNG_BITS = 8
"""Bits of a pixel in a file of a picture."""
TIED = 5e-3
"""Difference from the target's logit below which another ties, as a share of the
range of the clean image's logits."""


class Adversarial(NamedTuple):
    """Adversarial images, one row an image.

    `find_adversarial` describes the fields. ``start`` of ``minimal`` is -1 for the
    known image, and -2 and -3 for starts of its own (`docs/minimal.md`).
    ``evaluations`` and ``gradients`` are over all starts, without the passes that check
    input and result; ``minimal`` computes one gradient for each class in play.
    """

    images: Float[Tensor, "n ..."]
    reached: Bool[Tensor, " n"]
    prediction: Int[Tensor, " n"]
    distortion: Float[Tensor, " n"]
    weight: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    gradients: Int[Tensor, " n"]
    start: Int[Tensor, " n"]
    converged: Bool[Tensor, " n"]
    tied: Int[Tensor, " n"]
    survives_rounding: Bool[Tensor, " n"]


def unchanged(
    model: AttackedModel,
    clean: Float[Tensor, "n ..."],
    logits: Float[Tensor, "n classes"],
    target_mask: Bool[Tensor, "n classes"],
    bits: int = PNG_BITS,
) -> Adversarial:
    """Return the result in which no image is perturbed: one evaluation an image."""
    prediction = logits.argmax(1)
    reached = target_mask.gather(1, prediction[:, None])[:, 0]
    none = torch.zeros_like(prediction)
    return Adversarial(
        images=clean.clone(),
        reached=reached,
        prediction=prediction,
        distortion=clean.new_zeros(len(clean)),
        weight=clean.new_zeros(len(clean)).masked_fill(reached, torch.inf),
        iterations=none.clone(),
        evaluations=none + 1,
        gradients=none.clone(),
        start=none.clone(),
        converged=reached.clone(),
        tied=tied_classes(logits, target_mask, logits),
        survives_rounding=survives(model, clean, target_mask, reached, bits),
    )


def verified_result(
    model: AttackedModel,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    logits: Float[Tensor, "n classes"],
    result: Any,
    bits: int = PNG_BITS,
) -> Adversarial:
    """Return the result of a method as one plain forward pass confirms it.

    Args:
        model: The function that was attacked.
        clean: Images before the attack.
        target_mask: Classes that count as success.
        logits: Logits of the clean images; where the pass gives no target class the
            image is the clean one.
        result: `lbfgs.LbfgsResult` or `minimal.MinimalResult`.
        bits: Of a stored pixel, for ``survives_rounding``.
    """
    images = model.rounded(result.image.reshape(clean.shape))
    found = predict(model, images)
    reached = target_mask.gather(1, found.argmax(1, keepdim=True))[:, 0]
    failed = (~reached).nonzero()[:, 0]
    images[failed], found[failed] = clean[failed], logits[failed]
    return Adversarial(
        images=images,
        reached=reached,
        prediction=found.argmax(1),
        distortion=distortion(clean, images),
        weight=result.weight,
        iterations=result.iterations,
        evaluations=result.evaluations,
        gradients=result.gradients,
        start=result.start,
        converged=result.converged & reached,
        tied=tied_classes(found, target_mask, logits),
        survives_rounding=survives(model, images, target_mask, reached, bits),
    )


def tied_classes(
    logits: Float[Tensor, "n classes"],
    target_mask: Bool[Tensor, "n classes"],
    clean: Float[Tensor, "n classes"],
) -> Int[Tensor, " n"]:
    """Return how many competing classes tie with the best target class."""
    target = logits.masked_fill(~target_mask, -torch.inf).amax(1, keepdim=True)
    extent = clean.amax(1, keepdim=True) - clean.amin(1, keepdim=True)
    near = (logits - target).abs() <= TIED * extent
    return (near & ~target_mask).sum(1)


def survives(
    model: AttackedModel,
    images: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    reached: Bool[Tensor, " n"],
    bits: int,
) -> Bool[Tensor, " n"]:
    """Return which images that reached a target class keep it on the grid of pixels."""
    rounded = model.rounded(on_grid(images, bits))
    return reached & in_target(model, rounded, target_mask)


def distortion(
    clean: Float[Tensor, "n ..."], images: Float[Tensor, "n ..."]
) -> Float[Tensor, " n"]:
    """Return the root mean square difference of each pair of images (section 4.2)."""
    return (images - clean).flatten(1).square().mean(1).sqrt()
