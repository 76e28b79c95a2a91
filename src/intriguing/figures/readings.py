"""Readings of the paper: measured over printed distortions."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from intriguing.figures.style import OURS, PAPER, QUIET, blank, styled
from intriguing.stats.equivalence import MARGIN

ATTACKS = {
    "lbfgs": "finest search",
    "lbfgs-plain-norm": "finest search, plain norm",
    "lbfgs-grid": "search in steps of 10^0.2",
    "lbfgs-one-weight": "one weight for all images",
    "lbfgs-next": "next digit as target",
    "lbfgs-nearest": "nearest class as target",
}
"""What the attacks of the sheet are called in the figure."""


@styled()
def readings_figure(
    table: pd.DataFrame, printed: Mapping[str, float], linear: Sequence[str]
) -> Figure:
    """Return the ratio of each network's distortion to the printed one, by reading.

    Args:
        table: The tidy table ``readings``.
        printed: Distortion of each network in the paper.
        linear: Networks that judge the readings.
    """
    cells = table.pivot(index="row", columns="column", values="value")
    cells = cells.sort_values("posterior", ascending=False)
    figure = blank(7.2, 0.5 + 0.21 * len(cells))
    axes = figure.subplots()
    axes.axvspan(1 / MARGIN, MARGIN, color=QUIET, alpha=0.15, lw=0)
    axes.axvline(1, color=QUIET, lw=0.8)
    networks = [name for name in printed if name in cells]
    for name in networks:
        judges = name in linear
        axes.plot(
            cells[name] / printed[name],
            range(len(cells)),
            ls="",
            marker="o" if judges else "D",
            ms=4.5,
            color=PAPER if judges else OURS,
            mfc=PAPER if judges else "none",
            label={networks[0]: "linear networks, which judge"}.get(name)
            or ("other networks, held out" if name == networks[-1] else None),
        )
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(cells)), [f"{x:.1%}" for x in cells["posterior"]])
    right.set_ylabel("posterior probability of the reading")
    axes.set_yticks(range(len(cells)), [named(row) for row in cells.index])
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.set_xscale("log")
    ticks = (0.4, 0.6, 0.8, 1, 1.25, 1.6, 2.4)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("measured over printed distortion; the band is the margin")
    for side in (axes, right):
        side.tick_params(axis="y", length=0)
    axes.legend(loc="upper left")
    return figure


def named(row: str) -> str:
    """Return a reading in words."""
    attack, kept, average = row.split(":")
    images = "" if kept == "all" else ", correct images"
    return f"{average}, {ATTACKS.get(attack, attack)}{images}"
