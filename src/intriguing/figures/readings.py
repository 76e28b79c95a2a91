"""Readings of the paper: measured over printed distortions."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from intriguing.figures.style import OURS, PAPER, QUIET, blank, styled
from intriguing.stats.equivalence import MARGIN

ATTACKS = {
    "lbfgs": "c refined",
    "lbfgs-plain-norm": "c refined, c·‖r‖",
    "lbfgs-grid": "c in steps of $10^{0.2}$",
    "lbfgs-one-weight": "one c for all images",
    "lbfgs-next": "target: next digit",
    "lbfgs-nearest": "target: nearest class",
}
"""What the attacks of the sheet are called in the figure."""
LEAST = 0.0005
"""Posterior probability below which it is not printed."""


@styled()
def readings_figure(
    table: pd.DataFrame, printed: Mapping[str, float], linear: Sequence[str]
) -> Figure:
    """Return the ratio of each network's distortion to the printed one, by reading.

    Args:
        table: The tidy table ``readings``.
        printed: Distortion of each network in the paper.
        linear: Networks of which the posterior probability is computed.
    """
    cells = table.pivot(index="row", columns="column", values="value")
    cells = cells.sort_values("posterior", ascending=False)
    figure = blank(7.2, 0.5 + 0.21 * len(cells))
    axes = figure.subplots()
    axes.axvspan(1 / MARGIN, MARGIN, color=QUIET, alpha=0.15, lw=0)
    axes.axvline(1, color=QUIET, lw=0.8)
    networks = [name for name in printed if name in cells]
    for name in networks:
        used = name in linear
        axes.plot(
            cells[name] / printed[name],
            range(len(cells)),
            ls="",
            marker="o" if used else "D",
            ms=4.5,
            color=PAPER if used else OURS,
            mfc=PAPER if used else "none",
            label={networks[0]: "linear networks (give the posterior)"}.get(name)
            or ("other networks (not used)" if name == networks[-1] else None),
        )
    right = axes.secondary_yaxis("right")
    posterior = [
        f"{100 * x:.1f}" if x >= LEAST else "< 0.1" for x in cells["posterior"]
    ]
    right.set_yticks(range(len(cells)), posterior)
    right.set_ylabel("posterior probability of the reading (%)")
    axes.set_yticks(range(len(cells)), [named(row) for row in cells.index])
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.set_xscale("log")
    ticks = (0.4, 0.6, 0.8, 1, 1.25, 1.6, 2.4)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("measured / printed distortion (band: margin of the verdicts)")
    for side in (axes, right):
        side.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def named(row: str) -> str:
    """Return a reading in words."""
    attack, kept, average = row.split(":")
    images = "" if kept == "all" else ", correct images"
    return f"{average}, {ATTACKS.get(attack, attack)}{images}"
