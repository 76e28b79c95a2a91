"""Sigmoid networks trained as the paper says: by L-BFGS on all images at once.

The objective is the mean cross-entropy plus ``decay / 2`` times the sum of squared
weights of each layer (section 4.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize
from torch import Tensor, nn
from torch.nn import functional

from intriguing.models.perceptron import linear_layers
from intriguing.training.loop import Track

PIECE = 3000
"""Images at once: their states stay in the cache of the processor."""

Weights = list[Float[Tensor, "_ _"]]


@dataclass(frozen=True)
class LbfgsRecipe:
    """Settings of SciPy's L-BFGS-B.

    Attributes:
        iterations: Maximal number of iterations; there is no other stopping rule.
        memory: Pairs of steps and gradients that approximate the Hessian.
    """

    iterations: int
    memory: int


def fit_full_batch(
    network: nn.Sequential,
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    decays: Sequence[float],
    recipe: LbfgsRecipe,
    track: Track = iter,
) -> nn.Sequential:
    """Return the network trained from the weights that it has, in eval mode.

    Args:
        network: A perceptron with sigmoid units and without biases; changed in place.
        pixels: Training images, flattened.
        labels: Their classes.
        decays: The paper's lambda of each linear map.
        recipe: Settings of L-BFGS.
        track: Shows progress over iterations.
    """
    layers = linear_layers(network)
    shapes = [layer.weight.shape for layer in layers]
    # A pixel that is 0 in every image changes no prediction; its weights only decay.
    used = pixels.any(0)
    images = pixels[:, used].contiguous()

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = unflattened(flat, shapes)
        first = weights[0][:, used].contiguous()
        loss, gradients = loss_and_gradients([first, *weights[1:]], images, labels)
        of_first = torch.zeros_like(weights[0])
        of_first[:, used] = gradients[0]
        gradients[0] = of_first
        for decay, weight, gradient in zip(decays, weights, gradients, strict=True):
            loss += decay / 2 * float(weight.double().square().sum())
            gradient += decay * weight
        return loss, flattened(gradients)

    # SciPy reports each iteration and has no loop of its own to wrap.
    progress = iter(track(range(recipe.iterations)))
    result = minimize(
        objective,
        flattened([layer.weight.data for layer in layers]),
        jac=True,
        method="L-BFGS-B",
        callback=lambda _: next(progress, None),
        options={
            "maxiter": recipe.iterations,
            "maxfun": 2 * recipe.iterations,
            "maxcor": recipe.memory,
            "ftol": 0.0,
            "gtol": 0.0,
        },
    )
    next(progress, None)  # closes a bar that is full
    for layer, weight in zip(layers, unflattened(result.x, shapes), strict=True):
        layer.weight.data.copy_(weight)
    return network.eval().requires_grad_(False)


def loss_and_gradients(
    weights: Weights, images: Float[Tensor, "n d"], labels: Int[Tensor, " n"]
) -> tuple[float, Weights]:
    """Return the mean cross-entropy of a sigmoid network and its gradients."""
    loss, gradients = 0.0, [torch.zeros_like(weight) for weight in weights]
    for piece in zip(images.split(PIECE), labels.split(PIECE), strict=True):
        loss += add_gradients(weights, *piece, gradients)
    for gradient in gradients:
        gradient /= len(images)
    return loss / len(images), gradients


def add_gradients(
    weights: Weights,
    images: Float[Tensor, "m d"],
    labels: Int[Tensor, " m"],
    gradients: Weights,
) -> float:
    """Add the gradients of the summed cross-entropy in place; return the sum."""
    states = [images]
    for weight in weights[:-1]:
        states.append(torch.sigmoid(product(states[-1], weight.T)))
    log_probabilities = functional.log_softmax(product(states[-1], weights[-1].T), 1)
    error = log_probabilities.exp()
    error[torch.arange(len(labels)), labels] -= 1
    for layer in reversed(range(len(weights))):
        gradients[layer] += product(error.T, states[layer])
        if layer:
            state = states[layer]
            error = product(error, weights[layer]) * state * (1 - state)
    return -float(log_probabilities.gather(1, labels[:, None]).double().sum())


def product(
    left: Float[Tensor, "a b"], right: Float[Tensor, "b c"]
) -> Float[Tensor, "a c"]:
    """Return the matrix product, computed by NumPy.

    Torch takes up to half as long again on processors that are not Intel's.
    """
    return torch.from_numpy(left.numpy() @ right.numpy())


def flattened(tensors: Sequence[Tensor]) -> Float[np.ndarray, " parameters"]:
    """Return all entries as one float64 vector."""
    return torch.cat([tensor.flatten() for tensor in tensors]).double().numpy()


def unflattened(
    flat: Float[np.ndarray, " parameters"], shapes: Sequence[torch.Size]
) -> Weights:
    """Return the float32 matrices of these shapes that a vector holds."""
    parts = torch.from_numpy(flat).float().split([shape.numel() for shape in shapes])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def convergence(
    network: nn.Sequential,
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    decays: Sequence[float],
) -> dict[str, float]:
    """Return the ``objective`` and the ``gradient`` norm, L2 over all weights."""
    weights = [layer.weight for layer in linear_layers(network)]
    with torch.enable_grad():
        network.requires_grad_(True)
        loss = functional.cross_entropy(network(pixels), labels)
        for decay, weight in zip(decays, weights, strict=True):
            loss = loss + decay / 2 * weight.square().sum()
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        network.requires_grad_(False)
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    return {"objective": float(loss.detach()), "gradient": float(norm)}
