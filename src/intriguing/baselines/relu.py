"""A network of rectified units, for the comparison alone: the paper's have none.

Its kinks are what attacks that use curvature, as ours, have most trouble with.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from intriguing.models.architecture import Architecture, build

BATCH = 100
LEARNING_RATE = 2e-3

Track = Callable[[Iterable[int]], Iterable[int]]


def relu_architecture(sizes: Sequence[int]) -> Architecture:
    """Describe linear maps with biases and rectifiers between them."""
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
    """Return a network trained by Adam on the cross-entropy, its rate falling to 0.

    Args:
        pixels: Training images, flattened.
        labels: Their classes.
        sizes: Pixels, units of each hidden layer, classes.
        epochs: Passes over the images.
        seed: Decides initial weights and the order of the images.
        track: Shows progress over epochs.
    """
    torch.manual_seed(seed)
    network = build(relu_architecture(sizes))
    batch = min(BATCH, len(pixels))
    steps = len(pixels) // batch
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps * epochs)
    for _ in track(range(epochs)):
        for rows in torch.randperm(len(pixels))[: steps * batch].split(batch):
            optimiser.zero_grad()
            functional.cross_entropy(network(pixels[rows]), labels[rows]).backward()
            optimiser.step()
            schedule.step()
    return network.eval().requires_grad_(False)
