"""Tables 2 and 4 as a map: images made for one network, fed to another."""

from textwrap import wrap

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from intriguing.errors import InputError
from intriguing.figures.style import blank, ink, styled
from intriguing.tables.tidy import MARKS

GAP = 0.35  # between groups of rows and columns, in cells
MAP = colormaps["cividis"]  # even steps of lightness, also for colour-blind readers
MISSING = "#e6e6e6"
LETTERS = 16  # of a note that fit on an inch


@styled()
def transfer_figure(table: pd.DataFrame, title: str) -> Figure:
    """Draw a tidy table of error rates as a map: made for (rows), fed to (columns).

    Each cell has our percentage, its 95 % interval, and the paper's number with the
    mark of the verdict. Rows that are no network stand apart, and so does the column
    ``distortion``, whose numbers are no rates and have no colour.

    Args:
        table: Table 2 or 4 as a tidy table, rates as fractions.
        title: Heading.

    Raises:
        InputError: The table holds no rates.
    """
    rows, columns = _places(table["row"]), _places(table["column"])
    if not set(columns) - {"distortion"}:
        raise InputError("table of a transfer figure: no column of rates; give some")
    across = max(columns.values()) + 1
    down = max(rows.values()) + 1
    figure = blank(1.02 * across + 2.1, 0.62 * down + 1.5)
    axes = figure.subplots()
    for one in table.itertuples():
        _draw_cell(axes, columns[one.column], rows[one.row], one)
    axes.set(xlim=(0, across), ylim=(down, 0), title=title)
    axes.set_xticks([x + 0.5 for x in columns.values()], map(column_label, columns))
    axes.set_yticks([y + 0.5 for y in rows.values()], map(row_label, rows))
    axes.set(xlabel="network they are fed to", ylabel="images made for, or with")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _explain_map(figure, axes, table)
    return figure


def _places(names: pd.Series) -> dict[str, float]:
    """Position of each row or column, with a gap wherever another kind begins."""
    places: dict[str, float] = {}
    shift, previous = 0.0, None
    for i, name in enumerate(names.unique()):
        kind = _kind(name)
        shift += GAP * (previous not in (None, kind))
        places[name], previous = i + shift, kind
    return places


def _kind(name: str) -> str:
    """Tell networks from what else stands in a table of transfer."""
    if name.startswith("noise-"):
        return "noise"
    return name if name == "distortion" else name.rpartition(":")[0]


def row_label(name: str) -> str:
    """Return the name of a set of images as a reader would say it."""
    if name.startswith("noise-"):
        return f"Gaussian noise,\nst. dev. {name.removeprefix('noise-')}"
    return name.replace(":", ":\n")


def column_label(name: str) -> str:
    """Return the name of a network in two lines where it names its training set."""
    return name.replace("@", "\n@")


def cell_lines(one) -> tuple[str, str, str]:
    """Return what stands in a cell: our number, its interval, the paper's number.

    Args:
        one: Row of a tidy table, as a named tuple.
    """
    size, digits = (1, 3) if one.column == "distortion" else (100, 1)
    texts = [
        "n/a" if pd.isna(number) else f"{size * number:.{digits}f}"
        for number in (one.value, one.low, one.high)
    ]
    interval = "" if pd.isna(one.low) else f"[{texts[1]}, {texts[2]}]"
    if pd.isna(one.published):
        return texts[0], interval, ""
    paper = f"paper {size * one.published:.6g} {MARKS.get(one.verdict, '')}"
    return texts[0], interval, paper.rstrip()


def _draw_cell(axes: Axes, left: float, top: float, one) -> None:
    colour, text = "white", "black"
    if one.column != "distortion":
        colour = MISSING if pd.isna(one.value) else MAP(one.value)
        text = ink(colour)
        box = Rectangle((left, top), 1, 1, facecolor=colour, edgecolor="white", lw=0.8)
        axes.add_patch(box)
    looks = [(0.27, 9.5, "bold"), (0.55, 6.5, "normal"), (0.8, 7, "normal")]
    for line, (down, size, weight) in zip(cell_lines(one), looks, strict=True):
        axes.text(
            left + 0.5,
            top + down,
            line,
            ha="center",
            va="center",
            color=text,
            size=size,
            weight=weight,
        )


def _explain_map(figure: Figure, axes: Axes, table: pd.DataFrame) -> None:
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 100), MAP), ax=axes, shrink=0.6, aspect=30, pad=0.01
    )
    bar.set_label("misclassified (%)")
    bar.outline.set_visible(False)
    known = table["verdict"].isin(list(MARKS))
    marks = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
    beside = f"; beside the paper's number: {marks}" if known.any() else ""
    notes = (
        f"Misclassified images in %, in brackets the 95 % interval{beside}.",
        "Distortion: root mean square per pixel, mean over images. "
        f"Images behind a cell: {extent(table['n'])}; seeds: {extent(table['seeds'])}.",
    )
    width = int(LETTERS * figure.get_figwidth())
    lines = [line for note in notes for line in wrap(note, width)]
    figure.supxlabel("\n".join(lines), size=8, x=0.01, ha="left")


def extent(counts: pd.Series) -> str:
    """Return the least and the largest of some counts: ``1,024 to 5,120``."""
    known = counts.dropna().astype(int)
    ends = dict.fromkeys([known.min(), known.max()])
    return " to ".join(f"{end:,}" for end in ends)
