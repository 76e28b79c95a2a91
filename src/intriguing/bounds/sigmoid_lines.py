"""Lines below and above sigmoid-shaped functions on intervals, as CROWN needs them."""

import numpy as np
from jaxtyping import Float

from intriguing.bounds.network import Activation, Vector

SLOPES = 33
"""Slopes that are tried, from 0 to the steepest."""


def turning_points(
    activation: Activation, slopes: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """Return the positive points at which the derivative has given values."""
    shares = np.sqrt(np.maximum(1 - slopes / activation.steepest, 0))
    # f' = steepest (1 - tanh(c z)^2), where c is 1 for tanh and 1/2 for the sigmoid.
    stretch = 2 if activation.steepest < 1 else 1
    return stretch * np.arctanh(np.minimum(shares, 1 - 1e-15))


def sigmoid_lines(
    activation: Activation, lower: Vector, upper: Vector
) -> tuple[Vector, Vector, Vector, Vector]:
    """Return slopes and offsets of lines below, then of lines above.

    Of all slopes that are tried, each line has the one that is closest to the function
    in the middle of the interval. If f(z) - s z is extreme, z is an end or f'(z) = s.

    Args:
        activation: The sigmoid or the hyperbolic tangent.
        lower: Lower ends of the intervals.
        upper: Upper ends.
    """
    slopes = np.linspace(0, activation.steepest, SLOPES)[:, None]
    points = turning_points(activation, slopes)
    where = [lower + 0 * slopes, upper + 0 * slopes]
    where += [np.clip(sign * points, lower, upper) for sign in (-1, 1)]
    heights = np.array([activation.value(z) - slopes * z for z in where])
    middle = (lower + upper) / 2
    found, columns = [], np.arange(len(lower))
    for offsets, sign in ((heights.min(0), -1), (heights.max(0), 1)):
        best = (sign * (offsets + slopes * middle)).argmin(0)
        found += [slopes[best, 0], offsets[best, columns] + sign * 1e-12]
    return tuple(found)
