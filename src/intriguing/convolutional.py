"""Convolutional networks after Krizhevsky's AlexNet, and how they are trained.

All have its five convolutions and three fully connected layers with overlapping pools;
`alexnet_2012` is the network itself, the others are scaled to small images.
"""

from collections.abc import Callable
from itertools import pairwise
from math import sqrt
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional

from intriguing.adam import AdamRecipe, Group, Track, run_adam
from intriguing.errors import InputError
from intriguing.models import Architecture, build

Layers = list[dict[str, Any]]

POOL = {"layer": "max-pool", "kernel_size": 3, "stride": 2}
RELU = {"layer": "relu"}


def conv(inputs: int, outputs: int, kernel: int, **more: int) -> Layers:
    """Describe a convolution and the rectifier behind it."""
    sizes = {"in_channels": inputs, "out_channels": outputs, "kernel_size": kernel}
    return [{"layer": "conv", **sizes, **more}, RELU]


def classifier(inputs: int, units: int, classes: int, dropout: float) -> Layers:
    """Describe the three fully connected layers."""
    sizes = [inputs, units, units]
    layers: Layers = [{"layer": "flatten"}]
    for before, after in pairwise(sizes):
        drop = [{"layer": "dropout", "p": dropout}] if dropout else []
        linear = {"layer": "linear", "in_features": before, "out_features": after}
        layers += [*drop, linear, RELU]
    last = {"layer": "linear", "in_features": units, "out_features": classes}
    return [*layers, last]


def alexnet_mnist() -> Architecture:
    """AlexNet for digits of 28 x 28 pixels."""
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
    """AlexNet for colour images of 32 x 32 pixels."""
    grey = {"mean": [0.5, 0.5, 0.5], "deviation": [0.25, 0.25, 0.25]}
    layers = [
        {"layer": "standardise", **grey},
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
    """AlexNet as in Krizhevsky, Sutskever and Hinton (2012), for 227 x 227 pixels.

    Args:
        classes: Of the images.
        offset: The constant k of its contrast normalisation; Caffe's copy has 1.
        scale: Its alpha times the five channels of a window; Caffe's copy has 1e-4.
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


class Moves(NamedTuple):
    """How batches are changed from one epoch to the next, as Krizhevsky did.

    Attributes:
        shift: Pixels by which a batch is moved at most, on each axis; what enters is 0.
        mirror: Whether half of the batches are mirrored.
    """

    shift: int = 0
    mirror: bool = False


def fit_convolutional(
    architecture: Architecture,
    images: UInt8[Tensor, "n c h w"],
    labels: Int[Tensor, " n"],
    recipe: AdamRecipe,
    decay: float,
    moves: Moves,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return a trained convolutional network, in eval mode.

    Args:
        architecture: What `intriguing.models.build` makes it of.
        images: Training images, 0 to 255.
        labels: Their classes.
        recipe: Settings of Adam.
        decay: Weight decay of all weights.
        moves: How batches are changed.
        seed: Decides initial weights, the order of the images, moves and dropout.
        track: Shows progress over epochs.

    Raises:
        InputError: The network does not take these images.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # of dropout, which takes no generator
        network = build(architecture).to(memory_format=torch.channels_last)
        draw_convolutions(network, generator)
        _require_fit(network, images, labels)

        def loss(rows: Tensor) -> Tensor:
            logits = network(moved(images[rows], moves, generator))
            return functional.cross_entropy(logits, labels[rows])

        groups = [Group(list(network.parameters()), decay)]
        run_adam(loss, groups, len(images), recipe, generator, track)
    network = network.to(memory_format=torch.contiguous_format)
    return network.eval().requires_grad_(False)


def draw_convolutions(network: nn.Module, generator: torch.Generator) -> None:
    """Draw normal weights of variance 2 over the inputs of a unit, biases 0.

    A rectifier then keeps the size of activations from layer to layer.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            reach = layer.weight[0].numel()
            layer.weight.data.normal_(0, sqrt(2 / reach), generator=generator)
            layer.bias.data.zero_()


def moved(
    images: UInt8[Tensor, "n c h w"], moves: Moves, generator: torch.Generator
) -> Float[Tensor, "n c h w"]:
    """Return a batch as pixels in [0, 1], moved and mirrored as a whole."""
    (height, width), shift = images.shape[2:], moves.shift
    if shift:
        around = functional.pad(images, (shift,) * 4)
        down, right = torch.randint(2 * shift + 1, (2,), generator=generator).tolist()
        images = around[..., down : down + height, right : right + width]
    if moves.mirror and torch.rand((), generator=generator) < 0.5:
        images = images.flip(3)
    return images.contiguous(memory_format=torch.channels_last).float() / 255


def _require_fit(network: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Refuse images of another shape, or more classes, than the network takes."""
    try:
        with torch.no_grad():
            logits = network(images[:1].float() / 255)
    except RuntimeError as error:
        shape = "x".join(map(str, images.shape[1:]))
        raise InputError(f"images of {shape} values do not fit the network") from error
    if int(labels.max()) >= logits.shape[1]:
        raise InputError(
            f"labels reach {int(labels.max())}, the network has {logits.shape[1]} "
            "classes"
        )
