"""How the paper's MNIST networks are fitted (section 4.2).

Every loss is the mean cross-entropy plus ``decay / 2`` times the sum of squared
weights of a layer, biases left out. Linear networks are convex and are fitted by
L-BFGS to convergence. The others are fitted by Adam in small batches, which departs
from the paper's text; `docs/methods.md` says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import Tensor, nn
from torch.nn import functional

from intriguing.models.perceptron import linear_layers, perceptron
from intriguing.training.adam import AdamRecipe, Group, Track, run_adam

LINEAR_TOLERANCE = 5e-5
CODE_TOLERANCE = 3e-4
"""Largest entry of the scaled gradient at which L-BFGS stops, on pixels and codes."""

TYPICAL_VARIANCE = 0.03
"""Of a predicted probability, over the training images; only speed hangs on it."""
ENOUGH = 6000
"""Images from which the second moment of the features is estimated; likewise."""


@dataclass(frozen=True)
class Sparsity:
    """Settings of the sparse autoencoder.

    Attributes:
        target: Wanted mean activation of a hidden unit.
        weight: Price of the divergence of the mean activation from the target.
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
    recipe: AdamRecipe,
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
        decays: The paper's lambda of each linear map; of an autoencoder the softmax's.
        recipe: Settings of Adam, where the network is not linear.
        sparsity: Settings of the autoencoder, where the network is one.
        seed: Decides initial weights and the order of the images.
        track: Shows progress over epochs.
    """
    if family == "linear":
        network = fit_linear(pixels, labels, decays[0])
    elif family == "sigmoid":
        network = fit_sigmoid(pixels, labels, hidden, decays, recipe, seed, track)
    else:
        network = fit_autoencoder(
            pixels, labels, hidden[0], decays[0], sparsity, recipe, seed, track
        )
    return network.eval().requires_grad_(False)


# ---------------------------------------------------------------- linear networks


def fit_softmax(
    features: np.ndarray | sparse.csr_matrix,
    labels: Int[Tensor, " n"],
    decay: float,
    tolerance: float,
) -> Float[Tensor, "classes d"]:
    """Return the weights of the convex softmax classifier without biases.

    The optimum is unique, so neither a seed nor a start matters.

    Args:
        features: Float64 pixels or codes, (n, d), dense or sparse.
        labels: Class of each row.
        decay: The paper's lambda.
        tolerance: Largest entry of the scaled gradient at which L-BFGS stops.
    """
    count, width = features.shape
    classes = int(labels.max()) + 1
    wanted = np.eye(classes)[labels.numpy()]
    scaling = inverse_root(features, decay)

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(classes, width) @ scaling
        log_probabilities = log_softmax(features @ weights.T, axis=1)
        loss = -(wanted * log_probabilities).sum() / count
        slope = (features.T @ (np.exp(log_probabilities) - wanted)).T / count
        loss += decay / 2 * (weights**2).sum()
        return loss, ((slope + decay * weights) @ scaling.T).ravel()

    found = minimize(
        loss_and_gradient,
        np.zeros(classes * width),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": tolerance, "ftol": 0.0, "maxiter": 1000, "maxfun": 2000},
    )
    return torch.from_numpy(found.x.reshape(classes, width) @ scaling).float()


def inverse_root(
    features: np.ndarray | sparse.csr_matrix, decay: float
) -> Float[np.ndarray, "d d"]:
    """Return R with ``R H R^T = 1`` for about the Hessian H of one class's loss.

    In the variables ``V = W R^-1`` the loss is round, and L-BFGS needs a fifth of the
    steps. H is the features' second moment times a typical variance of a prediction,
    plus the decay.
    """
    width = features.shape[1]
    some = features[:: max(features.shape[0] // ENOUGH, 1)]
    moment = some.T @ some / some.shape[0]
    moment = moment.toarray() if sparse.issparse(moment) else moment
    root = cholesky(TYPICAL_VARIANCE * moment + decay * np.eye(width), lower=True)
    return solve_triangular(root, np.eye(width), lower=True)


def fit_linear(
    pixels: Float[Tensor, "n d"], labels: Int[Tensor, " n"], decay: float
) -> nn.Sequential:
    """Return the paper's FC10(decay): softmax on the pixels, no hidden layer."""
    # Most pixels are 0: the sparse product is twice as fast as the dense one.
    rows = sparse.csr_matrix(pixels.double().numpy())
    weights = fit_softmax(rows, labels, decay, LINEAR_TOLERANCE)
    network = perceptron([pixels.shape[1], weights.shape[0]], [False])
    linear_layers(network)[0].weight.data.copy_(weights)
    return network


# ---------------------------------------------------------------- sigmoid networks


def fit_sigmoid(
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    hidden: Sequence[int],
    decays: Sequence[float],
    recipe: AdamRecipe,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return a trained network of sigmoid hidden layers, FC100-100-10 for instance.

    Args:
        pixels: Training images, flattened.
        labels: Their classes.
        hidden: Units of each hidden layer.
        decays: The paper's lambda of each linear map.
        recipe: Settings of Adam.
        seed: Decides initial weights and the order of the images.
        track: Shows progress over epochs.
    """
    generator = torch.Generator().manual_seed(seed)
    sizes = [pixels.shape[1], *hidden, int(labels.max()) + 1]
    network = perceptron(sizes, [False] * (len(sizes) - 1))
    draw_weights(network, generator)

    def loss(rows: Tensor) -> Tensor:
        return functional.cross_entropy(network(pixels[rows]), labels[rows])

    run_adam(loss, decay_groups(network, decays), len(pixels), recipe, generator, track)
    return network


def draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Draw initial weights from +-sqrt(6 / (inputs + outputs + 1)), biases 0."""
    for layer in linear_layers(network):
        bound = (6 / (layer.in_features + layer.out_features + 1)) ** 0.5
        layer.weight.data.uniform_(-bound, bound, generator=generator)
        if layer.bias is not None:
            layer.bias.data.zero_()


def decay_groups(network: nn.Module, decays: Sequence[float]) -> list[Group]:
    """Pair each layer's weights with its decay, and its biases with none."""
    groups = []
    for layer, decay in zip(linear_layers(network), decays, strict=True):
        groups.append(Group([layer.weight], decay))
        if layer.bias is not None:
            groups.append(Group([layer.bias], 0.0))
    return groups


# ---------------------------------------------------------------- the autoencoder


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

    The code layer is trained to reconstruct pixels and is not fine-tuned.
    """
    width = pixels.shape[1]
    encoder = fit_encoder(pixels, units, sparsity, recipe, seed, track)
    with torch.no_grad():
        codes = encoder(pixels).double().numpy()
    weights = fit_softmax(codes, labels, decay, CODE_TOLERANCE)
    network = perceptron([width, units, weights.shape[0]], [True, False])
    first, last = linear_layers(network)
    first.load_state_dict(linear_layers(encoder)[0].state_dict())
    last.weight.data.copy_(weights)
    return network


def fit_encoder(
    pixels: Float[Tensor, "n d"],
    units: int,
    sparsity: Sparsity,
    recipe: AdamRecipe,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return the code layer of a sparse autoencoder of sigmoid units.

    Loss of an image: half the squared error of its reconstruction, plus the
    divergence between wanted and running mean activation, plus weight decay.
    """
    generator = torch.Generator().manual_seed(seed)
    width = pixels.shape[1]
    whole = perceptron([width, units, width], [True, True])
    draw_weights(whole, generator)
    encoder, decoder = whole[:3], whole[3:]
    mean = torch.full((units,), sparsity.target)

    def loss(rows: Tensor) -> Tensor:
        nonlocal mean
        codes = encoder(pixels[rows])
        error = torch.sigmoid(decoder(codes)) - pixels[rows]
        batch_mean = codes.mean(0)
        mean = 0.9 * mean + 0.1 * batch_mean.detach()
        # Value of the running mean, gradient of the batch's: the divergence is one of
        # the mean over all images, of which the batch sees only its own part.
        running = mean + batch_mean - batch_mean.detach()
        squared = 0.5 * error.square().sum(1).mean()
        return squared + sparsity.weight * divergence(sparsity.target, running).sum()

    groups = decay_groups(whole, [sparsity.decay] * 2)
    run_adam(loss, groups, len(pixels), recipe, generator, track)
    return encoder.requires_grad_(False)


def divergence(target: float, mean: Float[Tensor, " units"]) -> Float[Tensor, " units"]:
    """Kullback-Leibler divergence between two Bernoulli variables of these means."""
    mean = mean.clamp(1e-6, 1 - 1e-6)
    absent = (1 - target) * torch.log((1 - target) / (1 - mean))
    return target * torch.log(target / mean) + absent
