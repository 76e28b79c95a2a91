"""Checks of what callers of this chapter hand over."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from intriguing.attack.inputs import checked_classes
from intriguing.bounds.network import Network
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


def checked_radius(radius: Any) -> float:
    """Return a radius.

    Raises:
        InputError: It is no positive number.
    """
    try:
        value = float("nan") if isinstance(radius, bool) else float(radius)
    except (TypeError, ValueError) as error:
        raise InputError(f"radius: {radius!r}; give one positive number") from error
    if not 0 < value < np.inf:
        raise InputError(f"radius: {value:g}; give a positive distance, in pixel units")
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
