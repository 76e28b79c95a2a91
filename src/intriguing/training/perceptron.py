"""Training of the paper's MNIST networks (section 4.2).

Every loss is a mean over images plus ``decay / 2`` times the sum of squared weights of
each layer; biases do not decay. Linear networks are fitted to convergence by L-BFGS,
sigmoid networks by L-BFGS on all images at once, as the paper says, or by Adam on
mini-batches. The encoder of an autoencoder is trained by Adam.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from intriguing.models.perceptron import linear_layers, perceptron
from intriguing.training.full_batch import LbfgsRecipe, fit_full_batch
from intriguing.training.loop import (
    AdamRecipe,
    BatchLoss,
    DecayGroups,
    Track,
    train,
)
from intriguing.training.softmax import CODE_TOLERANCE, fit_linear, fit_softmax

LossOf = Callable[[nn.Sequential, torch.Generator], BatchLoss]
"""Gives the loss of a network; the generator decides what is random in it."""


@dataclass(frozen=True)
class Sparsity:
    """Settings of the sparse autoencoder.

    Attributes:
        target: Target of the mean activation of each hidden unit.
        weight: Weight of the sparsity penalty.
        decay: Weight decay of encoder and decoder.
    """

    target: float
    weight: float
    decay: float


def fit_network(
    family: str,
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    hidden: Sequence[int],
    decays: Sequence[float],
    recipe: AdamRecipe | LbfgsRecipe,
    sparsity: Sparsity,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return a trained network of one of the paper's three families, in eval mode.

    Args:
        family: ``linear``, ``sigmoid`` or ``autoencoder``.
        pixels: Training images, flattened.
        labels: Their classes.
        hidden: Units of each hidden layer.
        decays: The paper's lambda of each linear map; for an autoencoder, that of the
            softmax.
        recipe: Settings of the optimiser; unused by linear networks. An autoencoder is
            trained by Adam.
        sparsity: Settings of the autoencoder; unused by other networks.
        seed: Decides initial weights and, for Adam, the order of the images.
        track: Shows progress over epochs or iterations.
    """
    if family == "linear":
        return fit_linear(pixels, labels, decays[0])
    if isinstance(recipe, LbfgsRecipe):
        generator = torch.Generator().manual_seed(seed)
        network = initial_classifier(pixels, labels, hidden, generator)
        return fit_full_batch(network, pixels, labels, decays, recipe, track)
    if family == "sigmoid":
        return fit_sigmoid(pixels, labels, hidden, decays, recipe, seed, track)
    return fit_autoencoder(
        pixels, labels, hidden[0], decays[0], sparsity, recipe, seed, track
    )


def fit_sigmoid(
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    hidden: Sequence[int],
    decays: Sequence[float],
    recipe: AdamRecipe,
    seed: int,
    track: Track = iter,
    loss_of: LossOf | None = None,
) -> nn.Sequential:
    """Return a trained classifier with sigmoid hidden layers, such as FC100-100-10.

    Arguments are those of `fit_network`; ``loss_of`` gives the loss of the network,
    which is the mean cross-entropy by default.
    """
    generator = torch.Generator().manual_seed(seed)
    network = initial_classifier(pixels, labels, hidden, generator)

    def cross_entropy(indices: Tensor) -> Tensor:
        return functional.cross_entropy(network(pixels[indices]), labels[indices])

    loss = loss_of(network, generator) if loss_of else cross_entropy
    groups = decay_groups(network, decays)
    return train(network, loss, groups, len(pixels), recipe, generator, track)


def initial_classifier(
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    hidden: Sequence[int],
    generator: torch.Generator,
) -> nn.Sequential:
    """Return a classifier with sigmoid hidden layers and random weights, untrained."""
    sizes = [pixels.shape[1], *hidden, int(labels.max()) + 1]
    network = perceptron(sizes, [False] * (len(sizes) - 1))
    initialise_weights(network, generator)
    return network


def initialise_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Set weights uniformly in +-sqrt(6 / (inputs + outputs + 1)), biases to 0."""
    for layer in linear_layers(network):
        bound = (6 / (layer.in_features + layer.out_features + 1)) ** 0.5
        layer.weight.data.uniform_(-bound, bound, generator=generator)
        if layer.bias is not None:
            layer.bias.data.zero_()


def decay_groups(network: nn.Module, decays: Sequence[float]) -> DecayGroups:
    """Return the parameters of a perceptron by their decay, which is 0 for biases."""
    groups: dict[float, list[Tensor]] = {}
    for layer, decay in zip(linear_layers(network), decays, strict=True):
        groups.setdefault(decay, []).append(layer.weight)
        if layer.bias is not None:
            groups.setdefault(0.0, []).append(layer.bias)
    return groups


def fit_autoencoder(
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    units: int,
    decay: float,
    sparsity: Sparsity,
    recipe: AdamRecipe,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return the paper's AE400-10: softmax on the codes of a sparse autoencoder.

    The code layer is trained to reconstruct pixels; the softmax does not change it.
    """
    width = pixels.shape[1]
    encoder = fit_encoder(pixels, units, sparsity, recipe, seed, track)
    codes = encoder(pixels).double().numpy()
    weights = fit_softmax(codes, labels, decay, CODE_TOLERANCE)
    network = perceptron([width, units, weights.shape[0]], [True, False])
    first, last = linear_layers(network)
    first.load_state_dict(linear_layers(encoder)[0].state_dict())
    last.weight.data.copy_(weights)
    return network.eval().requires_grad_(False)


def fit_encoder(
    pixels: Float[Tensor, "n d"],
    units: int,
    sparsity: Sparsity,
    recipe: AdamRecipe,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return the code layer of a trained sparse autoencoder with sigmoid units.

    The loss of an image is half the squared error of its reconstruction, plus
    ``weight * sum_j KL(target, mean_j)`` for the running mean activation of each unit
    j, plus weight decay.
    """
    generator = torch.Generator().manual_seed(seed)
    width = pixels.shape[1]
    autoencoder = perceptron([width, units, width], [True, True])
    initialise_weights(autoencoder, generator)
    encoder, decoder = autoencoder[:3], autoencoder[3:]
    mean = torch.full((units,), sparsity.target)

    def loss(indices: Tensor) -> Tensor:
        nonlocal mean
        codes = encoder(pixels[indices])
        error = torch.sigmoid(decoder(codes)) - pixels[indices]
        batch_mean = codes.mean(0)
        mean = 0.9 * mean + 0.1 * batch_mean.detach()
        # The running mean estimates the mean over all images; only the share of this
        # batch has a gradient.
        running = mean + batch_mean - batch_mean.detach()
        penalty = kl_divergence(sparsity.target, running).sum()
        return 0.5 * error.square().sum(1).mean() + sparsity.weight * penalty

    groups = decay_groups(autoencoder, [sparsity.decay] * 2)
    train(autoencoder, loss, groups, len(pixels), recipe, generator, track)
    return encoder


def kl_divergence(p: float, q: Float[Tensor, " units"]) -> Float[Tensor, " units"]:
    """Return the Kullback-Leibler divergence of Bernoulli(q) from Bernoulli(p)."""
    q = q.clamp(1e-6, 1 - 1e-6)
    return p * torch.log(p / q) + (1 - p) * torch.log((1 - p) / (1 - q))
