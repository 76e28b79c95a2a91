"""Transfer of minimum-norm images compared with that of the paper's method."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from synthetic import predictions_with

from intriguing.tables.rates import fooling_rates
from intriguing.transfer.minimal_norm import (
    change_of_transfer,
    paired_hits,
    rate_change,
    transfer_cells,
)


def random_predictions(seed, shares):
    """Return predictions of five seeds with these shares of wrong ones."""
    generator = np.random.default_rng(seed)
    return predictions_with(
        {
            cell: [generator.random(200) < share for _ in range(5)]
            for cell, share in shares.items()
        }
    )


CLEAN = {("clean", "a"): 0.1, ("clean", "b"): 0.05}
OWN = {("a", "a"): 1, ("b", "b"): 1}
PAPER = random_predictions(1, CLEAN | OWN | {("a", "b"): 0.3, ("b", "a"): 0.5})
LESS = random_predictions(2, OWN | {("a", "b"): 0.1, ("b", "a"): 0.2})


def test_transfer_counts_images_that_are_correct_when_clean():
    changes = paired_hits(LESS, PAPER)
    assert set(changes) == {("a", "b"), ("b", "a")}
    rates = fooling_rates(PAPER)
    with_clean = pd.concat([LESS, PAPER[PAPER["row"].eq("clean")]])
    less = fooling_rates(with_clean)
    cells = transfer_cells(changes, ["a", "b"])
    for row, column in changes:
        for method, known in (("lbfgs", rates), ("minimal", less)):
            found = cells[row, f"transfer-{method}"]
            assert found.value == pytest.approx(known[row, column].value)
            assert found.low < found.value < found.high
        change = less[row, column].value - rates[row, column].value
        # A mean of differences weights seeds equally, a rate weights images equally.
        assert cells[row, "transfer-change"].value == pytest.approx(change, abs=0.01)


def test_equal_predictions_have_a_difference_of_exactly_zero():
    """What the two methods share does not widen the interval of the change."""
    changes = paired_hits(PAPER[PAPER["row"].ne("clean")], PAPER)
    found = rate_change(changes["a", "b"])
    assert (found.low, found.value, found.high) == (0, 0, 0)


def test_the_finding_is_the_mean_change_with_the_interval_of_the_sources():
    other = random_predictions(3, OWN | {("a", "b"): 0.1, ("b", "a"): 0.3})
    again = random_predictions(4, CLEAN | OWN | {("a", "b"): 0.3, ("b", "a"): 0.4})
    pairs = paired_hits(other, again)
    changes = [rate_change(pair).value for pair in pairs.values()]
    found = change_of_transfer(pairs)
    assert (found.verdict, found.published) == ("", None)
    assert found.measured == pytest.approx(np.mean(changes))
    # Student's interval of two sources.
    reach = t.ppf(0.975, 1) * np.std(changes, ddof=1) / 2**0.5
    assert found.high - found.measured == pytest.approx(reach)
