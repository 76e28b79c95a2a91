"""Singular values of the layers of networks (the paper's section 4.3)."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intriguing.errors import InputError
from intriguing.figures.style import QUIET, Look, blank, styled

ACROSS = 4  # panels in a row
LEAST = 1e-4  # lower end of the vertical axis, where smaller values are plotted
NAMED = 10  # most layers that are all in the legend
MAP = colormaps["viridis"]

Spectra = Mapping[str, Sequence[float]]
"""Singular values of each layer, in descending order; layers in their order."""


@styled()
def spectra_figure(networks: Mapping[str, Spectra]) -> Figure:
    """Return each network's singular values against their rank, a panel a network.

    Colours run from dark for the first layer to light for the last. Lines are solid for
    fully connected layers and dashed for convolutions; a cross marks the largest value.
    If a panel has many layers, the legend has the first, the middle and the last.

    Args:
        networks: Spectra by network, in the order of the panels.

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
        _plot_network(axes, layers)
        axes.set_title(name)
    for axes in panels.flat[len(networks) :]:
        axes.axis("off")
    figure.supxlabel("rank, as a share of all singular values", fontsize=8)
    figure.supylabel("singular value", fontsize=8)
    return figure


def _plot_network(axes: Axes, layers: Spectra) -> None:
    lines = []
    for i, (name, values) in enumerate(layers.items()):
        colour = MAP(0.9 * i / max(len(layers) - 1, 1))
        heights = np.maximum(values, LEAST)
        ranks = np.linspace(0, 1, len(heights))
        style = "--" if name.startswith("conv") else "-"
        lines += axes.plot(ranks, heights, style, color=colour, lw=1.2, label=name)
        axes.plot(0, heights[0], "x", color=colour, ms=4, clip_on=False)
    axes.axhline(1, color=QUIET, lw=0.6, ls=":")
    axes.set(yscale="log", xlim=(0, 1))
    axes.set_xticks([0, 0.5, 1])
    last = len(lines) - 1
    named = lines if last < NAMED else [lines[i] for i in (0, last // 2, last)]
    small: Look = {"fontsize": 6.5, "handlelength": 1.6, "labelspacing": 0.2}
    axes.legend(handles=named, loc="lower left", **small)
