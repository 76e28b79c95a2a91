"""Tables of measured numbers beside the paper's: tidy, as Markdown and as LaTeX.

A tidy table has one row for each cell of a table of the paper, with the columns
`COLUMNS`; what does not apply is missing there and empty in the CSV file.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import pandas as pd

from intriguing.errors import InputError
from intriguing.stats.agreement import published_band, verdict_against_band
from intriguing.stats.intervals import Interval

Kind = Literal["rate", "distortion", "ratio", "number"]
Cell = tuple[str, str]
Kinds = Mapping[str, Kind]

PUBLISHED_COLUMNS = ["table", "row", "column", "value", "printed", "sample"]
# The columns of Table 5: sizes and norms of layers.
LAYER_COLUMNS = ("in-channels", "kernel", "out-channels", "stride", "upper", "lower")
MARKS = {"agrees": "=", "differs": "≠", "undecided": "~"}
LATEX_MARKS = {"agrees": "$=$", "differs": r"$\neq$", "undecided": r"$\sim$"}
DASH = "{--}"


class Entry(NamedTuple):
    """One row of a tidy table; what does not apply is ``None`` or NaN."""

    row: str
    column: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    seeds: int | None
    published: float | None
    verdict: str


COLUMNS = list(Entry._fields)


class Printed(NamedTuple):
    """A number of the paper: value, text as printed, and images behind it."""

    value: float
    text: str
    sample: float


def column_kind(column: str, kinds: Kinds | None = None) -> Kind:
    """What a column holds; decides how it is printed and which band it has.

    A name that starts with ``distortion`` holds distortions, the columns of Table 5
    plain numbers, every other one rates. ``kinds`` overrules this by column.
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
    spreads: Mapping[Cell, float] | None = None,
    kinds: Kinds | None = None,
) -> pd.DataFrame:
    """Join measured cells with the paper's numbers and judge each.

    Args:
        cells: Interval of each (row, column), in the order of the table; ``None``
            where a number of the paper could not be measured.
        published: All numbers of the paper, as in ``data/published.tsv``.
        table: Name of the table in ``published``; one that the paper does not have
            gets no published numbers and no verdicts.
        spreads: Standard deviation over images, of the cells that hold the mean of a
            sample and a number of the paper (the paper's sampling error needs it).
        kinds: Kind of the columns whose name does not say it.

    Returns:
        One row for each cell, with the columns `COLUMNS`.

    Raises:
        InputError: ``published`` lacks a column or names a cell twice, or a spread is
            missing.
    """
    paper = _paper_numbers(published, table)
    entries = []
    for cell, interval in cells.items():
        known, spread = paper.get(cell), (spreads or {}).get(cell)
        verdict = _verdict(cell, interval, known, spread, kinds)
        number = known.value if known else None
        entries.append(Entry(*cell, *_numbers(interval), number, verdict))
    frame = pd.DataFrame(entries, columns=COLUMNS)
    counts = {"n": "Int64", "seeds": "Int64"}
    floats = dict.fromkeys(["value", "low", "high", "published"], "float64")
    return frame.astype(counts | floats)


def to_csv_text(df: pd.DataFrame) -> str:
    """CSV with six significant digits, the same text for the same numbers."""
    return df.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(df: pd.DataFrame, kinds: Kinds | None = None) -> str:
    """Rows against columns: measured, interval, the paper's number, verdict as a mark.

    Args:
        df: Tidy table.
        kinds: Kind of the columns whose name does not say it.
    """
    header, *body = texts(df, kinds)
    lines = [header, ["---"] * len(header), *body]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{text}\n{legend(df)}\n"


def texts(df: pd.DataFrame, kinds: Kinds | None = None) -> list[list[str]]:
    """Rows against columns as text, the first line and the first column the names."""
    entries = _entries(df)
    columns = list(df["column"].unique())
    lines = [["", *columns]]
    for row in df["row"].unique():
        found = [entries.get((row, column)) for column in columns]
        lines.append([row, *(_cell_text(one, kinds) for one in found)])
    return lines


def to_latex(df: pd.DataFrame, kinds: Kinds | None = None) -> str:
    r"""LaTeX table (packages booktabs and siunitx), three lines for each row.

    Measured number, its 95 % interval, and the paper's number with the mark of the
    verdict; rates are percentages. A missing number is a dash; a line without any
    interval or without any number of the paper is left out.
    """
    texts = {cell: _latex_lines(one, kinds) for cell, one in _entries(df).items()}
    columns = list(df["column"].unique())
    lines = {}
    for row in df["row"].unique():
        stack = [texts.get((row, column), ["", "", ""]) for column in columns]
        names = ("ours", r"95\,\%", "paper")
        for name, line in zip(names, zip(*stack, strict=True), strict=True):
            if any(line) or name == "ours":
                lines[row, name] = [text or DASH for text in line]
    index = pd.MultiIndex.from_tuples(lines)
    frame = pd.DataFrame(list(lines.values()), index=index, columns=columns)
    styler = frame.style.format_index(escape="latex", axis=1)
    styler = styler.format_index(escape="latex", axis=0, level=0)
    return styler.to_latex(
        column_format="ll" + "S" * len(columns),
        hrules=True,
        siunitx=True,
        multirow_align="naive",
    )


def headline(df: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Values by row and column for ``metrics.json``; missing ones are left out."""
    nested: dict[str, dict[str, float]] = {}
    for (row, column), one in _entries(df.dropna(subset=["value"])).items():
        nested.setdefault(row, {})[column] = float(f"{one.value:.6g}")
    return nested


def _entries(df: pd.DataFrame) -> dict[Cell, Entry]:
    """Rows of a tidy table by their cell, in order; also of one read from its file."""
    clean = df[COLUMNS].fillna({"verdict": ""})
    entries = (Entry(*line) for line in clean.itertuples(index=False))
    return {(entry.row, entry.column): entry for entry in entries}


def _paper_numbers(published: pd.DataFrame, table: str) -> dict[Cell, Printed]:
    missing = [name for name in PUBLISHED_COLUMNS if name not in published.columns]
    if missing:
        raise InputError(f"published numbers lack the columns {', '.join(missing)}")
    own = published[published["table"] == table]
    if own.duplicated(["row", "column"]).any():
        raise InputError(f"published numbers of {table}: a cell is there twice")
    cells = zip(own["row"], own["column"], strict=True)
    numbers = own[["value", "printed", "sample"]].itertuples(index=False)
    return {cell: Printed(*number) for cell, number in zip(cells, numbers, strict=True)}


def _numbers(interval: Interval | None) -> list[float | None]:
    if interval is None:
        return [None] * 5
    return [interval.value, interval.low, interval.high, interval.n, interval.seeds]


def _verdict(
    cell: Cell,
    interval: Interval | None,
    known: Printed | None,
    spread: float | None,
    kinds: Kinds | None,
) -> str:
    """Verdict of one cell, empty where one of the two numbers is missing."""
    if interval is None or known is None:
        return ""
    kind = "rate" if column_kind(cell[1], kinds) == "rate" else "mean"
    try:
        band = published_band(known.value, known.text, known.sample, kind, spread)
    except InputError as error:
        raise InputError(f"row {cell[0]}, column {cell[1]}: {error}") from None
    return verdict_against_band(interval, band)


def _show(number: float, kind: Kind) -> str:
    """A number without its unit; rates as percentages."""
    if kind == "rate":
        return f"{100 * number:.{2 if number < 0.1 else 1}f}"
    if kind == "ratio":
        return f"{number:.4f}"
    return f"{number:#.3g}" if kind == "distortion" else f"{number:.4g}"


def _show_paper(number: float, kind: Kind) -> str:
    return f"{100 * number:.6g}" if kind == "rate" else f"{number:.6g}"


def _cell_text(one: Entry | None, kinds: Kinds | None) -> str:
    if one is None:
        return ""
    kind = column_kind(one.column, kinds)
    unit = "%" if kind == "rate" else ""
    parts = [_show(one.value, kind) + unit if pd.notna(one.value) else "--"]
    if pd.notna(one.low):
        parts.append(f"[{_show(one.low, kind)}, {_show(one.high, kind)}]")
    if pd.notna(one.published):
        parts.append(f"(paper {_show_paper(one.published, kind)}{unit})")
    return " ".join([*parts, MARKS.get(one.verdict, "")]).strip()


def legend(df: pd.DataFrame) -> str:
    """Explanation of the brackets and of the marks, where there are any."""
    text = "In brackets: 95 % interval." if df["low"].notna().any() else ""
    if df["verdict"].isin(list(MARKS)).any():
        marks = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
        text += f" Beside the paper's number: {marks}."
    return text


def _latex_lines(one: Entry, kinds: Kinds | None) -> list[str]:
    """Measured, interval and paper of one cell; braces keep text from siunitx."""
    kind = column_kind(one.column, kinds)
    lines = ["", "", ""]
    if pd.notna(one.value):
        lines[0] = _show(one.value, kind)
    if pd.notna(one.low):
        lines[1] = f"{{[{_show(one.low, kind)}, {_show(one.high, kind)}]}}"
    if pd.notna(one.published):
        mark = LATEX_MARKS.get(one.verdict, "")
        lines[2] = f"{{{_show_paper(one.published, kind)} {mark}}}".replace(" }", "}")
    return lines
