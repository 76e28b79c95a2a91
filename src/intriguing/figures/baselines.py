"""Excess length and cost of the attacks compared."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from intriguing.errors import InputError
from intriguing.figures.style import OURS, PAPER, QUIET, Look, blank, styled

OWN = ("minimal", "lbfgs")
"""Prefixes of the names of our attacks."""
REFERENCE = "scipy"
LEAST = 0.01
"""Excess in per cent below which the axis is linear, down to 0."""
OFFSETS = np.array(
    [(1, 0), (0.7, 0.7), (0.7, -0.7), (-1, 0), (-0.7, 0.7), (-0.7, -0.7)]
)
"""Directions in which a marker's number may stand, in order of preference."""
MARKER: Look = {"mec": "black", "mew": 0.6, "ms": 5.5, "ls": ""}

Point = tuple[float, float]


@styled()
def baselines_figure(table: pd.DataFrame) -> Figure:
    """Return excess length against CPU seconds, a panel for each network and target.

    The excess is over the shortest perturbation of any attack, image by image, with the
    95 % interval of its mean. An attack that fails on an image has an infinite mean,
    and a marker at the top. Rows of the tidy table ``peers`` are
    ``network:target:attack``.

    Raises:
        InputError: The table is empty.
    """
    if table.empty:
        raise InputError("table of compared attacks: it is empty; give rows")
    parts = table["row"].str.split(":", expand=True)
    table = table.assign(network=parts[0], target=parts[1], attack=parts[2])
    numbers = {name: i + 1 for i, name in enumerate(table["attack"].unique())}
    networks, targets = table["network"].unique(), table["target"].unique()
    figure = blank(3.6 * len(targets), 2.5 * len(networks) + 1.2)
    grid = figure.subplots(
        len(networks), len(targets), squeeze=False, sharex=True, sharey=True
    )
    ratio = table.loc[table["column"] == "ratio-to-best-mean", "value"]
    # Above every finite excess.
    top = max(200 * (ratio[np.isfinite(ratio)].max() - 1), 10 * LEAST)
    points = {}
    for line, network in zip(grid, networks, strict=True):
        for axes, target in zip(line, targets, strict=True):
            own = table[(table["network"] == network) & (table["target"] == target)]
            points[axes] = _plot_attacks(axes, own, top)
            axes.set_title(f"{network}, {target}")
    figure.supxlabel("CPU seconds per image, one thread", size=8)
    figure.supylabel("excess over the shortest, mean over images (%)", size=8)
    figure.legend(handles=_handles(numbers), loc="outside upper center", ncols=4)
    figure.draw_without_rendering()  # places the axes, which the numbers depend on
    for axes, found in points.items():
        _add_numbers(axes, {numbers[attack]: point for attack, point in found.items()})
    return figure


def _plot_attacks(axes: Axes, own: pd.DataFrame, top: float) -> dict[str, Point]:
    """Plot the markers of a panel, and return their points by attack."""
    points = {}
    for attack, rows in own.groupby("attack", sort=False):
        cells = rows.set_index("column")
        ratio = cells.loc["ratio-to-best-mean"]
        seconds = 1 / cells.loc["images-per-second", "value"]
        excess = 100 * (ratio["value"] - 1)
        if np.isfinite(excess) and pd.notna(ratio["low"]):
            ends = [max(100 * (ratio[end] - 1), 0) for end in ("low", "high")]
            axes.plot([seconds] * 2, ends, color=QUIET, lw=0.8, zorder=1)
        points[attack] = (seconds, min(excess, top))
        shape = "o" if np.isfinite(excess) else "^"
        order = 3 if attack.startswith(OWN) else 2
        look: Look = {"marker": shape, "mfc": _colour(attack), "zorder": order}
        axes.plot(*points[attack], **look, **MARKER)
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=LEAST, linscale=0.4)
    axes.set_ylim(-0.25 * LEAST, 2 * top)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="y", color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)
    return points


def _add_numbers(axes: Axes, points: Mapping[int, Point]) -> None:
    """Add each marker's number beside it, clear of other markers and numbers."""
    scale = 72 / axes.figure.dpi
    places = {n: scale * axes.transData.transform(p) for n, p in points.items()}
    taken = list(places.values())
    look: Look = {"ha": "center", "va": "center", "size": 6.5}
    look["arrowprops"] = {"arrowstyle": "-", "lw": 0.4, "shrinkA": 0, "shrinkB": 2}
    for number, place in places.items():
        choices = [place + r * offset for r in (8, 14, 20, 27) for offset in OFFSETS]
        room = [min(np.hypot(*(one - other)) for other in taken) for one in choices]
        clear = (i for i, free in enumerate(room) if free >= 7.5)
        chosen = choices[next(clear, int(np.argmax(room)))]
        taken.append(chosen)
        offset: Look = {"xytext": chosen - place, "textcoords": "offset points"}
        axes.annotate(str(number), points[number], **offset, **look)


def _colour(attack: str) -> str:
    if attack.startswith(OWN):
        return OURS
    return PAPER if attack == REFERENCE else "white"


def _handles(numbers: Mapping[str, int]) -> list[Line2D]:
    looks: list[Look] = [
        {"marker": "o", "mfc": _colour(attack), "label": f"{number} {attack}"}
        for attack, number in numbers.items()
    ]
    looks.append({"marker": "^", "mfc": "white", "label": "fails on some images"})
    return [Line2D([], [], **look, **MARKER) for look in looks]
