"""What callers hand over, checked and brought into one form.

An attack works on detached copies, and calls the model as its owner would call it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.errors import InputError
from intriguing.models.evaluation import predict

HALF_PRECISION = (torch.float16, torch.bfloat16)
"""Types of images in which a search would lose the perturbation: it runs in float32."""

Images = Tensor | np.ndarray
"""Images as callers have them, one row an image."""
Classes = Tensor | np.ndarray | Sequence[int] | int
"""Classes as callers have them; one integer stands for all images."""


class AttackedModel(nn.Module):
    """The function that is attacked: ``model(x)``, on a copy of ``x``.

    A model may change its input in place, run in lower precision, or take images of
    half precision only. Its logits come back in the precision of the search.
    """

    def __init__(self, model: nn.Module, images: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.cast = images if images in HALF_PRECISION else None

    def forward(self, pixels: Float[Tensor, "n ..."]) -> Float[Tensor, "n classes"]:
        """Return the logits."""
        logits = self.model(pixels.to(self.cast) if self.cast else pixels.clone())
        if not isinstance(logits, Tensor):
            raise TypeError(f"it returns a {type(logits).__name__}, not logits")
        return logits.to(pixels.dtype)

    def rounded(self, pixels: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """Return pixels as the model receives them."""
        return pixels.to(self.cast).to(pixels.dtype) if self.cast else pixels


def checked_images(images: Any, name: str = "images") -> Float[Tensor, "n ..."]:
    """Return a detached copy of images, in the precision of the search.

    Args:
        images: A tensor or an array, one row an image.
        name: Of the argument, for messages.

    Raises:
        InputError: There are none, they are not floating point, or pixels lie outside
            [0, 1]; the message names the argument.
    """
    if isinstance(images, np.ndarray):
        try:
            images = torch.from_numpy(images.copy())
        except (TypeError, ValueError) as error:
            raise InputError(f"{name}: torch takes no {images.dtype} array") from error
    if not isinstance(images, Tensor) or not images.is_floating_point():
        kind = images.dtype if isinstance(images, Tensor) else type(images).__name__
        raise InputError(f"{name}: {kind} given; give floating-point pixels in [0, 1]")
    if images.dim() < 2 or not images.numel():
        shape = tuple(images.shape)
        raise InputError(f"{name}: shape {shape}; there are no images to attack")
    copy = images.detach().clone()
    inside = ((copy >= 0) & (copy <= 1)).flatten(1).all(1)
    if not inside.all():
        row = int((~inside).nonzero()[0, 0])
        raise InputError(
            f"{name}: image {row} has NaN or pixels outside [0, 1]; "
            "scale the images into the box"
        )
    return copy.float() if copy.dtype in HALF_PRECISION else copy


def checked_classes(
    name: str, values: Any, images: Float[Tensor, "n ..."], classes: int
) -> Int[Tensor, " n"]:
    """Return one class an image; a single integer stands for all images.

    Args:
        name: ``targets`` or ``labels``, for messages.
        values: Integers of any type.
        images: What they belong to.
        classes: How many classes the model has.

    Raises:
        InputError: They are no integers, too few or too many, or no class of the
            model; the message names the argument.
    """
    given = _as_tensor(name, values)
    if given.is_floating_point() or given.is_complex() or given.dtype is torch.bool:
        raise InputError(f"{name}: {given.dtype} given; give integers, one an image")
    given = given.to(images.device, torch.int64)
    if given.dim() == 0:
        given = given.repeat(len(images))
    if given.shape != (len(images),):
        raise InputError(
            f"{name}: shape {tuple(given.shape)} for {len(images)} images; "
            "give one class an image"
        )
    if not ((given >= 0) & (given < classes)).all():
        raise InputError(f"{name}: classes must lie in 0..{classes - 1}")
    return given


def _as_tensor(name: str, values: Any) -> Tensor:
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
    given = _as_tensor(name, values).to(images.device, images.dtype)
    if given.dim() == 0 or len(given) != len(images):
        raise InputError(
            f"{name}: shape {tuple(given.shape)} for {len(images)} images; "
            "give one row an image"
        )
    return given


def dtype_of(images: Images) -> torch.dtype:
    """Return the type in which the caller has the images."""
    if isinstance(images, Tensor):
        return images.dtype
    return torch.from_numpy(np.empty(0, images.dtype)).dtype


def clean_logits(
    model: nn.Module, images: Float[Tensor, "n ..."]
) -> Float[Tensor, "n classes"]:
    """Return the logits of the clean images.

    Raises:
        InputError: The model does not take the images, does not give one row of at
            least two logits an image, or gives NaN or infinite ones.
    """
    try:
        logits = predict(model, images)
    except Exception as error:  # of whatever the model's own code does
        shape, reason = tuple(images.shape), str(error).strip().splitlines()[:1]
        raise InputError(
            f"images: the model does not take {images.dtype} images of shape {shape} "
            f"({''.join(reason)})"
        ) from error
    if logits.dim() != 2 or len(logits) != len(images):
        raise InputError(
            f"model: logits of shape {tuple(logits.shape)} for {len(images)} images; "
            "it has to return (images, classes), and images need a batch dimension"
        )
    if logits.shape[1] < 2:
        raise InputError("model: it returns one logit; an attack needs two classes")
    finite = torch.isfinite(logits).all(1)
    if not finite.all():
        row = int((~finite).nonzero()[0, 0])
        raise InputError(f"the model returns NaN or infinite logits for image {row}")
    return logits


def require_gradient(model: nn.Module, images: Float[Tensor, "n ..."]) -> None:
    """Refuse a model whose logits have no gradient by the pixels."""
    try:
        with torch.enable_grad():
            pixels = images[:1].clone().requires_grad_()
            torch.autograd.grad(model(pixels).sum(), pixels)
    except RuntimeError as error:
        raise InputError(
            "model: its logits have no gradient by the pixels; call it without "
            "torch.no_grad() and with layers that can be differentiated"
        ) from error


def refuse_labels_as_targets(
    targets: Int[Tensor, " n"], predictions: Int[Tensor, " n"]
) -> None:
    """Refuse targets that the model gives most images already.

    Raises:
        InputError: They are likely the labels of an untargeted attack.
    """
    already = int((targets == predictions).sum())
    if 2 * already > len(targets) > 1:
        raise InputError(
            f"targets: the model already gives {already} of {len(targets)} images "
            "their target; for an untargeted attack pass labels=..."
        )
