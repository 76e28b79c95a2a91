"""Fooling rate against amplification, by what two networks have in common."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from intriguing.errors import InputError
from intriguing.figures.style import GREEN, OURS, PAPER, QUIET, Look, blank, styled
from intriguing.tables.row_names import FACTOR, MATCHED_LENGTH
from intriguing.transfer.decomposition import (
    ARCHITECTURE,
    BOTH,
    DATA,
    NOISE,
    SAME_SEED,
    SEED,
)

# Open markers and thin lines remain visible over full ones, and leave them visible.
OPEN: Look = {"ms": 8, "mfc": "none", "mew": 1.2, "lw": 1}
FULL: Look = {"ms": 5, "lw": 2.5}
THIN: Look = {"ms": 4, "lw": 1}
LOOKS: dict[str, Look] = {
    kind: {"label": label, "color": colour, "marker": marker, **size}
    for kind, label, colour, marker, size in (
        (SEED, "other seed", "black", "o", FULL),
        (ARCHITECTURE, "other seed and architecture", OURS, "s", OPEN),
        (DATA, "other seed and training data", PAPER, "^", FULL),
        (BOTH, "all three differ", GREEN, "D", OPEN),
        (NOISE, "Gaussian noise, all pairs", QUIET, "x", THIN),
    )
}
PAIR: Look = {"lw": 0.6, "alpha": 0.35}
SAME: Look = {"lw": 1, "ls": "--"}
PANELS = {
    FACTOR: ("(a) amplified", "factor by which perturbations are multiplied"),
    MATCHED_LENGTH: (
        "(b) scaled to one distortion",
        "distortion of each image (root mean square per pixel)",
    ),
}


@styled()
def decomposition_figure(table: pd.DataFrame, pairs: pd.DataFrame) -> Figure:
    """Return a plot of the fooling rate against the length of the perturbations.

    On the left each perturbation is multiplied by a factor, on the right all are scaled
    to one distortion. Thick lines: means of a kind of pairs with their intervals, from
    the table ``transfer-decomposition``. Thin lines: single pairs of networks of that
    kind (see `with_kinds`), seeds pooled. Dashed: pairs of one seed.

    Raises:
        InputError: The table has no values.
    """
    known = table.dropna(subset="value")
    if known.empty:
        raise InputError("transfer-decomposition: the table has no values to plot")
    figure = blank(7.2, 4.1)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (prefix, (title, label)) in zip(panels, PANELS.items(), strict=True):
        _plot_panel(
            axes, _with_x(known, "column", prefix), _with_x(pairs, "length", prefix)
        )
        axes.set(title=title, xlabel=label, ylim=(0, 103))
    panels[0].set_ylabel("correctly classified images that are fooled (%)")
    handles = [Line2D([], [], **look) for look in LOOKS.values()]
    handles += [
        Line2D([], [], color="black", label="same seed", **SAME),
        Line2D([], [], color="black", label="one pair of networks", **PAIR),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _with_x(frame: pd.DataFrame, column: str, prefix: str) -> pd.DataFrame:
    """Return the rows of one panel, with the length as the number ``x``."""
    own = frame[frame[column].str.startswith(prefix)]
    x = own[column].str.removeprefix(prefix).astype(float)
    return own.assign(x=x).sort_values("x", kind="stable")


def _plot_panel(axes: Axes, table: pd.DataFrame, pairs: pd.DataFrame) -> None:
    for kind, look in LOOKS.items():
        colour = look["color"]
        own = pairs[pairs["kind"] == kind]
        for _, pair in own.groupby(["source", "target"]):
            rate = 100 * pair.groupby("x")["share"].mean()
            axes.plot(rate.index, rate, color=colour, **PAIR)
        mean = table[table["row"] == kind]
        low, high = 100 * mean["low"], 100 * mean["high"]
        axes.fill_between(mean["x"], low, high, color=colour, alpha=0.15, lw=0)
        axes.plot(mean["x"], 100 * mean["value"], **look)
        same = table[table["row"] == f"{kind}{SAME_SEED}"]
        axes.plot(same["x"], 100 * same["value"], color=colour, **SAME)
