"""Superposition against the strength of adversarial training."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.style import GREEN, ORANGE, OURS, PAPER, Look, blank, styled

LOOKS: tuple[Look, ...] = (
    {"color": PAPER, "marker": "s"},
    {"color": ORANGE, "marker": "D"},
    {"color": GREEN, "marker": "^"},
    {"color": OURS, "marker": "o"},
)
"""Of each width, from the smallest."""
PANELS = {"fvu": "unexplained variance (%)", "features": "effective features per unit"}


@styled()
def superposition_figure(records: pd.DataFrame) -> Figure:
    """Return both measures of the last hidden layer, a line a width.

    Points are means over seeds, bars their range.

    Args:
        records: ``width``, ``radius``, ``seed``, ``fvu-2`` and ``features-2`` of each
            network.
    """
    figure = blank(7.2, 2.8)
    panels = figure.subplots(1, 2)
    for axes, (measure, label) in zip(panels, PANELS.items(), strict=True):
        column, factor = f"{measure}-2", 100 if measure == "fvu" else 1
        for place, (width, own) in enumerate(records.groupby("width")):
            values = factor * own.groupby("radius")[column].agg(["mean", "min", "max"])
            middle = values["mean"]
            bars = [middle - values["min"], values["max"] - middle]
            look = LOOKS[place % len(LOOKS)] | {"label": f"{width} units a layer"}
            axes.errorbar(
                values.index, middle, bars, ms=4, lw=1, elinewidth=0.6, **look
            )
        axes.set(
            xlabel="L2 length of the training perturbations (pixels)", ylabel=label
        )
        axes.set_title("(a)" if measure == "fvu" else "(b)")
        axes.set_ylim(bottom=0)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names))
    return figure
