"""Adversarial images: the smallest perturbation that changes a network's answer.

``find_adversarial`` is the one call. `penalised` minimises the paper's objective from
several starts, by `lbfgs` in batches or by SciPy in `reference`; the objective is in
`objective`, the search on the penalty's weight in `weights`. `minimal` goes without
that objective, to the smallest perturbation itself.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack import minimal, penalised
from intriguing.attack.live import Found
from intriguing.attack.objective import wanted_classes
from intriguing.errors import InputError
from intriguing.models import predict


@dataclass(frozen=True)
class Adversarial:
    """Adversarial images and what is known of them; every field has one row an image.

    Attributes:
        images: Perturbed images, pixels in [0, 1]; clean where none was found.
        reached: Whether a plain forward pass on ``images`` gives the wanted class.
        prediction: Class of ``images`` by that pass.
        distortion: Root mean square of the perturbation over pixels (section 4.2).
        weight: Weight c of the penalty at which the image was found.
        iterations: Accepted quasi-Newton steps, over all weights and starts.
        evaluations: Forward and backward passes, over all weights and starts.
        start: Index of the start that won.
    """

    images: Float[Tensor, "n ..."]
    reached: Bool[Tensor, " n"]
    prediction: Int[Tensor, " n"]
    distortion: Float[Tensor, " n"]
    weight: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    start: Int[Tensor, " n"]


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
        targets: Wanted class of each image; if not given the attack is untargeted.
        method: ``lbfgs``, the paper's objective in batches on any device; ``scipy``,
            the same image by image, the reference; or ``minimal``, the smallest
            perturbation itself, on any device.
        labels: True classes, needed when there are no targets.
        settings: Keywords of the method: those of `penalised.lbfgs_from_starts`,
            `penalised.scipy_one_by_one` or `minimal.search`.

    Raises:
        InputError: An image lies outside the box, the model returns NaN, or a class
            does not exist; the message says which.
    """
    check_images(images)
    if method not in METHODS:
        raise InputError(f"method {method!r} is unknown; known: {sorted(METHODS)}")
    clean_logits = finite_logits(model, images)
    wanted = wanted_classes(clean_logits.shape[1], targets, labels)
    found = METHODS[method](model, images, wanted, **settings)
    return judge(model, images, wanted, found)


METHODS = {
    "lbfgs": penalised.lbfgs_from_starts,
    "scipy": penalised.scipy_one_by_one,
    "minimal": minimal.search,
}


def judge(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    wanted: Bool[Tensor, "n classes"],
    found: Found | minimal.MinimalResult,
) -> Adversarial:
    """Re-check the images as they will be stored, in one plain forward pass."""
    images = found.image.reshape(clean.shape)
    prediction = predict(model, images).argmax(1)
    return Adversarial(
        images=images,
        reached=wanted.gather(1, prediction[:, None])[:, 0],
        prediction=prediction,
        distortion=distortion(clean, images),
        weight=found.weight,
        iterations=found.iterations,
        evaluations=found.evaluations,
        start=found.start,
    )


def distortion(
    clean: Float[Tensor, "n ..."], images: Float[Tensor, "n ..."]
) -> Float[Tensor, " n"]:
    """Return the root mean square difference of each pair of images (section 4.2)."""
    return (images - clean).flatten(1).square().mean(1).sqrt()


def finite_logits(
    model: nn.Module, images: Float[Tensor, "n ..."]
) -> Float[Tensor, "n classes"]:
    """Return the logits of clean images, or say for which image they are not finite."""
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
