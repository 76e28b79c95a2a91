"""Singular values of the layers of networks (the paper's section 4.3)."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intriguing.errors import InputError
from intriguing.figures.style import QUIET, blank, styled

ACROSS = 4  # panels in a row
LEAST = 1e-4  # of the vertical axis; smaller values are not told apart
NAMED = 10  # layers of a panel that all have their names in it
MAP = colormaps["viridis"]

Spectra = Mapping[str, Sequence[float]]
"""Singular values of each layer, descending, in the order of the layers."""


@styled()
def spectra_figure(networks: Mapping[str, Spectra]) -> Figure:
    """Draw the singular values of each network's layers against their rank.

    A panel a network; the first layer is dark and the last one light. Layers of units
    are drawn through, convolutions dashed. A cross stands at the largest value. Of many
    layers the first, the middle one and the last are named.

    Args:
        networks: By name, in the order of the panels.

    Raises:
        InputError: There is no network, or one has no layer.
    """
    if not networks or not all(networks.values()):
        raise InputError("spectra: give at least one network, each with its layers")
    down = ceil(len(networks) / ACROSS)
    across = min(len(networks), ACROSS)
    figure = blank(2.2 * across + 0.6, 2.3 * down + 0.3)
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes, (name, layers) in zip(panels.flat, networks.items(), strict=False):
        _draw_network(axes, layers)
        axes.set_title(name)
    for axes in panels.flat[len(networks) :]:
        axes.axis("off")
    figure.supxlabel("rank, as a share of all singular values", fontsize=8)
    figure.supylabel("singular value", fontsize=8)
    return figure


def _draw_network(axes: Axes, layers: Spectra) -> None:
    for i, (name, values) in enumerate(layers.items()):
        colour = MAP(0.9 * i / max(len(layers) - 1, 1))
        heights = np.maximum(values, LEAST)
        ranks = np.linspace(0, 1, len(heights))
        style = "--" if name.startswith("conv") else "-"
        axes.plot(ranks, heights, style, color=colour, lw=1.2, label=name)
        axes.plot(0, heights[0], "x", color=colour, ms=4, clip_on=False)
    axes.axhline(1, color=QUIET, lw=0.6, ls=":")
    axes.set(yscale="log", xlim=(0, 1))
    axes.set_xticks([0, 0.5, 1])
    lines, names = axes.get_legend_handles_labels()
    last = len(names) - 1
    named = range(last + 1) if last < NAMED else (0, last // 2, last)
    axes.legend(
        [lines[i] for i in named],
        [names[i] for i in named],
        fontsize=6.5,
        loc="lower left",
        handlelength=1.6,
        labelspacing=0.2,
    )
