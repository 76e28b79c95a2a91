"""The paper's fully connected networks."""

from collections.abc import Mapping
from typing import Any

from torch import nn


def perceptron(sizes: list[int], biases: list[bool]) -> nn.Sequential:
    """Return linear maps with sigmoids between them, after a flattening.

    Args:
        sizes: Units of each layer: pixels, hidden layers, classes.
        biases: Whether each linear map has a bias.
    """
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs, bias in zip(sizes[:-1], sizes[1:], biases, strict=True):
        layers += [nn.Linear(inputs, outputs, bias=bias), nn.Sigmoid()]
    return nn.Sequential(*layers[:-1])


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    """Return the linear layers of a network, from the pixels to the logits."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def perceptron_architecture(network: nn.Module) -> Mapping[str, Any]:
    """Return the architecture of a perceptron, from which `build` makes it."""
    layers = linear_layers(network)
    sizes = [layers[0].in_features, *(layer.out_features for layer in layers)]
    biases = [layer.bias is not None for layer in layers]
    return {"kind": "perceptron", "sizes": sizes, "biases": biases}
