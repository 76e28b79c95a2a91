"""The experiment on local smoothness: shares of the factors, and curves."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intriguing.figures.style import GREEN, OURS, PAPER, QUIET, Look, blank, styled
from intriguing.smoothness.design import GROUPS, Setting
from intriguing.smoothness.effects import UNEXPLAINED
from intriguing.smoothness.table import DISTANCE, grid

COLOURS = {"data": PAPER, "architecture": OURS, "training": GREEN}
OTHERS = {"interactions": "interactions between groups", UNEXPLAINED: "unexplained"}
TITLES = {
    "images": "training images",
    "noise": "share of wrong labels",
    "width": "units of a hidden layer",
    "depth": "hidden layers",
    "decay": "weight decay λ",
    "scale": "factor of the initial weights",
    "radius": "radius of adversarial training",
    "length": "steps of training, relative",
    "classes": "labels told apart in training",
}
LOGARITHMIC = ("images", "width", "scale", "length", "classes")
POINTS: Look = {"ls": "", "marker": "o", "ms": 3, "alpha": 0.6, "mew": 0}


@styled()
def share_figure(table: pd.DataFrame) -> Figure:
    """Return the share of each group and factor, at free and at equal test error.

    Args:
        table: The tidy table ``smoothness``.
    """
    figure = blank(7.2, 3.6)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    columns = {
        "share": "(a) all networks",
        "share-equal-error": "(b) at equal test error",
    }
    for axes, (column, title) in zip(panels, columns.items(), strict=True):
        _draw_shares(axes, table[table["column"] == column].set_index("row"))
        axes.set_title(title)
        axes.set_xlabel("share of the variance of log distance (%)")
    return figure


def _draw_shares(axes: Axes, cells: pd.DataFrame) -> None:
    rows: list[tuple[str, str, str]] = []
    for group, factors in GROUPS.items():
        rows += [(group, f"{group}, all", COLOURS[group])]
        rows += [(one, f"{TITLES.get(one, one)}", COLOURS[group]) for one in factors]
    rows += [(name, text, QUIET) for name, text in OTHERS.items()]
    for place, (name, _, colour) in enumerate(rows):
        cell, whole = 100 * cells.loc[name, ["value", "low", "high"]], name in GROUPS
        ends = [[cell["value"] - cell["low"]], [cell["high"] - cell["value"]]]
        axes.barh(place, cell["value"], 0.7, color=colour, alpha=1 if whole else 0.45)
        axes.errorbar(cell["value"], place, xerr=ends, color="black", lw=1, capsize=2)
    axes.set_yticks(range(len(rows)), [text for _, text, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, None)
    axes.tick_params(axis="y", length=0)


@styled()
def curve_figure(
    measured: pd.DataFrame, curves: Mapping[str, Sequence[Setting]]
) -> Figure:
    """Return the distance along the curve of each factor that is a number.

    Args:
        measured: A row for each network.
        curves: Settings of each curve.
    """
    shown = {factor: curve for factor, curve in curves.items() if factor in TITLES}
    figure = blank(7.2, 5.4)
    panels = figure.subplots(3, 3, sharey=True)
    for axes, (factor, curve) in zip(panels.flat, shown.items(), strict=True):
        ordered = sorted(curve, key=lambda one: getattr(one, factor))
        values = np.exp(grid(measured, ordered, DISTANCE))
        at = [getattr(one, factor) for one in ordered]
        axes.plot(np.broadcast_to(at, values.shape).T, values.T, color=OURS, **POINTS)
        axes.plot(at, np.exp(np.log(values).mean(0)), "-", color=OURS, lw=1)
        axes.set_xlabel(TITLES[factor])
        if factor == "decay":
            axes.set_xscale("symlog", linthresh=1e-5)
            continue
        axes.set_xscale("log" if factor in LOGARITHMIC else "linear")
        axes.set_xticks(
            at, [f"{one:g}" if one < 1e3 else f"{one / 1e3:g}k" for one in at]
        )
        axes.minorticks_off()
    figure.supylabel("minimal L2 distance in pixels (geometric mean)", fontsize=8)
    return figure
