"""Adversarial images: the smallest perturbation that changes a network's prediction.

`find_adversarial` is the one call. In reading order:

- `objective`: the paper's penalty, loss and margin of the target classes
- `weights`: the search for the penalty's weight c
- `state`, `candidate`, `lbfgs`: the minimisation in batches, by projected L-BFGS
- `scipy_lbfgs`: the same objective by SciPy, one image after another
- `coarse`: c on a grid, or one c for all images
- `minimal`: the smallest perturbation without a penalty
- `exact`: the optimum of linear networks
- `targets`, `records`, `minimal_norm`: which class to aim at, and tables of the results
- `subnormal`: a mode of the processor in which attacks run faster
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack import minimal
from intriguing.attack.lbfgs import lbfgs_from_starts
from intriguing.attack.objective import target_mask_of
from intriguing.attack.scipy_lbfgs import scipy_one_by_one
from intriguing.attack.state import LbfgsResult
from intriguing.errors import InputError
from intriguing.models.evaluation import predict


@dataclass(frozen=True)
class Adversarial:
    """Adversarial images, one row an image.

    Attributes:
        images: Perturbed images, pixels in [0, 1]; clean where the attack failed.
        reached: Whether ``prediction`` is a target class.
        prediction: Class of ``images`` by a plain forward pass.
        distortion: Root mean square of the perturbation over pixels (section 4.2).
        weight: Weight c of the penalty at which the image was found.
        iterations: Accepted quasi-Newton steps, over all weights and starts.
        evaluations: Forward and backward passes, over all weights and starts.
        start: Index of the start that gave the image.
    """

    images: Float[Tensor, "n ..."]
    reached: Bool[Tensor, " n"]
    prediction: Int[Tensor, " n"]
    distortion: Float[Tensor, " n"]
    weight: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    start: Int[Tensor, " n"]


METHODS = {
    "lbfgs": lbfgs_from_starts,
    "scipy": scipy_one_by_one,
    "minimal": minimal.search,
}


def find_adversarial(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    targets: Int[Tensor, " n"] | None = None,
    *,
    method: str = "lbfgs",
    labels: Int[Tensor, " n"] | None = None,
    **settings: Any,
) -> Adversarial:
    """Return the smallest adversarial images that a method finds.

    Args:
        model: Classifier from pixels in [0, 1] to logits, in eval mode.
        images: Clean images.
        targets: Target class of each image; the attack is untargeted if not given.
        method: ``lbfgs``, the paper's objective in batches on any device; ``scipy``,
            the same image by image, the reference; or ``minimal``, the smallest
            perturbation without a penalty, on any device.
        labels: True classes, needed when there are no targets.
        settings: Keywords of the method: those of `lbfgs.lbfgs_from_starts`,
            `scipy_lbfgs.scipy_one_by_one` or `minimal.search`.

    Raises:
        InputError: An image lies outside the box, the model returns NaN, or a class
            does not exist; the message says which.
    """
    check_images(images)
    if method not in METHODS:
        raise InputError(f"method {method!r} is unknown; known: {sorted(METHODS)}")
    classes = finite_logits(model, images).shape[1]
    target_mask = target_mask_of(classes, targets, labels)
    result = METHODS[method](model, images, target_mask, **settings)
    return verified_result(model, images, target_mask, result)


def verified_result(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    result: LbfgsResult | minimal.Found,
) -> Adversarial:
    """Return the result with the predictions of one plain forward pass."""
    images = result.image.reshape(clean.shape)
    prediction = predict(model, images).argmax(1)
    return Adversarial(
        images=images,
        reached=target_mask.gather(1, prediction[:, None])[:, 0],
        prediction=prediction,
        distortion=distortion(clean, images),
        weight=result.weight,
        iterations=result.iterations,
        evaluations=result.evaluations,
        start=result.start,
    )


def distortion(
    clean: Float[Tensor, "n ..."], images: Float[Tensor, "n ..."]
) -> Float[Tensor, " n"]:
    """Return the root mean square difference of each pair of images (section 4.2)."""
    return (images - clean).flatten(1).square().mean(1).sqrt()


def finite_logits(
    model: nn.Module, images: Float[Tensor, "n ..."]
) -> Float[Tensor, "n classes"]:
    """Return the logits; refuse a model whose logits are not finite."""
    logits = predict(model, images)
    broken = ~torch.isfinite(logits).all(1)
    if broken.any():
        row = int(broken.nonzero()[0, 0])
        raise InputError(f"the model returns NaN or infinite logits for image {row}")
    return logits


def check_images(images: Float[Tensor, "n ..."]) -> None:
    """Refuse an empty batch, and images with pixels outside [0, 1] or not finite."""
    if not len(images):
        raise InputError("there are no images to attack")
    inside = ((images >= 0) & (images <= 1)).flatten(1).all(1)
    if not inside.all():
        row = int((~inside).nonzero()[0, 0])
        raise InputError(
            f"image {row} has pixels outside [0, 1]; scale the images into the box"
        )
