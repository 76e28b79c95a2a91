"""Checks of what callers of this chapter hand over."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from intriguing.attack.inputs import AttackedModel, checked_classes
from intriguing.bounds.network import Network, logits_of
from intriguing.errors import InputError


def checked_labels(
    network: Network, labels: Any, images: Float[Tensor, "n ..."]
) -> Int[np.ndarray, " n"]:
    """Return one label an image.

    Raises:
        InputError: Labels are no classes of the network, or images have another size.
    """
    inputs, pixels = network.weights[0].shape[1], images[0].numel()
    if pixels != inputs:
        raise InputError(f"images: {pixels} pixels; the model takes {inputs}")
    logits = torch.empty(len(images), len(network.biases[-1]))
    return checked_classes("labels", labels, logits).numpy()


def require_same_logits(
    network: Network,
    model: AttackedModel,
    images: Float[Tensor, "n ..."],
    logits: Float[Tensor, "n classes"],
) -> None:
    """Refuse a model whose logits are not those of the network that was read from it.

    Raises:
        InputError: They differ by more than half the digits of the model's precision.
    """
    read = logits_of(network, images.double().flatten(1).cpu().numpy())
    own = logits.double().cpu().numpy()
    share = torch.finfo(model.cast or logits.dtype).eps ** 0.5
    apart = np.abs(read - own).max()
    if not apart <= share * np.abs(own).max():
        raise InputError(
            f"model: its logits differ by {apart:.2g} from those of its layers in "
            "sequence; give an nn.Sequential that takes flattened images"
        )


def checked_radius(radius: Any, pixels: int) -> float:
    """Return a radius.

    Raises:
        InputError: It is no positive number, or above the diameter of the box [0, 1]
            of so many pixels.
    """
    try:
        value = float("nan") if isinstance(radius, bool) else float(radius)
    except (TypeError, ValueError) as error:
        raise InputError(f"radius: {radius!r}; give one positive number") from error
    if not 0 < value < np.inf:
        raise InputError(f"radius: {value:g}; give a positive distance, in pixel units")
    if value > pixels**0.5:
        raise InputError(
            f"radius: {value:g}; no image is farther away than {pixels**0.5:g}, the "
            "diameter of the box; give at most that"
        )
    return value


def checked_count(name: str, value: Any, least: int) -> int:
    """Return a whole number of at least ``least``.

    Raises:
        InputError: It is something else.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise InputError(f"{name}: {value!r}; give a whole number from {least} on")
    return int(value)
