"""What the tables and figures of section 4.3 need of a network, for a JSON file."""

from typing import Any

import torch
from torch import Tensor, nn

from intriguing.spectra import Layer, network_norms
from intriguing.spectra.convolution import Size, convolution
from intriguing.spectra.estimates import estimates_of
from intriguing.spectra.graph import network_bound
from intriguing.spectra.matrices import singular_values
from intriguing.spectra.torus import circular_values

STORED_VALUES = 256
"""Singular values of a layer that are stored for the figure, at even ranks."""


def summary(network: nn.Module, shape: Size) -> dict[str, Any]:
    """Return layers and products of a network in a form that JSON can hold.

    A layer has ``name``, ``kind``, its sizes, ``lower`` and ``upper``, the
    ``estimates`` by their column, and its ``spectrum``: singular values, descending;
    those of circular padding for a convolution. What does not apply is None.
    ``product`` multiplies the constants of all layers, ``product-of-norms`` only the
    operator norms of weights, as the paper does.

    Args:
        network: The network.
        shape: Channels, height and width of its images.
    """
    layers, product = network_norms(network, shape)
    norms = {
        path: layer.upper if layer.kind in ("conv", "fc") else 1.0
        for path, layer in layers.items()
    }
    return {
        "layers": [_record(layer) for layer in layers.values()],
        "product": product.upper,
        "product-of-norms": network_bound(network, norms, shape).upper,
    }


def _record(layer: Layer) -> dict[str, Any]:
    module, values, estimates = layer.module, None, None
    if layer.upper is not None and type(module) is nn.Linear:
        values = singular_values(module.weight.detach().double())
        estimates = {"smallest": float(values[0])}
    elif layer.upper is not None and type(module) is nn.Conv2d:
        given = module.weight, module.stride, module.padding, module.groups, layer.size
        measured = convolution(*given, module.dilation)
        values = circular_values(measured)
        estimates = {"smallest": float(values[0]), "circular": float(values[-1])}
        estimates |= estimates_of(measured)
    return {
        "name": layer.name,
        "kind": layer.kind,
        **_sizes(module),
        "lower": layer.lower,
        "upper": layer.upper,
        "estimates": estimates,
        "spectrum": None if values is None else _at_even_ranks(values),
    }


def _sizes(module: nn.Module) -> dict[str, Any]:
    """Return channels or units, and height and vertical step of the window."""
    inputs, outputs = None, None
    if isinstance(module, nn.Conv2d):
        inputs, outputs = module.in_channels, module.out_channels
    elif isinstance(module, nn.Linear):
        inputs, outputs = module.in_features, module.out_features
    window = getattr(module, "kernel_size", None), getattr(module, "stride", None)
    kernel, stride = (n[0] if isinstance(n, tuple) else n for n in window)
    return {"inputs": inputs, "outputs": outputs, "kernel": kernel, "stride": stride}


def _at_even_ranks(values: Tensor) -> list[float]:
    """Return values at even ranks, descending, with the largest and the smallest."""
    count = min(len(values), STORED_VALUES)
    ranks = torch.linspace(0, len(values) - 1, count).round().long()
    return values.flip(0)[ranks].tolist()
