"""Every number of the paper's Tables 1 to 4 beside ours.

The paper does not say how it averages distortions over images. Two readings are
compared: the root of the mean square, which pools the pixels of all images and which
the paper's own numbers support (`attack.readings`), and the mean over images.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from intriguing.stats.agreement import Verdict
from intriguing.stats.equivalence import MARGIN, Comparison, can_fail, compare
from intriguing.stats.intervals import Interval, mean_interval
from intriguing.stats.pooled import pooled_mean
from intriguing.tables.tidy import Entry, Kinds, entries_of, frame_of, printed_cell

TABLES = {
    "models": "Table 1",
    "cross-model": "Table 2",
    "training-sets": "Table 3",
    "cross-training-set": "Table 4",
}
REPEATED = {("cross-model", "distortion"), ("cross-training-set", "distortion")}
"""Columns that repeat numbers of another table."""
VERDICTS: tuple[Verdict, ...] = ("agrees", "differs", "undecided")
INFERRED = 256
"""Attacked images of the paper, of which its percentages are multiples."""
MEANS = "distortions averaged over images"
"""Row of the counts with the other reading of a distortion."""
SAMPLES = {f"if the paper attacked {n} images": n for n in (2_560, 60_000)}
"""Rows of the counts with other samples; the paper's text says the whole set."""
KINDS: Kinds = {
    **dict.fromkeys(("ours", "difference", "ratio", "detectable"), "number"),
    **dict.fromkeys(("mean", "mean-ratio", "quick", "quick-ratio"), "number"),
}
"""Columns in their order, with what they hold."""
COUNT_KINDS: Kinds = dict.fromkeys(("numbers", *VERDICTS), "number")
NOTE = (
    f"Rates are fractions. Equal within the margin is a ratio of 1/{MARGIN} to {MARGIN}"
    " with its whole interval, and the interval includes the paper's rounding and "
    "sampling errors. `detectable` is the smallest ratio that would have been seen to "
    "lie above the margin. A printed zero has no ratio."
)

Name = tuple[str, str, str]
"""Table, row and column of a number."""
Measured = Mapping[Name, Interval]


class Difference(NamedTuple):
    """A printed number, our number, and the comparison of the two."""

    name: Name
    published: float
    measured: Interval
    comparison: Comparison

    @property
    def row(self) -> str:
        """The number's row in the table of differences."""
        return "/".join(self.name)


def measured_cells(
    tables: Mapping[str, pd.DataFrame],
    spreads: Mapping[Name, float | None] | None = None,
) -> dict[Name, Interval]:
    """Return the numbers of tidy tables that have an interval.

    Args:
        tables: By the name of the paper's table; they may come from CSV files.
        spreads: Standard deviations over images, which tables do not hold.
    """
    known = spreads or {}
    return {
        (table, *cell): _measured(one, known.get((table, *cell)))
        for table, own in tables.items()
        for cell, one in entries_of(own.dropna(subset=["value", "low"])).items()
    }


def printed_numbers(published: pd.DataFrame) -> dict[Name, Any]:
    """Return the numbers of Tables 1 to 4 that can come out otherwise, each once."""
    own = published[published["table"].isin(list(TABLES))]
    return {
        (one.table, one.row, one.column): one
        for one in own.itertuples()
        if can_fail(str(one.row), str(one.column), one.sample)
        and (one.table, one.column) not in REPEATED
    }


def differences(
    published: pd.DataFrame, measured: Measured, sample: int = INFERRED
) -> list[Difference]:
    """Return the comparison of each printed number that is measured.

    Args:
        published: All numbers of the paper, as in ``data/published.tsv``.
        measured: Ours; distortions have a spread.
        sample: Attacked images of the paper.
    """
    found = []
    for name, paper in printed_numbers(published).items():
        if name in measured:
            if paper.sample == INFERRED:
                paper = paper._replace(sample=sample)
            printed = printed_cell(name[1:], paper, measured[name].spread)
            compared = compare(measured[name], printed)
            found.append(Difference(name, paper.value, measured[name], compared))
    return found


def readings(
    published: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    attacked: Mapping[Name, Sequence[Float[ndarray, " n"]]],
    quick: Mapping[str, pd.DataFrame],
) -> dict[str, list[Difference]]:
    """Return the differences by each reading that is there.

    Args:
        published: All numbers of the paper.
        tables: Ours, by the name of the paper's table.
        attacked: Distortions of each seed's images, by the number that they give.
        quick: The tables of the run of quick recipes, if there is one.
    """
    means = {name: mean_interval(seeds) for name, seeds in attacked.items()}
    pooled = {name: pooled_mean(seeds) for name, seeds in attacked.items()}
    ours = {**measured_cells(tables), **pooled}
    found = {"ours": differences(published, ours)}
    found["mean"] = differences(published, means)
    if quick:
        spreads = {name: one.spread for name, one in pooled.items()}
        found["quick"] = differences(published, measured_cells(quick, spreads))
    return found


def counted_rows(
    published: pd.DataFrame, found: Mapping[str, Sequence[Difference]]
) -> dict[str, list[Difference]]:
    """Return the rows of ``verdict-counts``, given what `readings` returns."""
    ours = found["ours"]
    means = {one.name: one for one in found["mean"]}
    rows = by_table(ours)
    rows[f"all, {MEANS}"] = [means.get(one.name, one) for one in ours]
    measured = {one.name: one.measured for one in ours}
    for row, sample in SAMPLES.items():
        rows[f"all, {row}"] = differences(published, measured, sample)
    if "quick" in found:
        rows["all, quick recipes"] = list(found["quick"])
    return rows


def difference_table(found: Mapping[str, Sequence[Difference]]) -> pd.DataFrame:
    """Return the tidy table ``differences``, one row for each printed number.

    Args:
        found: Differences by reading: ``ours``, which has all numbers, ``mean``, and
            ``quick`` if there is such a run.
    """
    by_row: dict[str, dict[str, Entry]] = {}
    for reading, own in found.items():
        for one in own:
            entries = {entry.column: entry for entry in _entries(reading, one)}
            by_row.setdefault(one.row, {}).update(entries)
    there = {column for entries in by_row.values() for column in entries}
    columns = [column for column in KINDS if column in there]
    return frame_of(
        [
            entries.get(column, Entry(row, column))
            for row, entries in by_row.items()
            for column in columns
        ]
    )


def count_table(rows: Mapping[str, Sequence[Difference]]) -> pd.DataFrame:
    """Return the tidy table ``verdict-counts``: how often each verdict occurs."""
    entries = []
    for row, found in rows.items():
        verdicts = [one.comparison.verdict for one in found]
        counts = {"numbers": len(found)} | {v: verdicts.count(v) for v in VERDICTS}
        for column, count in counts.items():
            entries.append(Entry(row, column, count))
    return frame_of(entries)


def by_table(found: Sequence[Difference]) -> dict[str, list[Difference]]:
    """Return the differences by the name of the paper's table, and all together."""
    rows = {
        title: [one for one in found if one.name[0] == table]
        for table, title in TABLES.items()
    }
    return {**rows, "all": list(found)}


def _entries(reading: str, one: Difference) -> list[Entry]:
    compared, row = one.comparison, one.row
    measured = _interval(row, reading, one.measured)
    entries = [measured._replace(published=one.published, verdict=compared.verdict)]
    first = reading == "ours"
    if compared.ratio:
        column = "ratio" if first else f"{reading}-ratio"
        entries.append(_interval(row, column, compared.ratio))
    if first:
        entries.insert(1, _interval(row, "difference", compared.difference))
        if compared.detectable:
            entries.append(Entry(row, "detectable", compared.detectable))
    return entries


def _measured(one: Entry, spread: float | None) -> Interval:
    """Return the interval of an entry that has one."""
    value, low, high = (float(end or 0.0) for end in (one.value, one.low, one.high))
    return Interval(value, low, high, _count(one.n), _count(one.seeds), spread)


def _count(number: Any) -> int | None:
    """Return a count as a Python number; the one of a file may be NaN."""
    return None if number is None or pd.isna(number) else int(number)


def _interval(row: str, column: str, one: Interval) -> Entry:
    ends = one.value, one.low, one.high, one.n, one.seeds
    return Entry(row, column, *ends)
