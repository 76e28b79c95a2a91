"""How much longer than the best, and at what cost: attacks compared."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from intriguing.errors import InputError
from intriguing.figures.style import OURS, PAPER, QUIET, blank, styled

OWN = ("minimal", "lbfgs")
"""Attacks whose names begin so are ours."""
REFERENCE = "scipy"
WAYS = np.array([(1, 0), (0.7, 0.7), (0.7, -0.7), (-1, 0), (-0.7, 0.7), (-0.7, -0.7)])
"""Directions from a mark in which its number may stand, the best first."""
LEAST = 0.01
"""Excess in per cent below which the axis is linear, down to 0."""


@styled()
def peers_figure(table: pd.DataFrame) -> Figure:
    """Draw mean excess length against CPU seconds an image, a panel a network and goal.

    Excess is over the shortest that any attack found, image by image, with the 95 %
    interval of its mean. Attacks that fail on some image have an infinite mean; they
    stand at the top.

    Args:
        table: Tidy table ``peers``; rows are ``network:goal:attack``.

    Raises:
        InputError: The table is empty.
    """
    if table.empty:
        raise InputError("table of compared attacks: it is empty; give rows")
    names = table["row"].str.rsplit(":", n=1, expand=True)
    table = table.assign(panel=names[0], attack=names[1])
    numbers = {name: i + 1 for i, name in enumerate(table["attack"].unique())}
    panels = list(dict.fromkeys(table["panel"]))
    goals = list(dict.fromkeys(panel.rpartition(":")[2] for panel in panels))
    networks = list(dict.fromkeys(panel.rpartition(":")[0] for panel in panels))
    figure = blank(3.6 * len(goals), 2.5 * len(networks) + 1.2)
    grid = figure.subplots(
        len(networks), len(goals), squeeze=False, sharex=True, sharey=True
    )
    top, marks = _top(table), {}
    for i, network in enumerate(networks):
        for j, goal in enumerate(goals):
            own = table[table["panel"] == f"{network}:{goal}"]
            marks[grid[i, j]] = _draw_panel(grid[i, j], own, top)
            grid[i, j].set_title(f"{network}, {goal}")
    figure.supxlabel("CPU seconds per image, one thread", size=8)
    figure.supylabel("longer than the best of all, mean over images (%)", size=8)
    _explain(figure, numbers)
    figure.draw_without_rendering()  # numbers go where there is room
    for axes, places in marks.items():
        _number(axes, {numbers[attack]: place for attack, place in places.items()})
    return figure


def _top(table: pd.DataFrame) -> float:
    """Return the upper edge, above every finite excess."""
    ratio = table.loc[table["column"] == "ratio-to-best-mean", "value"]
    finite = ratio[np.isfinite(ratio)]
    return max(200 * (finite.max() - 1), 10 * LEAST)


def _draw_panel(
    axes: Axes, own: pd.DataFrame, top: float
) -> dict[str, tuple[float, float]]:
    """Draw the marks of a panel; return where each attack's is."""
    places = {}
    for attack, rows in own.groupby("attack", sort=False):
        cells = rows.set_index("column")
        ratio = cells.loc["ratio-to-best-mean"]
        seconds = 1 / cells.loc["images-per-second", "value"]
        excess = 100 * (ratio["value"] - 1)
        if np.isfinite(excess) and pd.notna(ratio["low"]):
            ends = [max(100 * (ratio[end] - 1), 0) for end in ("low", "high")]
            axes.plot([seconds] * 2, ends, color=QUIET, lw=0.8, zorder=1)
        look = {"mfc": _colour(attack), "mec": "black", "mew": 0.6, "ms": 5.5}
        look["zorder"] = 3 if attack.startswith(OWN) else 2
        places[attack] = (seconds, min(excess, top))
        axes.plot(*places[attack], "o" if np.isfinite(excess) else "^", **look)
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=LEAST, linscale=0.4)
    axes.set_ylim(-0.25 * LEAST, 2 * top)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="y", color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)
    return places


def _number(axes: Axes, places: dict[int, tuple[float, float]]) -> None:
    """Write each mark's number beside it, clear of other marks and numbers."""
    scale = 72 / axes.figure.dpi
    points = {n: scale * axes.transData.transform(at) for n, at in places.items()}
    taken = list(points.values())
    for number, point in points.items():
        ways = [point + reach * way for reach in (8, 14, 20, 27) for way in WAYS]
        room = [min(np.hypot(*(way - other)) for other in taken) for way in ways]
        clear = [way for way, free in zip(ways, room, strict=True) if free >= 7.5]
        chosen = clear[0] if clear else ways[int(np.argmax(room))]
        taken.append(chosen)
        axes.annotate(
            str(number),
            places[number],
            chosen - point,
            textcoords="offset points",
            ha="center",
            va="center",
            size=6.5,
            arrowprops={"arrowstyle": "-", "lw": 0.4, "shrinkA": 0, "shrinkB": 2},
        )


def _colour(attack: str) -> str:
    if attack.startswith(OWN):
        return OURS
    return PAPER if attack == REFERENCE else "white"


def _explain(figure: Figure, numbers: dict[str, int]) -> None:
    handles = [
        Line2D(
            [],
            [],
            ls="",
            marker="o",
            ms=5.5,
            mfc=_colour(name),
            mec="black",
            mew=0.6,
            label=f"{number} {name}",
        )
        for name, number in numbers.items()
    ]
    failing = {"ls": "", "marker": "^", "ms": 5.5, "mfc": "white", "mec": "black"}
    handles.append(Line2D([], [], **failing, label="fails on some images"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
