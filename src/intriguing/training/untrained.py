"""Networks as they were before training, to compare with."""

from copy import deepcopy

import torch
from torch import nn

from intriguing.training.convolutional import initialise_rectifiers
from intriguing.training.perceptron import initialise_weights


def untrained_twin(network: nn.Sequential, seed: int) -> nn.Sequential:
    """Return the network with the weights that it had before training.

    Args:
        network: Any network of this project that is trained with a seed.
        seed: With which it was trained.
    """
    generator = torch.Generator().manual_seed(seed)
    twin = deepcopy(network)
    if any(isinstance(layer, nn.Sigmoid) for layer in network):
        initialise_weights(twin, generator)
        return twin
    if any(isinstance(layer, nn.Conv2d) for layer in network):
        # Weights are drawn in the order of the memory.
        twin = twin.to(memory_format=torch.channels_last)
    initialise_rectifiers(twin, generator)
    return twin.to(memory_format=torch.contiguous_format)
