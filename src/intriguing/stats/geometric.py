"""Geometric means over seeds, of factors and ratios."""

from collections.abc import Sequence
from math import exp, log

from intriguing.stats.intervals import Interval, over_seeds


def geometric_over_seeds(values: Sequence[float]) -> Interval | None:
    """Return the geometric mean of one positive value a seed, with its interval.

    The interval is Student's for the mean of the logarithms, so a ratio and its inverse
    have the same interval.

    Returns:
        The interval, or None for fewer than two values.
    """
    logs = over_seeds([log(value) for value in values])
    if logs is None:
        return None
    return Interval(exp(logs.value), exp(logs.low), exp(logs.high), seeds=logs.seeds)
