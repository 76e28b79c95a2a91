"""AlexNet, and two smaller networks of the same form.

All have five convolutions, overlapping max-pools and three fully connected layers.
`alexnet_2012` is the original; the others are for small images.
"""

from collections.abc import Callable
from typing import Any

from intriguing.models.architecture import Architecture

Layers = list[dict[str, Any]]

POOL = {"layer": "max-pool", "kernel_size": 3, "stride": 2}
RELU = {"layer": "relu"}


def conv(inputs: int, outputs: int, kernel: int, **more: int) -> Layers:
    """Return the description of a convolution and a ReLU."""
    sizes = {"in_channels": inputs, "out_channels": outputs, "kernel_size": kernel}
    return [{"layer": "conv", **sizes, **more}, RELU]


def linear(inputs: int, outputs: int) -> dict[str, Any]:
    """Return the description of a linear map."""
    return {"layer": "linear", "in_features": inputs, "out_features": outputs}


def classifier(features: int, units: int, classes: int, dropout: float) -> Layers:
    """Return the description of the three fully connected layers."""
    drop = [{"layer": "dropout", "p": dropout}] if dropout else []
    first = [{"layer": "flatten"}, *drop, linear(features, units), RELU]
    return [*first, *drop, linear(units, units), RELU, linear(units, classes)]


def alexnet_mnist() -> Architecture:
    """Return AlexNet for grey images of 28 x 28 pixels."""
    layers = [
        *conv(1, 12, 5),
        POOL,
        *conv(12, 32, 3, padding=1),
        POOL,
        *conv(32, 48, 3, padding=1),
        *conv(48, 48, 3, padding=1),
        *conv(48, 32, 3, padding=1),
        POOL,
        *classifier(4 * 32, 128, 10, dropout=0),
    ]
    return {"kind": "sequential", "layers": layers}


def alexnet_cifar10() -> Architecture:
    """Return AlexNet for colour images of 32 x 32 pixels."""
    statistics = {"mean": [0.5, 0.5, 0.5], "deviation": [0.25, 0.25, 0.25]}
    layers = [
        {"layer": "standardise", **statistics},
        *conv(3, 32, 5, padding=2),
        POOL,
        *conv(32, 64, 3, padding=1),
        POOL,
        *conv(64, 96, 3, padding=1),
        *conv(96, 96, 3, padding=1),
        *conv(96, 64, 3, padding=1),
        POOL,
        *classifier(9 * 64, 256, 10, dropout=0.2),
    ]
    return {"kind": "sequential", "layers": layers}


def alexnet_2012(
    classes: int = 1000, offset: float = 2.0, scale: float = 5e-4
) -> Architecture:
    """Return the network of Krizhevsky, Sutskever and Hinton (2012).

    It takes colour images of 227 x 227 pixels.

    Args:
        classes: Number of classes.
        offset: Constant k of contrast normalisation; 1 in Caffe's version.
        scale: Its alpha times the five channels of a window; 1e-4 in Caffe's version.
    """
    contrast = {"layer": "contrast", "size": 5, "alpha": scale, "beta": 0.75}
    contrast |= {"k": offset}
    layers = [
        {"layer": "standardise", "mean": [0.5] * 3, "deviation": [1 / 255] * 3},
        *conv(3, 96, 11, stride=4),
        contrast,
        POOL,
        *conv(96, 256, 5, padding=2, groups=2),
        contrast,
        POOL,
        *conv(256, 384, 3, padding=1),
        *conv(384, 384, 3, padding=1, groups=2),
        *conv(384, 256, 3, padding=1, groups=2),
        POOL,
        *classifier(9216, 4096, classes, dropout=0.5),
    ]
    return {"kind": "sequential", "layers": layers}


ARCHITECTURES: dict[str, Callable[..., Architecture]] = {
    "alexnet-mnist": alexnet_mnist,
    "alexnet-cifar10": alexnet_cifar10,
    "alexnet-2012": alexnet_2012,
}
