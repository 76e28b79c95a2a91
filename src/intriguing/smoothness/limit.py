"""What infinitely many training images would give."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import curve_fit

from intriguing.smoothness.effects import jackknifed
from intriguing.stats.intervals import Interval


def law(
    images: Float[np.ndarray, " n"], limit: float, gain: float, rate: float
) -> Float[np.ndarray, " n"]:
    """Return the mean log distance after some number of images, a power law."""
    return limit - gain * (images / 1000) ** -rate


def extrapolated(
    images: Float[np.ndarray, " n"], values: Float[np.ndarray, "seeds n"]
) -> dict[str, float]:
    """Return the log of the fitted limit, and of its ratio to the last value.

    Args:
        images: Numbers of training images, ascending.
        values: Mean log distance of each network.
    """
    # The rate has a lower limit, because at rate 0 gain and limit are the same thing.
    low, high = (-np.inf, -np.inf, 0.05), (np.inf, np.inf, 3.0)
    start = (values.mean(0)[-1], values.mean(0)[-1] - values.mean(0)[0], 0.5)
    fitted, _ = curve_fit(
        law, images, values.mean(0), p0=start, bounds=(low, high), maxfev=10_000
    )
    last = law(images[-1:], *fitted)[0]
    return {"limit": float(fitted[0]), "ratio": float(fitted[0] - last)}


def limit_table(
    images: Float[np.ndarray, " n"], values: Float[np.ndarray, "seeds n"]
) -> dict[str, Interval]:
    """Return `extrapolated` with intervals over seeds."""
    return jackknifed(lambda rows: extrapolated(images, values[rows]), len(values))
