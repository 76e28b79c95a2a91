"""How the smallest distortions of each network's images are spread."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from intriguing.errors import InputError
from intriguing.figures.style import OURS, PAPER, blank, styled

BINS = 50


@styled()
def distortion_figure(
    distortions: Mapping[str, Float[np.ndarray, " n"]], averages: pd.DataFrame
) -> Figure:
    """Draw how the smallest distortions of each network's images are spread.

    A row a network, in the order given: histogram (equal bins, equal areas), middle
    half and median, and below them our mean with its 95 % interval and the paper's.

    Args:
        distortions: Root mean square per pixel of each image, seeds pooled.
        averages: Tidy table with the column ``distortion`` for these networks.

    Raises:
        InputError: A network has no images or no mean.
    """
    means = averages[averages["column"] == "distortion"].set_index("row")
    for name, values in distortions.items():
        if len(values) == 0 or name not in means.index:
            raise InputError(f"distortions of {name}: give images, and the mean")
    bins = np.linspace(
        0, max(values.max() for values in distortions.values()), BINS + 1
    )
    peak = max(_density(values, bins).max() for values in distortions.values())
    figure = blank(7.2, 0.78 * len(distortions) + 1.1)
    axes = figure.subplots()
    for row, (name, values) in enumerate(distortions.items()):
        heights = 0.72 * _density(values, bins) / peak
        axes.stairs(row - heights, bins, baseline=row, fill=True, color=OURS, alpha=0.3)
        _draw_quartiles(axes, row, values)
        _draw_means(axes, row + 0.16, means.loc[name])
    labels = [f"{name}\n{len(found):,} images" for name, found in distortions.items()]
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlim=(0, bins[-1]), ylim=(len(labels) - 0.65, -0.85))
    axes.set_xlabel("distortion (root mean square per pixel)")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _explain_distortions(figure)
    return figure


def _density(
    values: Float[np.ndarray, " n"], bins: Float[np.ndarray, " edges"]
) -> Float[np.ndarray, " bins"]:
    return np.histogram(values, bins)[0] / len(values)


def _draw_quartiles(axes: Axes, row: float, values: Float[np.ndarray, " n"]) -> None:
    first, median, third = np.quantile(values, [0.25, 0.5, 0.75])
    axes.plot([first, third], [row, row], color=OURS, lw=3, solid_capstyle="butt")
    axes.plot(median, row, "|", color="white", ms=5, mew=1.2)


def _draw_means(axes: Axes, row: float, mean: pd.Series) -> None:
    across = [[mean["value"] - mean["low"]], [mean["high"] - mean["value"]]]
    look = {"color": "black", "ms": 4, "lw": 1, "capsize": 2.5}
    axes.errorbar(mean["value"], row, xerr=across, fmt="o", **look)
    if pd.notna(mean["published"]):
        axes.plot(mean["published"], row, "D", mfc="none", mec=PAPER, mew=1.3, ms=6)


def _explain_distortions(figure: Figure) -> None:
    handles = [
        Rectangle((0, 0), 1, 1, color=OURS, alpha=0.3, label="images"),
        Line2D([], [], color=OURS, lw=3, label="middle half, median"),
        Line2D(
            [], [], color="black", marker="o", ms=4, lw=1, label="mean, 95 % interval"
        ),
        Line2D(
            [], [], color=PAPER, marker="D", mfc="none", ls="", label="paper's mean"
        ),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
