"""How convolutional networks are fitted."""

from math import sqrt
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional

from intriguing.errors import InputError
from intriguing.models.architecture import Architecture, build
from intriguing.training.adam import AdamRecipe, Group, Track, run_adam


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
