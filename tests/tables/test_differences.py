"""Every printed number beside ours."""

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from intriguing.stats.intervals import Interval
from intriguing.tables.differences import (
    REPEATED,
    count_table,
    counted_rows,
    difference_table,
    differences,
    measured_cells,
    printed_numbers,
    readings,
)
from intriguing.tables.tidy import frame_of, tidy

PUBLISHED = pd.read_csv(ROOT / "data/published.tsv", sep="\t", dtype={"printed": str})
NETWORK = "FC100-100-10"
DISTORTION = "models", NETWORK, "distortion"
GENERATOR = np.random.default_rng(0)
ATTACKED = {DISTORTION: [GENERATOR.uniform(0.03, 0.09, 500) for _ in range(5)]}


def exact(value):
    return Interval(value, value, value, n=100, seeds=2)


def tables(errors):
    """Return the table of networks with these test errors."""
    cells = {(name, "test-error"): exact(value) for name, value in errors.items()}
    return {"models": tidy(cells, PUBLISHED, "models")}


def test_each_number_that_can_come_out_otherwise_is_there_once():
    found = printed_numbers(PUBLISHED)
    assert ("models", NETWORK, "distortion") in found
    assert not {(table, column) for table, _, column in found} & REPEATED
    assert all(row != column for _, row, column in found)
    assert ("cross-model", "FC10-1", "FC10-1e-2") in found
    own = "cross-training-set", "amplified:FC100-100-10@P1", "FC100-100-10@P1"
    assert own in found


def test_a_row_has_both_readings_and_the_verdicts():
    found = readings(PUBLISHED, tables({NETWORK: 0.0164}), ATTACKED, {})
    table = difference_table(found).set_index(["row", "column"])
    row = f"models/{NETWORK}/distortion"
    assert table.loc[(row, "ours"), "published"] == 0.058
    ratio = table.loc[(row, "ratio"), "value"]
    assert ratio == pytest.approx(table.loc[(row, "ours"), "value"] / 0.058)
    assert table.loc[(row, "mean-ratio"), "value"] < ratio
    error = f"models/{NETWORK}/test-error"
    assert error in table.index
    assert table.loc[(error, "mean")].isna()["value"]
    columns = table.index.get_level_values("column").unique()
    assert list(columns[:3]) == ["ours", "difference", "ratio"]
    assert not table.index.get_level_values("column").str.startswith("quick").any()


def test_quick_recipes_have_columns_where_they_were_run():
    quick = tables({NETWORK: 0.05})
    found = readings(PUBLISHED, tables({NETWORK: 0.0164}), ATTACKED, quick)
    table = difference_table(found).set_index(["row", "column"])
    cell = f"models/{NETWORK}/test-error", "quick"
    assert table.loc[cell, "value"] == 0.05
    assert table.loc[cell, "verdict"] == "differs"
    rows = count_table(counted_rows(PUBLISHED, found))["row"]
    assert "all, quick recipes" in set(rows)


def test_verdicts_are_counted_by_table_and_all_together():
    found = readings(PUBLISHED, tables({NETWORK: 0.0164, "FC10-1": 0.9}), ATTACKED, {})
    counts = count_table(counted_rows(PUBLISHED, found)).pivot(
        index="row", columns="column", values="value"
    )
    assert counts.loc["Table 1", "numbers"] == counts.loc["all", "numbers"] == 3
    assert counts.loc["Table 1", "differs"] == 1
    assert counts.loc["Table 2", "numbers"] == 0
    assert (
        counts[["agrees", "differs", "undecided"]].sum(axis=1) == counts["numbers"]
    ).all()


def test_a_larger_sample_of_the_paper_decides_more():
    measured = {("cross-model", "FC10-1", "FC10-1e-2"): exact(0.762)}
    (small,) = differences(PUBLISHED, measured)
    (large,) = differences(PUBLISHED, measured, 60_000)
    assert small.comparison.ratio.low < large.comparison.ratio.low < 1
    assert large.comparison.verdict == "agrees"


def test_cells_come_back_from_a_table_with_their_spreads():
    table = frame_of([])
    assert measured_cells({"models": table}) == {}
    own = tables({NETWORK: 0.02})
    name = "models", NETWORK, "test-error"
    assert measured_cells(own, {name: 0.1})[name].spread == 0.1
