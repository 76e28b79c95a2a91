"""A ReLU network for the comparison; the paper's networks have sigmoid units.

Its nonsmooth points are the hardest case for attacks that use curvature, as ours do.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from intriguing.models.architecture import Architecture, build
from intriguing.training.loop import AdamRecipe, Track, train

BATCH = 100
LEARNING_RATE = 2e-3


def relu_architecture(sizes: Sequence[int]) -> Architecture:
    """Return linear layers with biases and ReLU between them."""
    layers: list[dict] = [{"layer": "flatten"}]
    for inputs, outputs in pairwise(sizes):
        linear = {"layer": "linear", "in_features": inputs, "out_features": outputs}
        layers += [linear, {"layer": "relu"}]
    return {"kind": "sequential", "layers": layers[:-1]}


def fit_relu(
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    sizes: Sequence[int],
    epochs: int,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return a network trained by Adam on the cross-entropy.

    Args:
        pixels: Training images, flattened.
        labels: Their classes.
        sizes: Pixels, units of each hidden layer, classes.
        epochs: Passes over the images.
        seed: Decides initial weights and the order of the images.
        track: Shows progress over epochs.
    """
    generator = torch.manual_seed(seed)
    network = build(relu_architecture(sizes))
    recipe = AdamRecipe(LEARNING_RATE, epochs, BATCH)
    groups = {0.0: list(network.parameters())}

    def loss(indices: Tensor) -> Tensor:
        return cross_entropy(network(pixels[indices]), labels[indices])

    return train(network, loss, groups, len(pixels), recipe, generator, track)
