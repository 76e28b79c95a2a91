"""Intervals of pre-activations in a ball: by products of norms, and by CROWN.

CROWN (Zhang et al., 2018) bounds each activation by two lines and carries a linear
bound of the logits back to the pixels. There its least value is taken over the ball, or
over the part of the ball in the box.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import nn

from intriguing.bounds.network import ACTIVATIONS, Network, Vector, pre_activations
from intriguing.bounds.sigmoid_lines import sigmoid_lines

WIDENED = 1e-9
"""Relative widening of all intervals, well above the rounding of their computation."""
TINIEST = 1e-9
"""Least multiplier of a ball, relative to the one without a box."""
PEGGINGS = 30
"""Most rounds that look for the pixels which end at the box."""


class Interval(NamedTuple):
    """Lower and upper ends of the pre-activations of one layer."""

    lower: Vector
    upper: Vector


class Ball(NamedTuple):
    """Images near one.

    Attributes:
        image: Centre, flat pixels in [0, 1].
        radius: By Euclidean distance.
        in_box: Whether only the images of the ball in [0, 1] count.
    """

    image: Vector
    radius: float
    in_box: bool


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
    network: Network, ball: Ball, norms: Sequence[float]
) -> list[Interval]:
    """Return intervals of the pre-activations of each hidden layer.

    Those of the first layer are exact; of the others the better of both methods.

    Args:
        network: The network.
        ball: The images.
        norms: Spectral norms of the layers (`layer_norms`).
    """
    found: list[Interval] = []
    steepest = ACTIVATIONS[network.activation].steepest
    reach = accumulate((steepest * norm for norm in norms), mul, initial=ball.radius)
    centres = pre_activations(network, ball.image[None])
    for layer, (distance, centre) in enumerate(zip(reach, centres[:-1], strict=False)):
        weight, bias = network.weights[layer], network.biases[layer]
        half = np.linalg.norm(weight, axis=1) * distance
        below = network, ball, found
        lower = linear_lower_bound(*below, weight, bias)
        upper = -linear_lower_bound(*below, -weight, -bias)
        lower = np.maximum(lower, centre[0] - half)
        upper = np.minimum(upper, centre[0] + half)
        slack = WIDENED * (np.abs(lower) + np.abs(upper) + 1)
        found.append(Interval(lower - slack, upper + slack))
    return found


def linear_lower_bound(
    network: Network,
    ball: Ball,
    intervals: Sequence[Interval],
    weights: Float[np.ndarray, "k units"],
    offsets: Float[np.ndarray, " k"],
) -> Float[np.ndarray, " k"]:
    """Return CROWN's lower bounds of linear functions of a hidden layer.

    Args:
        network: The network.
        ball: The images.
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
    return offsets + least_in_ball(ball, weights)


def least_in_ball(
    ball: Ball, weights: Float[np.ndarray, "k d"]
) -> Float[np.ndarray, " k"]:
    """Return lower bounds of linear functions of the pixels, one a row.

    With any v > 0, the sum over pixels of the least w d + v d^2 in the box, minus
    v radius^2, bounds w d in ball and box. At the best v the pixels that do not end at
    the box have the change -w / 2v, and all changes the length of the radius.
    """
    image, radius = ball.image, ball.radius
    lengths = np.linalg.norm(weights, axis=1)
    if not ball.in_box:
        return weights @ image - radius * lengths
    multipliers = np.maximum(lengths, 1e-300)[:, None] / (2 * radius)
    least, free = TINIEST * multipliers, np.ones(weights.shape, bool)
    for _ in range(PEGGINGS):
        changes = np.clip(-weights / (2 * multipliers), -image, 1 - image)
        were, free = free, (changes > -image) & (changes < 1 - image)
        if (were == free).all():
            break
        left = radius**2 - np.where(free, 0, changes**2).sum(1, keepdims=True)
        inner = np.where(free, weights**2, 0).sum(1, keepdims=True)
        multipliers = np.sqrt(inner / np.maximum(4 * left, 1e-300))
        multipliers = np.maximum(multipliers, least)
    terms = (weights + multipliers * changes) * changes
    return weights @ image + terms.sum(1) - multipliers[:, 0] * radius**2


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
