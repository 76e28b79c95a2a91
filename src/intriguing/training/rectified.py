"""Multilayer networks that the paper does not have, such as rectified ones."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from intriguing.models.alexnet import RELU, linear
from intriguing.models.architecture import Architecture
from intriguing.training.convolutional import initialise_rectifiers
from intriguing.training.loop import AdamRecipe, Track, train

RECIPE = AdamRecipe(learning_rate=2e-3, epochs=8, batch=100)


def rectified_architecture(sizes: Sequence[int]) -> Architecture:
    """Return linear layers with biases and ReLU between them.

    Args:
        sizes: Pixels, units of each hidden layer, classes.
    """
    layers = [{"layer": "flatten"}]
    for widths in pairwise(sizes):
        layers += [linear(*widths), RELU]
    return {"kind": "sequential", "layers": layers[:-1]}


def fit_classifier(
    network: nn.Sequential,
    pixels: Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"],
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return the network trained from new weights on the cross-entropy, in eval mode.

    Args:
        network: Changed in place.
        pixels: Training images.
        labels: Their classes.
        seed: Decides initial weights and the order of the images.
        track: Shows progress over epochs.
    """
    generator = torch.Generator().manual_seed(seed)
    initialise_rectifiers(network, generator)

    def loss(indices: Tensor) -> Tensor:
        return cross_entropy(network(pixels[indices]), labels[indices])

    groups = {0.0: list(network.parameters())}
    return train(network, loss, groups, len(pixels), RECIPE, generator, track)
