"""Networks whose weights come from elsewhere, whole or in part."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from intriguing.errors import InputError
from intriguing.models.alexnet import alexnet_2012
from intriguing.models.architecture import build

LAYERS = (*(f"conv{i}" for i in range(1, 6)), "fc6", "fc7", "fc8")
"""Names of AlexNet's layers where its weights are published."""


def alexnet_from_layers(
    stored: Mapping[str, Tensor],
) -> tuple[nn.Sequential, list[str]]:
    """Return Krizhevsky's network with the layers that are there.

    Layers that are missing hold NaN: their norms are not to be had, nor is a
    prediction, and whatever is computed through them says so.

    Args:
        stored: Weights and biases by the layers' usual names, ``conv1.weight`` to
            ``fc8.bias``. Contrast normalisation is that of Caffe's copy.

    Returns:
        The network, and the places of its missing layers.

    Raises:
        InputError: No layer is there, or one has another shape.
    """
    network = build(alexnet_2012(offset=1.0, scale=1e-4)).eval().requires_grad_(False)
    layers = {
        place: layer
        for place, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    }
    missing = []
    for name, (place, layer) in zip(LAYERS, layers.items(), strict=True):
        if not _fill(layer, name, stored):
            missing.append(place)
    if len(missing) == len(LAYERS):
        raise InputError(f"none of the layers {', '.join(LAYERS)} is in the weights")
    return network, missing


def _fill(
    layer: nn.Conv2d | nn.Linear, name: str, stored: Mapping[str, Tensor]
) -> bool:
    """Copy one layer's weights, or set them to NaN; say which."""
    known = f"{name}.weight" in stored
    for kind, own in layer.named_parameters():
        given = stored.get(f"{name}.{kind}") if known else None
        if given is not None and given.shape != own.shape:
            raise InputError(
                f"{name}.{kind} is {tuple(given.shape)}; AlexNet's is "
                f"{tuple(own.shape)}"
            )
        own.data = torch.full_like(own, torch.nan) if given is None else given.float()
    return known
