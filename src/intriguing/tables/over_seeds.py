"""Cells of tables that are means of one value a seed, without a paper's number."""

from collections.abc import Callable, Sequence
from math import exp, inf, log

from intriguing.stats.geometric import geometric_over_seeds
from intriguing.stats.intervals import Interval, over_seeds
from intriguing.tables.tidy import Entry


def mean_entry(
    row: str, column: str, values: Sequence[float], least: float = -inf
) -> Entry:
    """Return the mean of one value a seed, with an interval if there are two.

    Args:
        row: Of the table.
        column: Of the table.
        values: Of the seeds.
        least: The least that the quantity can be.
    """
    entry = _entry(row, column, values, sum(values) / len(values), over_seeds)
    return entry if entry.low is None else entry._replace(low=max(entry.low, least))


def factor_entry(row: str, column: str, values: Sequence[float]) -> Entry:
    """Return the geometric mean of one positive value a seed, as `mean_entry` does.

    Without a value where a seed has none, such as a ratio to an error of zero.
    """
    if not all(0 < value < inf for value in values):
        return Entry(row, column, seeds=len(values))
    mean = exp(sum(map(log, values)) / len(values))
    return _entry(row, column, values, mean, geometric_over_seeds)


def _entry(
    row: str,
    column: str,
    values: Sequence[float],
    mean: float,
    interval: Callable[[Sequence[float]], Interval | None],
) -> Entry:
    found = interval(values)
    low, high = (found.low, found.high) if found else (None, None)
    return Entry(row, column, mean, low, high, seeds=len(values))
