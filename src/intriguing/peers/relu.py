"""A network of rectified units, for the comparison alone: the paper's have none.

Its kinks are what attacks that use curvature, as ours, have most trouble with.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from intriguing.models import load_model, read_architecture, serialise_model

KIND = "relu"
BATCH = 100
LEARNING_RATE = 2e-3

Track = Callable[[Iterable[int]], Iterable[int]]


def relu_network(sizes: Sequence[int]) -> nn.Sequential:
    """Flatten, then linear maps with biases and rectifiers between them."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def fit_relu(
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    hidden: Sequence[int],
    epochs: int,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return a network trained by Adam on the cross-entropy, its rate falling to 0.

    Args:
        pixels: Training images, flattened.
        labels: Their classes.
        hidden: Units of each hidden layer.
        epochs: Passes over the images.
        seed: Decides initial weights and the order of the images.
        track: Shows progress over epochs.
    """
    torch.manual_seed(seed)
    network = relu_network([pixels.shape[1], *hidden, int(labels.max()) + 1])
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


def serialise(network: nn.Sequential, facts: dict[str, str]) -> bytes:
    """Return the network as a file of the project, which `open_network` reads."""
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    sizes = [layers[0].in_features, *(layer.out_features for layer in layers)]
    return serialise_model(network, {"kind": KIND, "sizes": sizes}, facts)


def open_network(path: Path | str) -> nn.Sequential:
    """Return a network of the run, or one of rectified units, its weights frozen."""
    architecture = read_architecture(Path(path))
    if architecture.get("kind") != KIND:
        return load_model(path)
    network = relu_network(architecture["sizes"])
    network.load_state_dict(load_file(path))
    return network.eval().requires_grad_(False)
