"""What callers hand over, checked and brought into one form.

An attack works on detached copies, and calls the model as its owner would call it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.objective import target_mask_of
from intriguing.errors import InputError

HALF_PRECISION = (torch.float16, torch.bfloat16)
"""Types of images in which a search would lose the perturbation: it runs in float32."""

PIXEL_TYPES = (torch.float64, torch.float32, *HALF_PRECISION)
"""Types of images; those of 8 bits have no arithmetic."""

Images = Tensor | np.ndarray | Sequence[Any]
"""Images as callers have them, one row an image."""
Classes = Tensor | np.ndarray | Sequence[int] | int
"""Classes as callers have them; one integer stands for all images."""


class AttackedModel(nn.Module):
    """The function that is attacked: ``model(x)``, on a copy of ``x``.

    A model may change its input in place, run in lower precision, or take images of
    another precision only. Its logits come back in the precision of the search.

    Attributes:
        model: The caller's model.
        images: Type in which the caller has the images.
        cast: Type that the model takes, if it is not that of the search.
    """

    def __init__(
        self, model: nn.Module, images: torch.dtype, takes: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.model, self.images, takes = model, images, takes or images
        self.cast = None if takes == search_type(takes) else takes

    def forward(self, pixels: Float[Tensor, "n ..."]) -> Float[Tensor, "n classes"]:
        """Return the logits."""
        logits = self.model(pixels.to(self.cast) if self.cast else pixels.clone())
        return logits.to(pixels.dtype)

    def rounded(self, pixels: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """Return pixels as the caller receives them."""
        return pixels.to(self.images).to(pixels.dtype)


def search_type(taken: torch.dtype) -> torch.dtype:
    """Return the precision of a search in a model that takes images of some type."""
    return torch.float32 if taken in HALF_PRECISION else taken


def checked_images(images: Any, name: str = "images") -> Float[Tensor, "n ..."]:
    """Return a detached copy of images, in the caller's precision.

    Args:
        images: A tensor, an array, or a list of either or of numbers; one row an image.
        name: Of the argument, for messages.

    Raises:
        InputError: There are none, they are not floating point, or pixels lie outside
            [0, 1]; the message names the argument.
    """
    pixels = pixels_of(images, name)
    if pixels.dtype not in PIXEL_TYPES:
        remedy = ", as images / 255" if pixels.dtype is torch.uint8 else ""
        raise InputError(
            f"{name}: {pixels.dtype} given; "
            f"give floating-point pixels in [0, 1]{remedy}"
        )
    if pixels.is_meta or pixels.layout is not torch.strided:
        raise InputError(
            f"{name}: a {pixels.layout} tensor on {pixels.device} given; "
            "give a dense tensor that holds the pixels"
        )
    if pixels.dim() < 2 or not pixels.numel():
        shape = tuple(pixels.shape)
        raise InputError(f"{name}: shape {shape}; there are no images to attack")
    inside = ((pixels >= 0) & (pixels <= 1)).flatten(1).all(1)
    if not inside.all():
        row = int((~inside).nonzero()[0, 0])
        raise InputError(
            f"{name}: image {row} has NaN or pixels outside [0, 1]; "
            "scale the images into the box"
        )
    return pixels


def pixels_of(images: Any, name: str) -> Tensor:
    """Return images as a tensor of their own."""
    try:
        if isinstance(images, Tensor):
            return images.detach().clone()
        if isinstance(images, np.ndarray):
            return torch.from_numpy(np.array(images, images.dtype.newbyteorder("=")))
        if isinstance(images, list | tuple):
            rows = [torch.as_tensor(one) for one in images]
            return torch.stack(rows).detach() if rows else torch.empty(0, 0)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{name}: torch makes no tensor of them ({reason})") from error
    raise InputError(
        f"{name}: {type(images).__name__} given; give floating-point pixels in [0, 1]"
    )


def success_mask(
    targets: Any, labels: Any, clean: Float[Tensor, "n classes"]
) -> Bool[Tensor, "n classes"]:
    """Return which classes count as success: the target, else all but the label.

    ``clean`` are the logits of the clean images.

    Raises:
        InputError: Classes are wrong, or likely given as the wrong argument.
    """
    target, label = (
        None if values is None else checked_classes(name, values, clean)
        for name, values in (("targets", targets), ("labels", labels))
    )
    if target is not None:
        refuse_labels_as_targets(target, label, clean.argmax(1))
        label = None
    return target_mask_of(clean.shape[1], target, label)


def checked_classes(
    name: str, values: Any, logits: Float[Tensor, "n classes"]
) -> Int[Tensor, " n"]:
    """Return one class an image; a single integer stands for all images.

    ``logits`` are what the model gives the images.

    Raises:
        InputError: They are no integers, too few or too many, or no class of the
            model; the message names the argument.
    """
    given = as_tensor(name, values)
    if given.is_floating_point() or given.is_complex() or given.dtype is torch.bool:
        raise InputError(f"{name}: {given.dtype} given; give integers, one an image")
    given = given.to(logits.device, torch.int64)
    images, classes = logits.shape
    if given.dim() == 0:
        given = given.repeat(images)
    if given.shape != (images,):
        raise InputError(
            f"{name}: shape {tuple(given.shape)} for {images} images; "
            "give one class an image"
        )
    if not ((given >= 0) & (given < classes)).all():
        raise InputError(f"{name}: classes must lie in 0..{classes - 1}")
    return given


def refuse_labels_as_targets(
    targets: Int[Tensor, " n"],
    labels: Int[Tensor, " n"] | None,
    predictions: Int[Tensor, " n"],
) -> None:
    """Refuse targets that are likely the labels of an untargeted attack.

    Most are the labels, or else the classes that the model gives the images already.
    """
    clean = predictions if labels is None else labels
    already = int((targets == clean).sum())
    if 2 * already > len(targets):
        said = "the model already gives" if labels is None else "the labels give"
        raise InputError(
            f"targets: {said} {already} of {len(targets)} images their target; "
            "for an untargeted attack pass labels=... and no targets"
        )


def as_tensor(name: str, values: Any) -> Tensor:
    """Return numbers as a tensor of their own."""
    if isinstance(values, Tensor):
        return values.detach().clone()
    try:
        if isinstance(values, list | tuple):
            values = [int(one) if isinstance(one, Tensor) else one for one in values]
        return torch.as_tensor(np.asarray(values)).clone()
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: give integers, one an image") from error


def checked_per_image(
    name: str, values: Any, images: Float[Tensor, "n ..."]
) -> Float[Tensor, "n ..."]:
    """Return a setting that has one row an image, in the precision of the search.

    Raises:
        InputError: It has not as many rows as there are images.
    """
    given = as_tensor(name, values).to(images.device, images.dtype)
    if given.dim() == 0 or len(given) != len(images):
        raise InputError(
            f"{name}: shape {tuple(given.shape)} for {len(images)} images; "
            "give one row an image"
        )
    return given


def checked_like(
    name: str, values: Any, images: Float[Tensor, "n ..."]
) -> Float[Tensor, "m ..."]:
    """Return other images of the shape, the type and the device of the attacked ones.

    Raises:
        InputError: They are no images, or of another shape.
    """
    given = checked_images(values, name).to(images.device, images.dtype)
    if given.shape[1:] != images.shape[1:]:
        shapes = tuple(given.shape[1:]), tuple(images.shape[1:])
        raise InputError(f"{name}: shape {shapes[0]} of an image; give {shapes[1]}")
    return given


def checked_number(name: str, value: Any, kind: type) -> Any:
    """Return a positive setting, a whole number if its kind is ``int``."""
    number = isinstance(value, int if kind is int else int | float | np.number)
    whole = isinstance(value, np.integer)
    if isinstance(value, bool) or not (number or whole) or not value > 0:
        needed = "a whole number of at least 1" if kind is int else "a number above 0"
        raise InputError(f"{name} = {value!r}: give {needed}")
    return kind(value)
