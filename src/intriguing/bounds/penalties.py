"""Training with a penalty on a bound of the Lipschitz constant (paper, section 4.3).

The paper suggests to penalise each layer's bound and does not try it. Here a rectified
network is trained with each of `METHODS`, at several strengths.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.parametrize import register_parametrization, remove_parametrizations

from intriguing.training.convolutional import initialise_rectifiers
from intriguing.training.loop import AdamRecipe, Track, train

RECIPE = AdamRecipe(learning_rate=2e-3, epochs=12, batch=100)

Weights = Sequence[Float[Tensor, "_ _"]]


class Method(NamedTuple):
    """A way to keep the gradients small.

    Attributes:
        penalty: Added to the loss, times the strength; None for a constraint.
        strengths: From weak to strong.
    """

    penalty: Callable[[Weights], Float[Tensor, ""]] | None
    strengths: tuple[float, ...]


def squared_weights(weights: Weights) -> Float[Tensor, ""]:
    """Return half of the sum of squared weights."""
    return torch.stack([weight.square().sum() for weight in weights]).sum() / 2


def product_of_norms(weights: Weights) -> Float[Tensor, ""]:
    """Return the product of the operator norms, which the paper bounds."""
    return torch.stack([_norm(weight) for weight in weights]).prod()


def eclipse_bound(weights: Weights) -> Float[Tensor, ""]:
    """Return ECLipsE-Fast's bound of a rectified network, as `lipschitz` does."""
    first, *others = weights
    inner = first @ first.T
    for weight in others:
        multiplier = 2 / torch.linalg.eigvalsh(inner)[-1]
        matrix = multiplier.expand(len(inner)).diag() - (multiplier / 2) ** 2 * inner
        inner = weight @ torch.linalg.solve(matrix, weight.T)
    return torch.linalg.eigvalsh(inner)[-1].sqrt()


METHODS: Mapping[str, Method] = {
    "decay": Method(squared_weights, (0.0, 3e-4, 1e-3, 3e-3, 1e-2)),
    "product": Method(product_of_norms, (1e-3, 3e-3, 1e-2, 3e-2, 0.1)),
    "spectral": Method(None, (32.0, 16.0, 8.0, 5.7, 4.0)),
    "eclipse": Method(eclipse_bound, (1e-3, 3e-3, 1e-2, 3e-2, 0.1)),
}
"""With ``spectral`` all layers have one norm, and the strength is their product."""


class _OfNorm(nn.Module):
    """A matrix scaled to an operator norm."""

    def __init__(self, norm: float) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, weight: Float[Tensor, "m n"]) -> Float[Tensor, "m n"]:
        return weight * (self.norm / _norm(weight))


def fit_with_penalty(
    network: nn.Sequential,
    pixels: Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"],
    method: str,
    strength: float,
    seed: int,
    track: Track = iter,
) -> nn.Sequential:
    """Return the network trained from new weights with a penalty, in eval mode.

    Args:
        network: Linear layers with ReLU between them; changed in place.
        pixels: Training images.
        labels: Their classes.
        method: A key of `METHODS`.
        strength: Factor of the penalty, or the product of the norms of ``spectral``.
        seed: Decides initial weights and the order of the images.
        track: Shows progress over epochs.
    """
    generator = torch.Generator().manual_seed(seed)
    initialise_rectifiers(network, generator)
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    penalty = METHODS[method].penalty
    if penalty is None:
        for layer in layers:
            norm = _OfNorm(strength ** (1 / len(layers)))
            register_parametrization(layer, "weight", norm)

    def loss(indices: Tensor) -> Tensor:
        fit = cross_entropy(network(pixels[indices]), labels[indices])
        if penalty is None or strength == 0:
            return fit
        return fit + strength * penalty([layer.weight for layer in layers])

    groups = {0.0: list(network.parameters())}
    train(network, loss, groups, len(pixels), RECIPE, generator, track)
    if penalty is None:
        for layer in layers:
            remove_parametrizations(layer, "weight")
    return network.requires_grad_(False)


def _norm(weight: Float[Tensor, "m n"]) -> Float[Tensor, ""]:
    """Return the operator norm, from the smaller Gram matrix."""
    wide = weight if weight.shape[0] <= weight.shape[1] else weight.T
    return torch.linalg.eigvalsh(wide @ wide.T)[-1].sqrt()
