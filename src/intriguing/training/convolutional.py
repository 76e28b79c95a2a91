"""Training of convolutional networks."""

from math import sqrt
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional

from intriguing.errors import InputError
from intriguing.models.architecture import Architecture, build
from intriguing.training.loop import AdamRecipe, Track, train


class Augmentation(NamedTuple):
    """Random changes of each batch, after Krizhevsky, Sutskever and Hinton (2012).

    Attributes:
        shift: Largest translation along each axis, in pixels; new pixels are 0.
        mirror: Whether a batch is mirrored with probability 1/2.
    """

    shift: int = 0
    mirror: bool = False


def fit_convolutional(
    architecture: Architecture,
    images: UInt8[Tensor, "n c h w"],
    labels: Int[Tensor, " n"],
    recipe: AdamRecipe,
    decay: float,
    augmentation: Augmentation,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return a trained convolutional network, in eval mode.

    Args:
        architecture: As `intriguing.models.architecture.build` takes it.
        images: Training images, 0 to 255.
        labels: Their classes.
        recipe: Settings of Adam.
        decay: Weight decay of all parameters.
        augmentation: Random changes of each batch.
        seed: Decides initial weights, the order of the images, augmentation, dropout.
        track: Shows progress over epochs.

    Raises:
        InputError: The network does not take these images or labels.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # for dropout layers, which take no generator
        network = build(architecture).to(memory_format=torch.channels_last)
        initialise_rectifiers(network, generator)
        _require_fit(network, images, labels)

        def loss(indices: Tensor) -> Tensor:
            batch = augmented(images[indices], augmentation, generator)
            return functional.cross_entropy(network(batch), labels[indices])

        groups = {decay: list(network.parameters())}
        train(network, loss, groups, len(images), recipe, generator, track)
    return network.to(memory_format=torch.contiguous_format)


def initialise_rectifiers(network: nn.Module, generator: torch.Generator) -> None:
    """Draw normal weights of variance 2 / inputs (He et al. 2015); set biases to 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            inputs = layer.weight[0].numel()
            layer.weight.data.normal_(0, sqrt(2 / inputs), generator=generator)
            if layer.bias is not None:
                layer.bias.data.zero_()


def augmented(
    images: UInt8[Tensor, "n c h w"],
    augmentation: Augmentation,
    generator: torch.Generator,
) -> Float[Tensor, "n c h w"]:
    """Return a batch as pixels in [0, 1], translated and mirrored as a whole."""
    (height, width), shift = images.shape[2:], augmentation.shift
    if shift:
        padded = functional.pad(images, (shift,) * 4)
        top, left = torch.randint(2 * shift + 1, (2,), generator=generator).tolist()
        images = padded[..., top : top + height, left : left + width]
    if augmentation.mirror and torch.rand((), generator=generator) < 0.5:
        images = images.flip(3)
    return images.contiguous(memory_format=torch.channels_last).float() / 255


def _require_fit(network: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Raise `InputError` if the network takes other images or fewer classes."""
    try:
        with torch.no_grad():
            classes = network(images[:1].float() / 255).shape[1]
    except RuntimeError as error:
        shape = "x".join(map(str, images.shape[1:]))
        raise InputError(f"images of {shape} values do not fit the network") from error
    if int(labels.max()) >= classes:
        raise InputError(
            f"labels reach {int(labels.max())}; the network has {classes} classes"
        )
