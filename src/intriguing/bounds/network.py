"""Fully connected networks as matrices, in double precision."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import expit
from torch import nn

from intriguing.bounds.folding import Matrix, Vector, affine_map, layers_of
from intriguing.errors import InputError
from intriguing.models.checks import require_module


class Activation(NamedTuple):
    """An activation function of one variable.

    Attributes:
        value: The function.
        derivative: Its derivative; of the ReLU, 1 above zero and 0 elsewhere.
        steepest: The largest derivative, which is its Lipschitz constant.
        most_bent: The largest second derivative, by absolute value; infinite for ReLU.
    """

    value: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray]
    steepest: float
    most_bent: float


ACTIVATIONS: Mapping[type[nn.Module], Activation] = {
    nn.ReLU: Activation(
        lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0, 1.0, np.inf
    ),
    nn.Sigmoid: Activation(expit, lambda z: expit(z) * expit(-z), 0.25, 0.0963),
    nn.Tanh: Activation(np.tanh, lambda z: 1 - np.tanh(z) ** 2, 1.0, 0.7699),
}


class Network(NamedTuple):
    """Linear maps with one activation function between them.

    Attributes:
        weights: Matrix of each layer, (outputs, inputs).
        biases: Vector of each layer.
        activation: Type of the activation, a key of `ACTIVATIONS`.
    """

    weights: tuple[Matrix, ...]
    biases: tuple[Vector, ...]
    activation: type[nn.Module]

    @property
    def sizes(self) -> list[int]:
        """Units of each hidden layer."""
        return [len(bias) for bias in self.biases[:-1]]


def fully_connected(model: nn.Module) -> Network:
    """Return the weights of a fully connected model, normalisations folded into them.

    Raises:
        InputError: The model is something else, or mixes activation functions.
    """
    require_module(model)
    between, kinds = [[]], set()
    for layer in layers_of(model):
        if type(layer) in ACTIVATIONS:
            kinds.add(type(layer))
            between.append([])
        else:
            between[-1].append(layer)
    weights, biases = zip(*map(affine_map, between), strict=True)
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise InputError(f"model: {names}; use ReLU, Sigmoid or Tanh in all layers")
    for before, after in pairwise(weights):
        if len(before) != after.shape[1]:
            raise InputError(
                f"model: a Linear layer has {len(before)} outputs, and the next takes "
                f"{after.shape[1]}; make them equal"
            )
    if not all(np.isfinite(part).all() for part in (*weights, *biases)):
        raise InputError("model: it has NaN or infinite weights; train it again")
    return Network(weights, biases, kinds.pop() if kinds else nn.ReLU)


def pre_activations(
    network: Network, points: Float[np.ndarray, "k d"]
) -> list[Float[np.ndarray, "k _"]]:
    """Return what each layer computes before its activation; the logits are last."""
    values, found = points, []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        found.append(values @ weight.T + bias)
        values = ACTIVATIONS[network.activation].value(found[-1])
    return found


def logits_of(network: Network, points: Float[np.ndarray, "k d"]) -> Matrix:
    """Return the logits of flat images."""
    return pre_activations(network, points)[-1]


def margins_and_gradients(
    network: Network,
    points: Float[np.ndarray, "k d"],
    contrasts: Float[np.ndarray, "k classes"],
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k d"]]:
    """Return weighted sums of the logits of flat images, and their gradients."""
    *hidden, logits = pre_activations(network, points)
    gradient = contrasts
    derivative = ACTIVATIONS[network.activation].derivative
    for weight, values in zip(network.weights[:0:-1], hidden[::-1], strict=True):
        gradient = (gradient @ weight) * derivative(values)
    return (logits * contrasts).sum(1), gradient @ network.weights[0]


def contrast(classes: int, label: int, other: int) -> Vector:
    """Return the weights of the logits whose sum is the margin over another class."""
    weights = np.zeros(classes)
    weights[label], weights[other] = 1.0, -1.0
    return weights
