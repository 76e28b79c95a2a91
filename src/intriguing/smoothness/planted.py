"""A problem whose most robust classifier is known: orthogonal clusters.

Feature averaging (arXiv 2410.10322): k clusters around orthogonal centres of length √d
belong to two classes in turn. The best classifier is √(d/2) away from each centre,
whatever k is. A network that averages the features of a class is about √(d/k) away.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from intriguing.attack import find_adversarial

DIMENSIONS, NOISE = 400, 0.5
SCALE = 40.0
"""Length of the planted problem that is one pixel; large, so that the box is slack."""
WIDTH, STEPS, RATE, INITIAL = 64, 600, 0.05, 1e-2


class Clusters(NamedTuple):
    """Samples of the planted problem, as pixels around one half."""

    centres: Float[Tensor, "k d"]
    images: Float[Tensor, "n 1 1 d"]
    cluster: Int[Tensor, " n"]


def clusters(count: int, samples: int, seed: int) -> Clusters:
    """Return samples around orthogonal centres."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.randn(DIMENSIONS, count, generator=generator, dtype=torch.float64)
    centres = torch.linalg.qr(basis).Q.T.float() * DIMENSIONS**0.5
    cluster = torch.arange(samples) % count
    noise = NOISE * torch.randn(samples, DIMENSIONS, generator=generator)
    images = (centres[cluster] + noise) / SCALE + 0.5
    return Clusters(centres, images[:, None, None], cluster)


class NormalisedPower(nn.Module):
    """Rectified units to a power p, relu(w·x + b)^p / ‖w‖^(p-1).

    Min and Vidal (arXiv 2405.15942) call them pReLU; with p = 1 they are ReLU units.
    """

    def __init__(self, linear: nn.Linear, power: int) -> None:
        super().__init__()
        self.linear, self.power = linear, power

    def forward(self, inputs: Float[Tensor, "n d"]) -> Float[Tensor, "n units"]:
        """Return the activations."""
        norms = self.linear.weight.norm(dim=1)
        raised = torch.relu(self.linear(inputs)) ** self.power
        return raised / norms ** (self.power - 1)


def trained(
    data: Clusters, labels: Int[Tensor, " n"], seed: int, power: int = 1
) -> nn.Sequential:
    """Return a network of one hidden layer, trained by gradient descent on all samples.

    The initial weights are small, as the theory asks for.

    Args:
        data: Samples of the planted problem.
        labels: Their classes in training.
        seed: Of the initial weights.
        power: Exponent of the rectified units.
    """
    generator = torch.Generator().manual_seed(seed)
    outputs = int(labels.max()) + 1
    layers = [nn.Linear(DIMENSIONS, WIDTH), nn.Linear(WIDTH, outputs)]
    with torch.no_grad():
        for layer in layers:
            drawn = torch.randn(layer.weight.shape, generator=generator)
            layer.weight.copy_(INITIAL * drawn / layer.in_features**0.5)
            layer.bias.zero_()
    inputs = (data.images.flatten(1) - 0.5) * SCALE
    units = (
        [layers[0], nn.ReLU()] if power == 1 else [NormalisedPower(layers[0], power)]
    )
    network = nn.Sequential(*units, layers[1])
    optimiser = torch.optim.SGD(network.parameters(), RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        cross_entropy(network(inputs), labels).backward()
        optimiser.step()
    with torch.no_grad():
        # From the planted coordinates to pixels.
        layers[0].weight.mul_(SCALE)
        layers[0].bias.sub_(layers[0].weight.sum(1) / 2)
        layers[1].weight.mul_(SCALE ** (power - 1))
    return nn.Sequential(nn.Flatten(), *network).eval()


def distances(network: nn.Module, data: Clusters, starts: int) -> Float[Tensor, " n"]:
    """Return the distance of each sample to the other class, in the problem's unit."""
    model = Parity(network)
    found = find_adversarial(
        model,
        data.images,
        labels=data.cluster % 2,
        method="minimal",
        starts=starts,
        start_images=data.images,
    )
    return (found.images - data.images).flatten(1).norm(dim=1) * SCALE


class Parity(nn.Module):
    """A network that tells clusters or classes apart, as one of the two classes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Float[Tensor, "n 1 1 d"]) -> Float[Tensor, "n 2"]:
        """Return the logits of the two classes."""
        logits = self.network(images)
        return logits.reshape(len(logits), -1, 2).logsumexp(1)
