"""Fully connected networks as matrices, in double precision."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import expit
from torch import nn

from intriguing.attack.minimal.network import stack_of
from intriguing.errors import InputError

Vector = Float[np.ndarray, " _"]
Matrix = Float[np.ndarray, "_ _"]


class Activation(NamedTuple):
    """An activation function of one variable.

    Attributes:
        value: The function.
        derivative: Its derivative; of the ReLU, 1 above zero and 0 elsewhere.
        steepest: The largest derivative, which is its Lipschitz constant.
    """

    value: Callable[[np.ndarray], np.ndarray]
    derivative: Callable[[np.ndarray], np.ndarray]
    steepest: float


ACTIVATIONS: Mapping[type[nn.Module], Activation] = {
    nn.ReLU: Activation(lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0, 1.0),
    nn.Sigmoid: Activation(expit, lambda z: expit(z) * expit(-z), 0.25),
    nn.Tanh: Activation(np.tanh, lambda z: 1 - np.tanh(z) ** 2, 1.0),
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
    """Return the weights of a fully connected model.

    Raises:
        InputError: The model is something else, or mixes activation functions.
    """
    layers = stack_of(model)
    linear = (layers or [])[::2]
    between = {type(layer) for layer in (layers or [])[1::2]}
    if not all(type(layer) is nn.Linear for layer in linear) or not linear:
        raise InputError(
            "model: bounds are for nn.Sequential(Flatten, Linear, activation, ..., "
            f"Linear); {type(model).__name__} given is no such network"
        )
    if len(between) > 1 or not between <= set(ACTIVATIONS):
        names = ", ".join(sorted(kind.__name__ for kind in between))
        raise InputError(f"model: {names}; use ReLU, Sigmoid or Tanh in all layers")
    weights = [_array(layer.weight) for layer in linear]
    biases = [
        np.zeros(len(weight)) if layer.bias is None else _array(layer.bias)
        for layer, weight in zip(linear, weights, strict=True)
    ]
    if not all(np.isfinite(part).all() for part in (*weights, *biases)):
        raise InputError("model: it has NaN or infinite weights; train it again")
    activation = between.pop() if between else nn.ReLU
    return Network(tuple(weights), tuple(biases), activation)


def _array(values: Any) -> np.ndarray:
    return values.detach().double().cpu().numpy()


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
    """Return weighted sums of logits and their gradients by the pixels.

    Args:
        network: The network.
        points: Flat images.
        contrasts: One weight a logit, for each image.
    """
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
