"""Tidy tables of measured numbers and the paper's, as CSV, Markdown and LaTeX.

A tidy table has one row for each cell of a table of the paper, with the columns
`COLUMNS`. A number that does not apply is missing, and empty in the CSV file.
"""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any, Literal, NamedTuple

import pandas as pd

from intriguing.errors import InputError
from intriguing.stats.agreement import Verdict, directional_verdict
from intriguing.stats.equivalence import (
    Printed,
    can_fail,
    compare,
    is_bound,
    printed_number,
)
from intriguing.stats.intervals import Interval

Kind = Literal["rate", "distortion", "ratio", "number"]
Cell = tuple[str, str]
Kinds = Mapping[str, Kind]

PUBLISHED_COLUMNS = ["table", "row", "column", "value", "printed", "sample"]
# The columns of Table 5: sizes and norms of layers.
LAYER_COLUMNS = ("in-channels", "kernel", "out-channels", "stride", "upper", "lower")
MARKS = {"agrees": "=", "differs": "≠", "undecided": "~"}
LATEX_MARKS = {"agrees": "$=$", "differs": r"$\neq$", "undecided": r"$\sim$"}


class Entry(NamedTuple):
    """One row of a tidy table; a number that does not apply is ``None`` or NaN."""

    row: str
    column: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    seeds: int | None = None
    published: float | None = None
    verdict: str = ""


COLUMNS = list(Entry._fields)


class Texts(NamedTuple):
    """Numbers of a cell as text, without units; empty where there is none."""

    measured: str
    interval: str
    paper: str


def column_kind(column: str, kinds: Kinds | None = None) -> Kind:
    """Return what a column holds, which decides its format and its band.

    Columns whose name starts with ``distortion`` hold distortions, those of Table 5
    plain numbers, and all others rates. ``kinds`` overrides this by column.
    """
    if kinds and column in kinds:
        return kinds[column]
    if column.startswith("distortion"):
        return "distortion"
    return "number" if column.startswith(LAYER_COLUMNS) else "rate"


def tidy(
    cells: Mapping[Cell, Interval | None],
    published: pd.DataFrame,
    table: str,
    kinds: Kinds | None = None,
) -> pd.DataFrame:
    """Return the tidy table of measured cells, the paper's numbers and the verdicts.

    Args:
        cells: Interval of each (row, column), in the order of the table; ``None`` for a
            number of the paper that was not measured.
        published: All numbers of the paper, as in ``data/published.tsv``.
        table: Name of the table in ``published``.
        kinds: Kind of the columns whose name does not tell it.

    Raises:
        InputError: ``published`` lacks a column or has a cell twice, or the mean of a
            sample has a published number and no spread.
    """
    if missing := [name for name in PUBLISHED_COLUMNS if name not in published]:
        raise InputError(f"published numbers lack the columns {', '.join(missing)}")
    own = published[published["table"] == table]
    if own.duplicated(["row", "column"]).any():
        raise InputError(f"published numbers of {table}: a cell is there twice")
    paper = {(number.row, number.column): number for number in own.itertuples()}
    entries = [_entry(cell, one, paper.get(cell), kinds) for cell, one in cells.items()]
    return frame_of(entries)


def own_table(cells: Mapping[Cell, Interval | None]) -> pd.DataFrame:
    """Return the tidy table of cells of which the paper has no numbers."""
    return frame_of([_entry(cell, one, None, None) for cell, one in cells.items()])


def frame_of(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return the tidy table of these rows, with the types of its columns."""
    counts = {"n": "Int64", "seeds": "Int64"}
    floats = dict.fromkeys(["value", "low", "high", "published"], "float64")
    return pd.DataFrame(entries, columns=COLUMNS).astype(counts | floats)


def _entry(cell: Cell, one: Interval | None, paper: Any, kinds: Kinds | None) -> Entry:
    """Return the row of a cell; without one of the two numbers there is no verdict."""
    published, verdict = paper.value if paper else None, ""
    if one is None:
        return Entry(*cell, published=published)
    if paper and can_fail(*cell, paper.sample):
        verdict = _verdict(cell, one, paper, kinds)
    numbers = one.value, one.low, one.high, one.n, one.seeds
    return Entry(*cell, *numbers, published, verdict)


def _verdict(cell: Cell, one: Interval, paper: Any, kinds: Kinds | None) -> Verdict:
    if is_bound(paper.printed):
        return directional_verdict(one, paper.value, "below")
    return compare(one, printed_cell(cell, paper, one.spread, kinds)).verdict


def printed_cell(
    cell: Cell, paper: Any, spread: float | None, kinds: Kinds | None = None
) -> Printed:
    """Return the number that the paper prints in a cell.

    Args:
        cell: Row and column.
        paper: ``value``, ``printed`` and ``sample``, as in ``data/published.tsv``.
        spread: Standard deviation over images, of a mean over a sample.
        kinds: Kind of the columns whose name does not tell it.

    Raises:
        InputError: The number cannot be compared; the message names the cell.
    """
    kind = column_kind(cell[1], kinds)
    kind = "number" if kind == "ratio" else kind
    try:
        return printed_number(paper.value, paper.printed, paper.sample, kind, spread)
    except InputError as error:
        raise InputError(f"row {cell[0]}, column {cell[1]}: {error}") from None


def to_csv_text(df: pd.DataFrame) -> str:
    """Return the table as CSV, with six significant digits."""
    return df.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(df: pd.DataFrame, kinds: Kinds | None = None, note: str = "") -> str:
    """Return the table as Markdown, rows against columns.

    A cell has the measured number, its interval, the paper's number and the mark of the
    verdict. ``kinds`` are those of the columns whose name does not tell it, and a note
    follows the legend.
    """
    header, *body = text_rows(df, kinds)
    lines = [header, ["---"] * len(header), *body]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{text}\n{legend(df, note)}\n"


def text_rows(df: pd.DataFrame, kinds: Kinds | None = None) -> list[list[str]]:
    """Return the cells as text, with the names in the first line and first column."""
    body = [
        [row, *(_cell_text(one, kinds) if one else "" for one in found)]
        for row, found in _by_row(df).items()
    ]
    return [["", *df["column"].unique()], *body]


def to_latex(df: pd.DataFrame, kinds: Kinds | None = None) -> str:
    r"""Return the table as LaTeX (packages booktabs and siunitx).

    Each row has up to three lines: measured number, 95 % interval, and the paper's
    number with the mark of the verdict. Rates are percentages. A missing number is a
    dash; a line without any interval or published number is left out.
    """
    lines, names = {}, ("ours", r"95\,\%", "paper")
    for row, found in _by_row(df).items():
        stack = zip(*(_latex_lines(one, kinds) for one in found), strict=True)
        for name, line in zip(names, stack, strict=True):
            if any(line) or name == "ours":
                lines[row, name] = [text or "{--}" for text in line]
    index, columns = pd.MultiIndex.from_tuples(lines), list(df["column"].unique())
    frame = pd.DataFrame(list(lines.values()), index=index, columns=columns)
    styler = frame.style.format_index(escape="latex", axis=1)
    styler = styler.format_index(escape="latex", axis=0, level=0)
    shape = {"column_format": "ll" + "S" * len(columns), "multirow_align": "naive"}
    return styler.to_latex(hrules=True, siunitx=True, **shape)


def headline(df: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the known values by row and column, for ``metrics.json``."""
    nested: dict[str, dict[str, float]] = {}
    for (row, column), one in entries_of(df.dropna(subset=["value"])).items():
        nested.setdefault(row, {})[column] = float(f"{one.value:.6g}")
    return nested


def legend(df: pd.DataFrame, note: str = "") -> str:
    """Return what the brackets and the marks mean, where the table has any; a note."""
    texts = ["In brackets: 95 % interval."] if df["low"].notna().any() else []
    if df["verdict"].isin(list(MARKS)).any():
        texts.append(f"Beside the paper's number: {marks_text()}.")
    return " ".join([*texts, *filter(None, [note])])


def marks_text() -> str:
    """Return the marks with the verdicts that they stand for."""
    return ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())


def cell_texts(one: Entry, kinds: Kinds | None = None) -> Texts:
    """Return the numbers of a cell as text; rates are percentages."""
    kind = column_kind(one.column, kinds)
    value, low, high = (
        "" if number is None or isnan(number) else _measured_text(number, kind)
        for number in (one.value, one.low, one.high)
    )
    paper, scale = one.published, 100 if kind == "rate" else 1
    printed = "" if paper is None or isnan(paper) else f"{scale * paper:.6g}"
    return Texts(value, f"[{low}, {high}]" if low else "", printed)


def entries_of(df: pd.DataFrame) -> dict[Cell, Entry]:
    """Return the rows of a tidy table, which may come from its CSV file, by cell."""
    verdicts = df["verdict"].astype(object).fillna("")
    filled = df.assign(verdict=verdicts)[COLUMNS]
    entries = (Entry(*line) for line in filled.itertuples(index=False))
    return {(entry.row, entry.column): entry for entry in entries}


def _by_row(df: pd.DataFrame) -> dict[str, list[Entry | None]]:
    entries, columns = entries_of(df), df["column"].unique()
    return {r: [entries.get((r, c)) for c in columns] for r in df["row"].unique()}


def _measured_text(number: float, kind: Kind) -> str:
    if kind == "rate":
        return f"{100 * number:.{2 if number < 0.1 else 1}f}"
    if kind == "ratio":
        return f"{number:.4f}"
    return f"{number:#.3g}" if kind == "distortion" else f"{number:.4g}"


def _cell_text(one: Entry, kinds: Kinds | None) -> str:
    texts = cell_texts(one, kinds)
    unit = "%" if column_kind(one.column, kinds) == "rate" else ""
    parts = [
        f"{texts.measured}{unit}" if texts.measured else "--",
        texts.interval,
        f"(paper {texts.paper}{unit})" if texts.paper else "",
        MARKS.get(one.verdict, ""),
    ]
    return " ".join(part for part in parts if part)


def _latex_lines(one: Entry | None, kinds: Kinds | None) -> tuple[str, str, str]:
    """Return the three lines of a cell; braces protect text from siunitx."""
    if one is None:
        return "", "", ""
    texts = cell_texts(one, kinds)
    paper = f"{texts.paper} {LATEX_MARKS.get(one.verdict, '')}".strip()
    return texts.measured, _braced(texts.interval), _braced(paper)


def _braced(text: str) -> str:
    return f"{{{text}}}" if text else ""
