"""The numbers that the paper prints, in the tables of a run, and why some differ."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from intriguing.errors import InputError
from intriguing.tables.differences import REPEATED
from intriguing.workflow.markdown import cell_of, markdown_table

UNKNOWN = "not known"
Reasons = Sequence[tuple[str, str]]
"""Patterns of ``TABLE/ROW/COLUMN``, in which ``*`` is any text, with the reasons."""


def printed_numbers(table: Path) -> pd.DataFrame:
    """Return the cells of a tidy table that the paper prints, each number once.

    Args:
        table: Its CSV file.
    """
    cells = pd.read_csv(table)
    repeated = [column for name, column in REPEATED if name == table.stem]
    # Settings, which have no interval, agree by construction.
    own = cells[cells["low"].notna() & ~cells["column"].isin(repeated)]
    names = own["column"].map(without_version)
    return own[~own.assign(column=names).duplicated(["row", "column", "published"])]


def without_version(column: str) -> str:
    """Return a column's name without the version of the paper that prints it."""
    return re.sub(r"-v\d$", "", column)


def read_reasons(path: Path) -> Reasons:
    """Return why numbers differ, from a sheet with the columns ``number``, ``reason``.

    Raises:
        InputError: A row lacks one of them.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file, delimiter="\t")]
    for line, row in enumerate(rows, 2):
        if not (row.get("number") and row.get("reason")):
            raise InputError(f"{path}, line {line}: give a number and a reason")
    return [(row["number"], row["reason"]) for row in rows]


def reasons_table(tables: Mapping[str, Path], reasons: Reasons) -> str:
    """Return the numbers that differ from the paper's, each with the reason.

    Args:
        tables: CSV files of tables, by what the paper calls them; those that do not
            exist are left out.
        reasons: The first pattern that fits a number counts.
    """
    rows = (
        (title, f"{row}, {column}", cell, _reason((path.stem, row, column), reasons))
        for title, path in tables.items()
        if path.is_file()
        for row, column, cell in _differing(path)
    )
    return markdown_table(("in the paper", "number", "ours", "reason"), rows)


def _differing(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield row, column and text of the numbers of a table that differ."""
    numbers = printed_numbers(path)
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    differing = numbers[numbers["verdict"] == "differs"]
    for row, column in zip(differing["row"], differing["column"], strict=True):
        yield row, column, cell_of(text, row, column)


def _reason(number: tuple[str, str, str], reasons: Reasons) -> str:
    name = "/".join(number)
    fitting = (reason for pattern, reason in reasons if fnmatchcase(name, pattern))
    return next(fitting, UNKNOWN)
