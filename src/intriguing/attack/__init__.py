"""Adversarial images: the smallest perturbation that changes a network's prediction.

`find_adversarial` is the one call. In reading order:

- `inputs`: what callers hand over, checked
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

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from tqdm import tqdm

from intriguing.attack import minimal
from intriguing.attack.compilation import COMPILING
from intriguing.attack.inputs import (
    AttackedModel,
    Classes,
    Images,
    checked_classes,
    checked_images,
    checked_per_image,
    clean_logits,
    dtype_of,
    refuse_labels_as_targets,
    require_gradient,
)
from intriguing.attack.lbfgs import lbfgs_from_starts
from intriguing.attack.objective import target_mask_of
from intriguing.attack.scipy_lbfgs import scipy_one_by_one
from intriguing.attack.state import LbfgsResult
from intriguing.errors import InputError
from intriguing.models.evaluation import predict, undisturbed


class Adversarial(NamedTuple):
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


METHODS: Mapping[str, Callable[..., Any]] = {
    "lbfgs": lbfgs_from_starts,
    "scipy": scipy_one_by_one,
    "minimal": minimal.search,
}
PER_IMAGE = ("known", "weights")
"""Settings of methods that have one row an image."""
PIECE_VALUES = 2**21
"""Pixels of the images attacked at once. Beside the model's own activations an attack
takes about 1 GB at most, whatever the number of images and classes."""


def find_adversarial(
    model: nn.Module,
    images: Images,
    targets: Classes | None = None,
    *,
    method: str = "lbfgs",
    labels: Classes | None = None,
    **settings: Any,
) -> Adversarial:
    """Return the smallest adversarial images that a method finds.

    The function that is attacked is ``model(x)``, in evaluation mode. The model, its
    training flags, the images and torch's random state are afterwards as before. On a
    terminal a bar shows the progress; an interrupt returns the pieces that are done.

    Args:
        model: Classifier from pixels in [0, 1] to logits (images, classes).
        images: Clean images, (images, ...): a tensor or an array, floating point.
        targets: Target class of each image, integers of any kind, or one integer for
            all images; the attack is untargeted if not given.
        method: ``minimal``, the smallest perturbation without a penalty, is the
            shortest and fastest; ``lbfgs`` is the paper's objective in batches;
            ``scipy`` is that objective image by image, the reference.
        labels: True classes, needed when there are no targets.
        settings: Keywords of the method: those of `lbfgs.lbfgs_from_starts`,
            `scipy_lbfgs.scipy_one_by_one` or `minimal.search`.

    Returns:
        The result, detached and in the images' type. An image that is adversarial
        already comes back unchanged.

    Raises:
        InputError: An argument is wrong, or the model does not take the images; one
            line names the argument.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r} is unknown; known: {sorted(METHODS)}")
    if not isinstance(model, nn.Module):
        raise InputError(f"model: {type(model).__name__} given; give a torch nn.Module")
    with undisturbed(model):
        pixels = checked_images(images)
        attacked = AttackedModel(model, dtype_of(images))
        logits = clean_logits(attacked, pixels)
        mask = success_mask(pixels, logits, targets, labels)
        require_gradient(attacked, pixels)
        checked = checked_settings(method, settings, pixels)
        result = attack_in_pieces(attacked, pixels, logits, mask, method, checked)
        return result._replace(images=result.images.to(dtype_of(images)))


def checked_settings(
    method: str, settings: Mapping[str, Any], images: Float[Tensor, "n ..."]
) -> dict[str, Any]:
    """Return the settings; refuse keywords that the method does not have."""
    known = list(inspect.signature(METHODS[method]).parameters)[3:]
    if unknown := [name for name in settings if name not in known]:
        raise InputError(
            f"{unknown[0]}: no setting of method {method!r}; known: {', '.join(known)}"
        )
    checked = {name: value for name, value in settings.items() if value is not None}
    for name in checked.keys() & set(PER_IMAGE):
        checked[name] = checked_per_image(name, checked[name], images)
    if "start_images" in checked:
        pool = checked_images(checked["start_images"], "start_images")
        checked["start_images"] = pool.to(images.device, images.dtype)
    return checked


def success_mask(
    images: Float[Tensor, "n ..."],
    logits: Float[Tensor, "n classes"],
    targets: Any,
    labels: Any,
) -> Bool[Tensor, "n classes"]:
    """Return which classes count as success: the target, else all but the label."""
    count = logits.shape[1]
    if targets is not None:
        target = checked_classes("targets", targets, images, count)
        if labels is None:
            refuse_labels_as_targets(target, logits.argmax(1))
        return target_mask_of(count, target, None)
    label = None
    if labels is not None:
        label = checked_classes("labels", labels, images, count)
    return target_mask_of(count, None, label)


def attack_in_pieces(
    model: AttackedModel,
    clean: Float[Tensor, "n ..."],
    logits: Float[Tensor, "n classes"],
    target_mask: Bool[Tensor, "n classes"],
    method: str,
    settings: Mapping[str, Any],
) -> Adversarial:
    """Attack the images that are not adversarial yet, some at a time."""
    result = unchanged(clean, logits, target_mask)
    rows = (~result.reached).nonzero()[:, 0]
    size = max(1, PIECE_VALUES // clean[0].numel())
    bar = tqdm(total=len(rows), desc=method, unit="image", disable=None, leave=False)
    done = 0
    with bar:
        try:
            for piece in rows.split(size) if len(rows) else ():
                own = {n: v[piece] for n, v in settings.items() if n in PER_IMAGE}
                given = model, clean[piece], target_mask[piece]
                found = METHODS[method](*given, **{**settings, **own})
                enter(result, piece, verified_result(*given, logits[piece], found))
                bar.update(len(piece))
                done += len(piece)
        except KeyboardInterrupt:
            warnings.warn(
                f"interrupted after {done} of {len(rows)} images", stacklevel=3
            )
        finally:
            COMPILING.end()  # an interrupt may have come while it compiled
    return result


def unchanged(
    clean: Float[Tensor, "n ..."],
    logits: Float[Tensor, "n classes"],
    target_mask: Bool[Tensor, "n classes"],
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
        start=none.clone(),
    )


def enter(result: Adversarial, rows: Int[Tensor, " m"], found: Adversarial) -> None:
    """Write the results of some images to their rows."""
    for whole, part in zip(result, found, strict=True):
        whole[rows] = part.to(whole.dtype)


def verified_result(
    model: AttackedModel,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    logits: Float[Tensor, "n classes"],
    result: LbfgsResult | minimal.MinimalResult,
) -> Adversarial:
    """Return the result with the predictions of one plain forward pass.

    Where that does not give a target class the image is the clean one.
    """
    images = model.rounded(result.image.reshape(clean.shape))
    prediction = predict(model, images).argmax(1)
    reached = target_mask.gather(1, prediction[:, None])[:, 0]
    failed = (~reached).nonzero()[:, 0]
    images[failed], prediction[failed] = clean[failed], logits[failed].argmax(1)
    return Adversarial(
        images=images,
        reached=reached,
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
