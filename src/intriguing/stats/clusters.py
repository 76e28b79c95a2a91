"""Intervals of estimates whose observations share images, seeds or networks.

Pairs of networks are not independent: they share images, sources and targets. The
observations are therefore grouped in clusters that are independent of each other, and
only the variation between clusters counts.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import t

from intriguing.errors import InputError
from intriguing.stats.intervals import TAIL, Interval


def clustered_interval(
    value: float, influences: Float[np.ndarray, " n"], clusters: Sequence[object]
) -> Interval | None:
    """Return Student's interval of an estimate; None for fewer than two clusters.

    Args:
        value: The estimate.
        influences: What each observation adds to it beyond its expectation; of a mean,
            the deviation from the mean divided by the number of observations.
        clusters: The cluster of each observation.
    """
    _, place = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(place, weights=influences)
    count = len(sums)
    if count < 2:
        return None
    return _student(value, float(np.sqrt(count / (count - 1) * (sums**2).sum())), count)


def jackknife_interval(value: float, replicates: Sequence[float]) -> Interval | None:
    """Return Student's interval of an estimate; None for fewer than three replicates.

    Args:
        value: The estimate.
        replicates: The estimate without each of the clusters in turn.
    """
    count = len(replicates)
    if count < 3:
        return None
    return _student(value, float(np.sqrt((count - 1) * np.var(replicates))), count)


def widest(intervals: Sequence[Interval | None]) -> Interval:
    """Return the interval of the greatest width among those that are there.

    Raises:
        InputError: None is there.
    """
    known = [one for one in intervals if one is not None]
    if not known:
        raise InputError("an interval needs at least two images, seeds or networks")
    return max(known, key=lambda one: one.high - one.low)


def _student(value: float, error: float, clusters: int) -> Interval:
    half = float(t.isf(TAIL, clusters - 1)) * error
    return Interval(value, value - half, value + half)
