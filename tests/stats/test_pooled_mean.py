"""The average of distortions over the pixels of all images."""

import numpy as np
import pytest

from intriguing.stats.intervals import mean_interval
from intriguing.stats.pooled import pooled_mean

GENERATOR = np.random.default_rng(0)
SEEDS = [GENERATOR.uniform(0.03, 0.09, 500) for _ in range(5)]


def test_the_pooled_mean_is_the_root_of_the_mean_square_and_may_be_zero():
    found = pooled_mean(SEEDS)
    squares = np.concatenate(SEEDS) ** 2
    assert found.value == pytest.approx(squares.mean() ** 0.5)
    assert found.low < found.value < found.high
    assert found.value > mean_interval(SEEDS).value
    # The error of the root by the bootstrap.
    draws = GENERATOR.choice(squares, (2000, len(squares))).mean(1) ** 0.5
    assert found.spread / len(squares) ** 0.5 == pytest.approx(draws.std(), rel=0.1)
    found = pooled_mean([np.zeros(4), np.zeros(4)])
    assert (found.value, found.low, found.high, found.spread) == (0, 0, 0, None)
