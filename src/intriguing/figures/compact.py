"""Length and tightness of proofs of Lipschitz constants."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from intriguing.figures.bounds import DEPTHS
from intriguing.figures.style import OURS, QUIET, Look, blank, label_plainly, styled

WHOLE = ("product", "liplt", "eclipse-fast", "lipsdp")
"""Families that treat matrices as they are."""
LOW_RANK: Look = {"color": OURS, "marker": "o", "label": "low-rank parts"}


@styled()
def compact_proofs_figure(records: pd.DataFrame) -> Figure:
    """Return tightness against the verifier's operations, a panel a depth.

    Points are geometric means over seeds. A line joins the ranks, of which the smallest
    and largest are named, and a grey one the proofs that no shorter one reaches.

    Args:
        records: ``depth``, ``family``, ``operations`` and ``tightness`` of every proof.
    """
    logs = records.assign(tightness=np.log(records["tightness"]))
    means = logs.groupby(["depth", "family"], sort=False).mean(numeric_only=True)
    points = means.assign(tightness=np.exp(means["tightness"]))
    depths = sorted(records["depth"].unique())
    figure = blank(7.2, 2.9)
    panels = figure.subplots(1, len(depths), sharex=True, sharey=True, squeeze=False)[0]
    for axes, depth in zip(panels, depths, strict=True):
        _add_proofs(axes, points.loc[depth])
        axes.set(xscale="log", yscale="log")
        axes.set_title(f"{depth} hidden layer{'s' if depth > 1 else ''}")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        for axis in (axes.xaxis, axes.yaxis):
            label_plainly(axis)
    panels[0].set_ylabel("tightness: steepest\ngradient found / bound")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=6,
        fontsize=7,
        columnspacing=1.2,
        handletextpad=0.5,
    )
    figure.supxlabel("million operations of the verifier", fontsize=8)
    return figure


def _add_proofs(axes: Axes, points: pd.DataFrame) -> None:
    """Add the proofs of one depth; ``points`` has a row for each family."""
    points = points.assign(operations=points["operations"] / 1e6)
    front = pareto_front(points)
    steps: Look = {"drawstyle": "steps-post", "color": QUIET, "lw": 0.8}
    steps["label"] = "best of each length"
    axes.plot(front["operations"], front["tightness"], zorder=1, **steps)
    ranks = points[[name.startswith("rank ") for name in points.index]]
    axes.plot(ranks["operations"], ranks["tightness"], ms=3, lw=0.8, **LOW_RANK)
    for name in ranks.index[[0, -1]]:
        at = ranks.loc[name, ["operations", "tightness"]].tolist()
        place: Look = {"textcoords": "offset points", "ha": "left", "va": "top"}
        axes.annotate(name, at, (3, 0), color=OURS, fontsize=6, **place)
    for name in WHOLE:
        at = points.loc[name, ["operations", "tightness"]]
        axes.plot(*at, ls="", ms=5, mfc="none", mew=1.2, **DEPTHS[name])


def pareto_front(points: pd.DataFrame) -> pd.DataFrame:
    """Return the proofs than which none is both shorter and tighter, by length.

    Args:
        points: ``operations`` and ``tightness`` of each.
    """
    order = points.sort_values(["operations", "tightness"], ascending=[True, False])
    best = order["tightness"].cummax().shift(fill_value=0.0)
    return order[order["tightness"] > best]
