"""Intervals of pre-activations in a ball: by products of norms, and by CROWN.

CROWN (Zhang et al., 2018) bounds each activation by two lines and carries a linear
bound of the logits back to the pixels.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import nn

from intriguing.bounds.network import ACTIVATIONS, Network, pre_activations
from intriguing.bounds.sigmoid_lines import sigmoid_lines

WIDENED = 1e-9
"""Relative widening of all intervals, well above the rounding of their computation."""

Vector = Float[np.ndarray, " _"]


class Interval(NamedTuple):
    """Lower and upper ends of the pre-activations of one layer."""

    lower: Vector
    upper: Vector


class Lines(NamedTuple):
    """Lines below and above an activation on an interval, one pair a unit."""

    lower_slope: Vector
    lower_offset: Vector
    upper_slope: Vector
    upper_offset: Vector


def layer_norms(network: Network) -> list[float]:
    """Return the spectral norm of each layer, rounded up."""
    return [float(np.linalg.norm(w, 2)) * (1 + WIDENED) for w in network.weights]


def intervals_in_ball(
    network: Network, image: Vector, radius: float, norms: Sequence[float]
) -> list[Interval]:
    """Return intervals of the pre-activations of each hidden layer.

    Those of the first layer are exact; of the others the better of both methods.

    Args:
        network: The network.
        image: Centre of the ball.
        radius: Of the ball, by Euclidean distance.
        norms: Spectral norms of the layers (`layer_norms`).
    """
    found: list[Interval] = []
    steepest = ACTIVATIONS[network.activation].steepest
    reach = accumulate((steepest * norm for norm in norms), mul, initial=radius)
    centres = pre_activations(network, image[None])
    for layer, (distance, centre) in enumerate(zip(reach, centres[:-1], strict=False)):
        weight = network.weights[layer]
        half = np.linalg.norm(weight, axis=1) * distance
        lower, upper = centre[0] - half, centre[0] + half
        if layer:
            ball = network, image, radius, found
            bias = network.biases[layer]
            lower = np.maximum(lower, linear_lower_bound(*ball, weight, bias))
            upper = np.minimum(upper, -linear_lower_bound(*ball, -weight, -bias))
        slack = WIDENED * (np.abs(lower) + np.abs(upper) + 1)
        found.append(Interval(lower - slack, upper + slack))
    return found


def linear_lower_bound(
    network: Network,
    image: Vector,
    radius: float,
    intervals: Sequence[Interval],
    weights: Float[np.ndarray, "k units"],
    offsets: Float[np.ndarray, " k"],
) -> Float[np.ndarray, " k"]:
    """Return CROWN's lower bounds of linear functions of a hidden layer.

    Args:
        network: The network.
        image: Centre of the ball.
        radius: Of the ball.
        intervals: Of the layers up to that hidden layer.
        weights: One linear function of its activations a row.
        offsets: Added to them.
    """
    for layer in range(len(intervals) - 1, -1, -1):
        lines = lines_of(network.activation, intervals[layer])
        positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
        offsets = (
            offsets + positive @ lines.lower_offset + negative @ lines.upper_offset
        )
        weights = positive * lines.lower_slope + negative * lines.upper_slope
        offsets = offsets + weights @ network.biases[layer]
        weights = weights @ network.weights[layer]
    return weights @ image + offsets - radius * np.linalg.norm(weights, axis=1)


def lines_of(activation: type[nn.Module], interval: Interval) -> Lines:
    """Return lines between which an activation lies on an interval."""
    if activation is nn.ReLU:
        return _relu_lines(*interval)
    return Lines(*sigmoid_lines(ACTIVATIONS[activation], *interval))


def _relu_lines(lower: Vector, upper: Vector) -> Lines:
    """Return the chord above, and below the better of 0 and the identity."""
    active, unstable = lower >= 0, (lower < 0) & (upper > 0)
    chord = upper / np.where(unstable, upper - lower, 1.0)
    above = np.where(unstable, chord, active * 1.0)
    below = np.where(unstable, (upper > -lower) * 1.0, active * 1.0)
    offset = np.where(unstable, -chord * lower, 0.0)
    return Lines(below, np.zeros_like(lower), above, offset)
