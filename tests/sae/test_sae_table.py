"""Ratios over seeds, and the tables of codes and perturbations."""

import math

import pandas as pd
import pytest

from intriguing.sae.measure import CODE, FROZEN, LARGER
from intriguing.sae.table import (
    CHANGES,
    COSINES,
    INTERFERENCE,
    QUALITIES,
    code_cells,
    perturbation_cells,
    ratio_over_seeds,
)


def test_a_ratio_has_an_interval_around_it_and_a_constant_one_no_width():
    found = ratio_over_seeds(pd.Series([5.0, 6, 7]), pd.Series([1.0, 1.2, 1.4]))
    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((5, 5, 5))
    above, below = pd.Series([1.0, 2, 4, 3]), pd.Series([0.3, 0.4, 0.6, 0.6])
    found = ratio_over_seeds(above, below)
    assert found is not None
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(10 / 1.9)
    unknown = ratio_over_seeds(pd.Series([*above, math.nan]), pd.Series([*below, 9.0]))
    assert unknown == found


@pytest.mark.parametrize(
    ("above", "below"), [([1.0, 2], [1.0, 1]), ([1.0, 2, 3], [-1.0, 1, 2])]
)
def test_two_seeds_or_a_denominator_that_may_be_zero_have_no_ratio(above, below):
    assert ratio_over_seeds(pd.Series(above), pd.Series(below)) is None


def frames():
    """Return three seeds of one layer, whose code misses 30 % of r and 10 % else."""
    qualities, changes = [], []
    for seed in range(3):
        facts = {"network": "net", "trained": True, "seed": seed, "layer": 2}
        for code in (CODE, FROZEN, LARGER):
            named = facts | {"code": code}
            worse = {CODE: 0.1, FROZEN: 0.6, LARGER: 0.05}[code] + 0.001 * seed
            qualities.append(named | dict.fromkeys(QUALITIES, worse))
            shares = {"adversarial": 0.3, "natural": 0.1, "random": -50.0}
            for perturbation, share in shares.items():
                row = dict.fromkeys((*CHANGES, *COSINES, "energy", "change"), 0.5)
                row["images"] = 256
                row |= dict.fromkeys(INTERFERENCE, 0.9 if share == 0.3 else 0.5)
                row |= {"uncarried": share, "uncarried-size": 0.3}
                changes.append(named | row | {"perturbation": perturbation})
    return pd.DataFrame(qualities), pd.DataFrame(changes)


def test_the_tables_hold_the_numbers_of_their_code():
    qualities, changes = frames()
    cells = code_cells(qualities, changes)
    read = {column: cells["net:2", column] for _, column in cells}
    assert read["fvu"].value == pytest.approx(0.101)
    assert read["fvu-frozen"].value == pytest.approx(0.601)
    assert read["ratio"].value == pytest.approx(3)
    assert read["ratio-size"].value == pytest.approx(1)
    rows = perturbation_cells(changes)
    assert rows["net:2:natural", "uncarried"].value == pytest.approx(0.1)
    assert rows["net:2:adversarial", "uncarried-larger"].value == pytest.approx(0.3)
    assert rows["net:2:adversarial", "above-random"].value == pytest.approx(0.9)
    assert rows["net:2:random", "above-random-frozen"].value == pytest.approx(0.5)
    assert rows["net:2:random", "uncarried"] is None
    assert rows["net:2:random", "uncarried-size"].value == pytest.approx(0.3)


def test_seeds_with_few_perturbations_do_not_count_and_shares_stay_shares():
    qualities, changes = frames()
    jumping = changes["seed"].map({0: 0.9, 1: 1.0, 2: 0.2})
    cells = perturbation_cells(changes.assign(energy=jumping))
    energy = cells["net:2:natural", "energy"]
    assert (energy.low, energy.high) == (0, 1)
    few = changes.assign(images=changes["seed"].map({0: 256, 1: 12, 2: 0}))
    assert perturbation_cells(few)["net:2:natural", "energy"] is None
    assert code_cells(qualities, few)["net:2", "ratio"] is None
