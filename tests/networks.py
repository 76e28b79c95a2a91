"""Small networks and images that several test files need."""

from pathlib import Path

import torch
from torch import nn

from intriguing.models.files import serialise_model
from intriguing.models.perceptron import perceptron, perceptron_architecture
from intriguing.training.perceptron import initialise_weights


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images_of(*shape: int, seed: int = 0) -> torch.Tensor:
    """Return uniform random pixels in [0, 1]."""
    return torch.rand(shape, generator=seeded(seed))


def random_perceptron(sizes: list[int], biases: list[bool]) -> nn.Sequential:
    network = perceptron(sizes, biases).eval()
    initialise_weights(network, seeded())
    return network


def store(path: Path, network: nn.Module, architecture=None) -> Path:
    """Write a network to a file; a perceptron needs no architecture."""
    architecture = architecture or perceptron_architecture(network)
    path.write_bytes(serialise_model(network, architecture, {"model": "test"}))
    return path
