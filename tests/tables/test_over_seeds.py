"""Cells that are means over seeds."""

from math import inf, nan

import pytest

from intriguing.stats.geometric import geometric_over_seeds
from intriguing.stats.intervals import over_seeds
from intriguing.tables.over_seeds import factor_entry, mean_entry


@pytest.mark.parametrize(
    ("entry", "interval", "mean"),
    [(mean_entry, over_seeds, 2.5), (factor_entry, geometric_over_seeds, 2.0)],
)
def test_a_cell_has_the_mean_of_the_seeds_and_its_interval(entry, interval, mean):
    found, expected = entry("net", "ratio", [1.0, 4.0]), interval([1.0, 4.0])
    assert found.value == pytest.approx(mean)
    assert (found.low, found.high) == (expected.low, expected.high)
    assert found.seeds == 2
    alone = entry("net", "ratio", [3.0])
    assert (alone.value, alone.low, alone.seeds) == (pytest.approx(3), None, 1)


@pytest.mark.parametrize("lacking", [0.0, inf, nan])
def test_a_factor_that_a_seed_lacks_leaves_the_cell_empty(lacking):
    found = factor_entry("net", "ratio", [2.0, lacking])
    assert (found.value, found.low, found.seeds) == (None, None, 2)
