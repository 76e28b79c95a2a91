"""The average of distortions that pools the pixels of all images."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from jaxtyping import Float
from numpy import ndarray

from intriguing.stats.intervals import Interval, mean_interval


def pooled_mean(distortions: Sequence[Float[ndarray, " n"]]) -> Interval:
    """Return the root of the mean square distortion, given those of each seed's images.

    The spread is that of the squares, by the delta method; none where all are zero.
    """
    squares = mean_interval([seed**2 for seed in distortions])
    value = sqrt(squares.value)
    spread = squares.spread / (2 * value) if squares.spread and value else None
    low, high = sqrt(max(squares.low, 0.0)), sqrt(squares.high)
    return replace(squares, value=value, low=low, high=high, spread=spread)
