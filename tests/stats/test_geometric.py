"""Geometric means over seeds."""

from math import log

import pytest

from intriguing.stats.geometric import geometric_over_seeds
from intriguing.stats.intervals import over_seeds

FACTORS = [0.5, 2.0, 4.0]


def test_the_interval_is_that_of_the_logarithms_and_of_inverses_the_inverse():
    found = geometric_over_seeds(FACTORS)
    inverse = geometric_over_seeds([1 / factor for factor in FACTORS])
    assert found.value == pytest.approx(4 ** (1 / 3))
    assert found.low == pytest.approx(1 / inverse.high)
    assert found.high == pytest.approx(1 / inverse.low)
    logs = over_seeds([log(factor) for factor in FACTORS])
    assert log(geometric_over_seeds(FACTORS).high) == pytest.approx(logs.high)
    assert geometric_over_seeds([2.0]) is None
