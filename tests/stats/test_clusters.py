"""Intervals over clusters, compared with those of independent observations."""

import numpy as np
import pytest

from intriguing.errors import InputError
from intriguing.stats.clusters import clustered_interval, jackknife_interval, widest
from intriguing.stats.intervals import Interval, mean_interval

VALUES = np.random.default_rng(0).normal(2, 1, 40)
MEAN = float(VALUES.mean())
INFLUENCES = (VALUES - MEAN) / len(VALUES)


def test_clusters_of_one_observation_give_students_interval():
    expected = mean_interval([VALUES])
    found = clustered_interval(MEAN, INFLUENCES, list(range(len(VALUES))))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_copies_of_an_observation_add_nothing():
    """Four networks that classify the same images alike are worth one."""
    copies = np.tile(INFLUENCES / 4, 4)
    images = list(range(len(VALUES))) * 4
    expected = clustered_interval(MEAN, INFLUENCES, images[: len(VALUES)])
    found = clustered_interval(MEAN, copies, images)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    naive = clustered_interval(MEAN, copies, list(range(len(copies))))
    assert naive.high - naive.low < 0.6 * (found.high - found.low)


def test_the_jackknife_of_a_mean_is_students_interval_where_there_are_enough():
    replicates = [float(np.delete(VALUES, i).mean()) for i in range(len(VALUES))]
    expected, found = mean_interval([VALUES]), jackknife_interval(MEAN, replicates)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert clustered_interval(MEAN, INFLUENCES, [0] * len(VALUES)) is None
    assert jackknife_interval(1.0, [1.0, 2.0]) is None
    with pytest.raises(InputError, match="at least two"):
        widest([None])


def test_the_widest_interval_is_the_one_that_counts():
    narrow, wide = Interval(0, -1, 1), Interval(0, -1, 2)
    assert widest([narrow, None, wide]) is wide
