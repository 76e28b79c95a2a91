"""Distributions of the distortions found for each network."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from intriguing.errors import InputError
from intriguing.figures.style import OURS, PAPER, Look, blank, styled

BINS = 50
IMAGES: Look = {"color": OURS, "alpha": 0.3}
HALF: Look = {"color": OURS, "lw": 3}
AVERAGE: Look = {"color": "black", "marker": "o", "ms": 4, "lw": 1}
PUBLISHED: Look = {"marker": "D", "mfc": "none", "mec": PAPER, "ls": ""}
PUBLISHED |= {"mew": 1.3, "ms": 5}
LINES = {"quartiles and median": HALF, "average, 95 % interval": AVERAGE}
LINES["paper's average"] = PUBLISHED


@styled()
def distortion_figure(
    distortions: Mapping[str, Float[np.ndarray, " n"]], averages: pd.DataFrame
) -> Figure:
    """Return the distribution of each network's distortions, one row a network.

    A row has a histogram (equal bins, equal areas), the quartiles, and below them our
    average with its 95 % interval and the paper's, from the column ``distortion`` of a
    tidy table. Seeds are pooled.

    Raises:
        InputError: A network has no images or no average.
    """
    known = averages[averages["column"] == "distortion"].set_index("row")
    for name, values in distortions.items():
        if len(values) == 0 or name not in known.index:
            raise InputError(f"distortions of {name}: give images, and the average")
    longest = max(values.max() for values in distortions.values())
    bins = np.linspace(0, longest, BINS + 1)
    shares = {n: np.histogram(v, bins)[0] / len(v) for n, v in distortions.items()}
    peak = max(share.max() for share in shares.values())
    figure = blank(7.2, 0.78 * len(distortions) + 1.1)
    axes = figure.subplots()
    for row, (name, values) in enumerate(distortions.items()):
        heights = 0.6 * shares[name] / peak
        axes.stairs(row - heights, bins, baseline=row, fill=True, **IMAGES)
        first, median, third = np.quantile(values, [0.25, 0.5, 0.75])
        axes.plot([first, third], [row, row], solid_capstyle="butt", **HALF)
        axes.plot(median, row, "|", color="white", ms=5, mew=1.2)
        _plot_averages(axes, row + 0.13, known.loc[name])
    labels = [f"{name}\n{len(found):,} images" for name, found in distortions.items()]
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlim=(0, longest), ylim=(len(labels) - 0.65, -0.85))
    axes.set_xlabel("distortion (root mean square per pixel)")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    handles: list[Line2D | Patch] = [Patch(label="images", **IMAGES)]
    handles += [Line2D([], [], label=label, **look) for label, look in LINES.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _plot_averages(axes: Axes, row: float, average: pd.Series) -> None:
    value = average["value"]
    ends = [[value - average["low"]], [average["high"] - value]]
    axes.errorbar(value, row, xerr=ends, capsize=2.5, **AVERAGE)
    if pd.notna(average["published"]):
        axes.plot(average["published"], row + 0.13, **PUBLISHED)
