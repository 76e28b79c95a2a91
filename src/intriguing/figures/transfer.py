"""Tables 2 and 4 as a map: images made for one network, classified by another."""

from itertools import pairwise
from math import isnan, nan
from textwrap import wrap

import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from intriguing.errors import InputError
from intriguing.figures.style import Look, blank, styled
from intriguing.tables.rates import MEAN_DISTORTION
from intriguing.tables.tidy import MARKS, Entry, cell_texts, entries_of, marks_text

GAP = 0.35  # between groups of rows and columns, in cells
MAP = colormaps["cividis"]  # even lightness, also for colour-blind readers
MISSING = "#e6e6e6"
DARK = 120 / 256  # below this rate white letters have more contrast than black ones
LETTERS = 16  # letters of a note to an inch


@styled()
def transfer_figure(table: pd.DataFrame, title: str) -> Figure:
    """Return a tidy table of error rates as a map, with networks as columns.

    Each cell has our percentage, its 95 % interval, and the paper's number with the
    mark of the verdict. Rows that are not networks stand apart. So does the column
    ``distortion``, whose cells have no colour. The mean over images is left out.

    Raises:
        InputError: The table has no rates.
    """
    table = table[table["column"] != MEAN_DISTORTION]
    rows, columns = _places(table["row"]), _places(table["column"])
    if not set(columns) - {"distortion"}:
        raise InputError("table of a transfer figure: no column of rates; give some")
    across, down = max(columns.values()) + 1, max(rows.values()) + 1
    figure = blank(1.02 * across + 2.1, 0.62 * down + 1.5)
    axes = figure.subplots()
    for (row, column), one in entries_of(table).items():
        _add_cell(axes, columns[column], rows[row], one)
    axes.set(xlim=(0, across), ylim=(down, 0), title=title)
    axes.set_xticks(
        [x + 0.5 for x in columns.values()], [c.replace("@", "\n@") for c in columns]
    )
    axes.set_yticks([y + 0.5 for y in rows.values()], map(_row_label, rows))
    axes.set_ylabel("made for, or distorted by")
    classifiers = columns.get("distortion", across + GAP) - GAP
    axes.set_xlabel("classified by", x=classifiers / across / 2)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _add_explanation(figure, axes, table)
    return figure


def _places(names: pd.Series) -> dict[str, float]:
    """Return the position of each row or column, with a gap between groups."""
    groups = [_group(name) for name in names.unique()]
    gaps = [0, *(GAP * (one != other) for one, other in pairwise(groups))]
    return {n: i + sum(gaps[: i + 1]) for i, n in enumerate(names.unique())}


def _group(name: str) -> str:
    """Return what a row or column belongs to: networks (empty), noise, a prefix, ..."""
    if name.startswith("noise-"):
        return "noise"
    return name if name == "distortion" else name.rpartition(":")[0]


def _row_label(name: str) -> str:
    if name.startswith("noise-"):
        return f"Gaussian noise,\nst. dev. {name.removeprefix('noise-')}"
    return name.replace(":", ":\n")


def _add_cell(axes: Axes, left: float, top: float, one: Entry) -> None:
    letters = "black"
    if one.column != "distortion":
        rate = nan if one.value is None else one.value
        colour = MISSING if isnan(rate) else MAP(rate)
        letters = "white" if rate < DARK else "black"
        look: Look = {"facecolor": colour, "edgecolor": "white", "lw": 0.8}
        axes.add_patch(Rectangle((left, top), 1, 1, **look))
    texts = cell_texts(one)
    paper = f"paper {texts.paper} {MARKS.get(one.verdict, '')}".rstrip()
    lines = texts.measured or "n/a", texts.interval, paper if texts.paper else ""
    middle: Look = {"ha": "center", "va": "center", "color": letters}
    looks = [(0.27, 9.5, "bold"), (0.55, 6.5, "normal"), (0.8, 7, "normal")]
    for line, (down, size, weight) in zip(lines, looks, strict=True):
        axes.text(left + 0.5, top + down, line, size=size, weight=weight, **middle)


def _add_explanation(figure: Figure, axes: Axes, table: pd.DataFrame) -> None:
    """Add the colour bar, and the note beneath the map."""
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 100), MAP), ax=axes, aspect=50, pad=0.01
    )
    bar.set_label("misclassified (%)")
    bar.outline.set_visible(False)
    known = table["verdict"].isin(list(MARKS)).any()
    marks = f"; beside the paper's number: {marks_text()}" if known else ""
    notes = (
        f"Misclassified images in %, in brackets the 95 % interval{marks}.",
        "Distortion: root mean square over the pixels of all images. "
        f"Images of a cell: {_extent(table['n'])}; seeds: {_extent(table['seeds'])}.",
    )
    width = int(LETTERS * figure.get_figwidth())
    lines = [line for note in notes for line in wrap(note, width)]
    figure.supxlabel("\n".join(lines), size=8, x=0.01, ha="left")


def _extent(counts: pd.Series) -> str:
    """Return the smallest and the largest count: ``1,024 to 5,120``."""
    known = counts.dropna().astype(int)
    ends = dict.fromkeys([known.min(), known.max()])
    return " to ".join(f"{end:,}" for end in ends)
