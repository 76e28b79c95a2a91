"""Certified against attacked distances, and the slack of Lipschitz bounds."""

from collections.abc import Mapping
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from intriguing.errors import InputError
from intriguing.figures.style import (
    GREEN,
    ORANGE,
    OURS,
    PAPER,
    PINK,
    QUIET,
    SKY,
    Look,
    blank,
    label_plainly,
    styled,
)

ACROSS = 4  # panels in a row
POINTS: Mapping[str, Look] = {
    "product": {"color": PAPER, "marker": "x", "label": "product of norms"},
    "crown": {"color": GREEN, "marker": "+", "label": "CROWN"},
    # An open marker, so that CROWN stays visible where both are exact.
    "certified": {"color": OURS, "marker": "o", "mfc": "none", "label": "best bound"},
}
PENALTIES: Mapping[str, Look] = {
    "decay": {"color": OURS, "marker": "o", "label": "weight decay"},
    "product": {"color": PAPER, "marker": "s", "label": "product of norms"},
    "spectral": {"color": GREEN, "marker": "^", "label": "norms held equal"},
    "eclipse": {"color": PINK, "marker": "D", "label": "ECLipsE-Fast"},
}
DEPTHS: Mapping[str, Look] = {
    "product": {"color": PAPER, "marker": "s", "label": "product of norms"},
    "liplt": {"color": ORANGE, "marker": "v", "label": "LipLT"},
    "eclipse-fast": {"color": PINK, "marker": "D", "label": "ECLipsE-Fast"},
    "lipsdp": {"color": GREEN, "marker": "^", "label": "LipSDP"},
    "box": {"color": SKY, "marker": "x", "label": "steepest found in the box"},
    "median": {"color": OURS, "marker": "o", "label": "median at test images"},
}
READABLE = 1.35
"""Least factor whose bar is wide enough for its number."""
LINEAR = 1e-3
"""Relative slack below which a network is linear, and left out."""
LEVELS = ("product", "lipsdp", "box", "data", "median")
"""Columns of the table ``bounds`` from the largest to the smallest."""
CAUSES: Mapping[str, str] = {
    "layers are not aligned": PAPER,
    "relaxation, or patterns out of reach": ORANGE,
    "far from the data": SKY,
    "worst against typical image": OURS,
}
"""Why each level is below the one before it, with its colour."""
INKS = dict.fromkeys(CAUSES.values(), "black") | {OURS: "white"}
"""Colour of the text on each."""


@styled()
def certified_figure(networks: Mapping[str, pd.DataFrame]) -> Figure:
    """Return certified against attacked distance of every image, a panel a network.

    Args:
        networks: Records by network, with the columns ``attacked`` and `POINTS`.

    Raises:
        InputError: There is no network.
    """
    if not networks:
        raise InputError("certified distances: give at least one network")
    down, across = ceil(len(networks) / ACROSS), min(len(networks), ACROSS)
    figure = blank(1.9 * across + 0.6, 1.9 * down + 0.8)
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    every = pd.concat(networks.values())[["attacked", *POINTS]].to_numpy()
    ends = every[every > 0].min() / 1.5, every[np.isfinite(every)].max() * 1.5
    for axes, (name, records) in zip(panels.flat, networks.items(), strict=False):
        for method, look in POINTS.items():
            axes.plot(records["attacked"], records[method], ls="", ms=5, **look)
        axes.plot(ends, ends, color=QUIET, lw=0.8)
        axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
        axes.set_title(name)
        axes.set_box_aspect(1)
        for axis in (axes.xaxis, axes.yaxis):
            label_plainly(axis)
    for place, axes in enumerate(panels.flat):
        axes.tick_params(labelbottom=place + across >= len(networks))
        if place >= len(networks):
            axes.axis("off")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    figure.supxlabel(
        "L2 distance of the nearest adversarial image found (pixels)", fontsize=8
    )
    figure.supylabel("certified L2 distance (pixels)", fontsize=8)
    return figure


@styled()
def waterfall_figure(table: pd.DataFrame) -> Figure:
    """Return the factors between a product of norms and a typical gradient.

    Linear networks, whose gradient is the same everywhere, are left out. The table is
    ``bounds``.

    Raises:
        InputError: A network lacks one of `LEVELS`.
    """
    values = table.pivot(index="row", columns="column", values="value")
    missing = [level for level in LEVELS if level not in values.columns]
    if missing or values[list(LEVELS)].isna().any(axis=None):
        raise InputError(f"bounds: the table lacks {', '.join(missing) or 'values'}")
    slack = values["product"] / values["median"]
    names = [name for name in table["row"].unique() if slack[name] > 1 + LINEAR]
    figure = blank(7.2, 0.42 * len(names) + 1.2)
    axes = figure.subplots()
    for row, name in enumerate(names):
        levels = np.maximum.accumulate(values.loc[name, list(LEVELS)].to_numpy()[::-1])
        for right, left, (cause, colour) in zip(
            levels[:0:-1], levels[-2::-1], CAUSES.items(), strict=True
        ):
            label = cause if row == 0 else None
            axes.barh(row, right - left, 0.7, left, color=colour, label=label)
            wide, middle = right > READABLE * left, np.sqrt(left * right)
            look: Look = {"ha": "center", "va": "center", "fontsize": 7}
            look["color"] = INKS[colour] if wide else "black"
            factor = rf"$\times${right / left:#.3g}"
            axes.text(middle, row if wide else row - 0.5, factor, **look)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xscale="log", xlim=(0.9 * values.loc[names, "median"].min(), None))
    axes.set_xlabel("Lipschitz constant (logits per unit of L2 distance, log scale)")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    label_plainly(axes.xaxis)
    figure.legend(loc="outside upper center", ncols=2, fontsize=7)
    return figure


@styled()
def penalties_figure(records: pd.DataFrame) -> Figure:
    """Return distance against test error and against the product of norms.

    A line joins the strengths of a method, from the weakest; points are means over
    seeds and bars their range.

    Args:
        records: ``method``, ``strength``, ``seed``, ``error``, ``distance`` and
            ``product`` of each network.
    """
    figure = blank(7.2, 2.9)
    panels = figure.subplots(1, 2, sharey=True)
    shown = records.assign(error=100 * records["error"])
    labels = "test error (%)", "product of the layers' norms"
    for axes, across, label in zip(panels, ("error", "product"), labels, strict=True):
        axes.set_title("(a)" if across == "error" else "(b)")
        for method, look in PENALTIES.items():
            own = shown[shown["method"] == method].groupby("strength", sort=False)
            x, y = own[across].mean(), own["distance"].mean()
            bars = [
                [middle - own[name].min(), own[name].max() - middle]
                for name, middle in ((across, x), ("distance", y))
            ]
            axes.errorbar(x, y, bars[1], bars[0], ms=4, lw=0.9, elinewidth=0.6, **look)
        axes.set_xlabel(label)
    panels[0].set_ylabel("L2 distance to the nearest\nadversarial image (pixels)")
    panels[1].set_xscale("log")
    panels[1].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    label_plainly(panels[1].xaxis)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=4)
    return figure


@styled()
def depth_figure(table: pd.DataFrame) -> Figure:
    """Return the bounds and gradients of the tidy table ``depth`` against the depth."""
    own = table[table["row"].str.isdigit()].assign(depth=lambda t: t["row"].astype(int))
    figure = blank(5.2, 3.2)
    axes = figure.subplots()
    for column, look in DEPTHS.items():
        cells = own[own["column"] == column].sort_values("depth")
        axes.plot(cells["depth"], cells["value"], ms=4, lw=1, **look)
        known = cells.dropna(subset=["low", "high"])
        # An interval of few seeds may reach below zero.
        ends = known["low"].clip(lower=known["value"] / 10), known["high"]
        axes.vlines(known["depth"], *ends, color=look["color"], lw=0.6)
    axes.set(yscale="log", xlabel="hidden layers of 100 ReLU units")
    axes.set_ylabel("gradient or its bound\n(logits per unit of L2 distance)")
    axes.set_xticks(sorted(own["depth"].unique()))
    label_plainly(axes.yaxis)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    return figure
