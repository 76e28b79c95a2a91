"""Transfer against amplification, by what two networks have in common."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from intriguing.errors import InputError
from intriguing.figures.style import QUIET, blank, styled
from intriguing.tables.row_names import FACTOR, MATCHED_LENGTH
from intriguing.transfer.decomposition import (
    ARCHITECTURE,
    BOTH,
    DATA,
    NOISE,
    SAME_SEED,
    SEED,
)

# Okabe and Ito's colours; marks that can be told apart where they cover each other.
OPEN = {"ms": 8, "mfc": "none", "mew": 1.2, "lw": 1}
FULL = {"ms": 4, "lw": 1.5}
LOOKS = {
    SEED: ("other seed only", {"color": "#000000", "marker": "o", **FULL}),
    ARCHITECTURE: (
        "and other architecture",
        {"color": "#0072B2", "marker": "s", **OPEN},
    ),
    DATA: ("and other training data", {"color": "#D55E00", "marker": "^", **FULL}),
    BOTH: ("and both", {"color": "#009E73", "marker": "D", **OPEN}),
    NOISE: (
        "Gaussian noise as long, all pairs",
        {"color": QUIET, "marker": "x", **FULL},
    ),
}
PANELS = {
    FACTOR: "times as long as they were made",
    MATCHED_LENGTH: "distortion of every image (root mean square per pixel)",
}


@styled()
def decomposition_figure(table: pd.DataFrame, pairs: pd.DataFrame) -> Figure:
    """Draw how many images fool another network, against their perturbations' length.

    On the left perturbations are lengthened by a factor, on the right all are brought
    to one length. Thick lines with intervals: mean of a kind of pairs; thin lines: each
    pair of networks of that kind, its seeds pooled; dashed: pairs of one seed.

    Args:
        table: Tidy table ``transfer-decomposition``.
        pairs: As `decomposition.with_kinds` gives them.

    Raises:
        InputError: The table has nothing to draw.
    """
    known = table.dropna(subset="value")
    if known.empty:
        raise InputError("transfer-decomposition: the table is empty; nothing to draw")
    figure = blank(7.2, 4.1)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (prefix, label) in zip(panels, PANELS.items(), strict=True):
        _draw_panel(axes, _at(known, "column", prefix), _at(pairs, "length", prefix))
        axes.set(xlabel=label, ylim=(0, 103))
    panels[0].set_ylabel("rightly answered images that are fooled (%)")
    figure.suptitle("Adversarial images fed to another network", x=0.01, ha="left")
    _explain(figure)
    return figure


def _at(frame: pd.DataFrame, column: str, prefix: str) -> pd.DataFrame:
    """Return the rows of one way of lengthening, with the length as a number."""
    own = frame[frame[column].str.startswith(prefix)]
    return own.assign(x=own[column].str.removeprefix(prefix).astype(float))


def _draw_panel(axes: Axes, table: pd.DataFrame, pairs: pd.DataFrame) -> None:
    for kind, (_, look) in LOOKS.items():
        own, colour = pairs[pairs["kind"] == kind], look["color"]
        for _, each in own.groupby(["source", "target"]):
            mean = each.groupby("x")["share"].mean()
            axes.plot(mean.index, 100 * mean, color=colour, lw=0.6, alpha=0.35)
        mean = table[table["row"] == kind].sort_values("x")
        low, high = 100 * mean["low"], 100 * mean["high"]
        axes.fill_between(mean["x"], low, high, color=colour, alpha=0.15, lw=0)
        axes.plot(mean["x"], 100 * mean["value"], **look)
        same = table[table["row"] == f"{kind}{SAME_SEED}"].sort_values("x")
        axes.plot(same["x"], 100 * same["value"], color=colour, lw=1, ls="--")


def _explain(figure: Figure) -> None:
    handles = [Line2D([], [], label=label, **look) for label, look in LOOKS.values()]
    handles += [
        Line2D([], [], color="black", lw=1, ls="--", label="same seed"),
        Line2D([], [], color="black", lw=0.6, alpha=0.35, label="one pair of networks"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
