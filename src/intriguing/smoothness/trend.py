"""What ten times as many training images would give."""

import numpy as np
from jaxtyping import Float

from intriguing.smoothness.effects import jackknifed
from intriguing.stats.intervals import Interval

LARGEST = 3
"""Largest numbers of images, whose trend is continued; at fewer there is none."""


def log_factor(
    images: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"]
) -> float:
    """Return the log of the factor of ten times the images, if the trend goes on.

    The trend is the line of least squares of log distance against log images through
    the `LARGEST` numbers. They do not determine a limit: a power law fits them as well
    with a limit near the last value as with one many times as high.

    Args:
        images: Numbers of training images, ascending.
        values: Mean log distances.
    """
    logs = np.log(images[-LARGEST:])
    return float(np.polyfit(logs, values[-LARGEST:], 1)[0] * np.log(10))


def tenfold(
    images: Float[np.ndarray, " n"], values: Float[np.ndarray, "seeds n"]
) -> Interval:
    """Return `log_factor` with an interval over seeds."""
    return jackknifed(
        lambda rows: {"log": log_factor(images, values[rows].mean(0))}, len(values)
    )["log"]
