"""What the natural basis is, and how it differs from random rotations."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, StrMethodFormatter

from intriguing.figures.style import (
    GREEN,
    ORANGE,
    OURS,
    PAPER,
    PINK,
    QUIET,
    SKY,
    Look,
    add_image,
    blank,
    styled,
)

SHOWN = {"purity": "purity of the top 20 images", "kurtosis": "excess kurtosis"}
"""Measures in the figures, and what they are called there."""
COLOURS = ("black", OURS, PAPER, GREEN, PINK, SKY, ORANGE)
ARROW: Look = {"arrowstyle": "-|>", "lw": 1.8, "shrinkA": 0, "shrinkB": 0}


@styled()
def natural_basis_figure(
    plane: Float[np.ndarray, "n 2"],
    labels: Int64[np.ndarray, " n"],
    directions: Mapping[str, tuple[float, float]],
    rows: Sequence[Float[np.ndarray, "columns height width"]],
) -> Figure:
    """Return two units of a layer as coordinates, and the top images of directions.

    Args:
        plane: Activations of the two units for images.
        labels: Classes of the images.
        directions: Unit vectors in the plane, by name.
        rows: Top images along each direction.
    """
    figure = blank(7.2, 2.7)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    for digit in np.unique(labels):
        look: Look = {"marker": f"${digit}$", "ms": 4, "mew": 0, "color": QUIET}
        left.plot(*plane[labels == digit].T, ls="", **look)
    reach = float(plane.max())
    for colour, (name, (x, y)) in zip(COLOURS, directions.items(), strict=False):
        end = (0.75 * reach * x, 0.75 * reach * y)
        left.annotate("", end, (0, 0), arrowprops={**ARROW, "color": colour})
        near: Look = {"xytext": (4, 4), "textcoords": "offset points"}
        box = {"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1}
        left.annotate(name, end, color=colour, bbox=box, **near)
    ends = (-0.05 * reach, 1.05 * reach)
    left.set(xlim=ends, ylim=ends, box_aspect=1)
    first, second = list(directions)[:2]
    left.set(xlabel=f"activation of {first}", ylabel=f"activation of {second}")
    left.set_title("(a) test images; axes: natural basis")
    for line, (name, images) in enumerate(zip(directions, rows, strict=True)):
        for column, image in enumerate(images):
            add_image(right, image, 1.08 * column, 1.25 * line)
        colour = COLOURS[line]
        right.text(
            -0.15, 1.25 * line + 0.5, name, color=colour, ha="right", va="center"
        )
    right.set(xlim=(-2.0, 1.08 * len(rows[0])), ylim=(1.25 * len(rows), -0.1))
    right.set_title("(b) images with the largest inner products")
    right.set_aspect("equal")
    right.axis("off")
    return figure


@styled()
def path_figure(measured: pd.DataFrame, names: Mapping[str, str]) -> Figure:
    """Return purity and kurtosis from the natural basis to a random rotation.

    Args:
        measured: Selectivity, with rows of the basis ``path``.
        names: Networks shown, and what they are called.
    """
    networks = list(names)
    own = measured[(measured["basis"] == "path") & measured["network"].isin(networks)]
    figure = blank(7.2, 3.2)
    keys, panels = ["network", "layer", "trained"], figure.subplots(1, 2)
    for axes, (measure, label) in zip(panels, SHOWN.items(), strict=True):
        for (network, layer, trained), rows in own.groupby(keys):
            by_part = rows.groupby("part")[measure]
            mean, spread = by_part.mean(), by_part.std().fillna(0)
            colour = COLOURS[networks.index(network)]
            look: Look = {"color": colour, "lw": 1.6 if trained else 0.8}
            style = ("-" if layer == 1 else ":") if trained else "--"
            axes.plot(mean.index, mean, style, **look)
            band = (mean - spread, mean + spread)
            axes.fill_between(mean.index, *band, color=colour, alpha=0.12, lw=0)
        axes.set(xlabel="share of the way to a random rotation", ylabel=label)
        axes.set(xlim=(0, 1))
    panels[1].axhline(0, color=QUIET, lw=0.6)
    panels[1].set_yscale("symlog", linthresh=1)
    _label_kurtosis(panels[1].yaxis)
    handles = [
        Line2D([], [], color=colour, label=name)
        for name, colour in zip(names.values(), COLOURS, strict=False)
    ]
    kinds = {"first layer": "-", "second layer": ":", "untrained": "--"}
    handles += [Line2D([], [], color=QUIET, ls=s, label=k) for k, s in kinds.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _label_kurtosis(axis: Axis) -> None:
    """Label a scale that is linear up to 1 and logarithmic beyond."""
    low, high = axis.get_view_interval()
    axis.set_ticks([tick for tick in (-1, 0, 1, 3, 10, 30, 100) if low < tick < high])
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(NullLocator())


@styled()
def rotations_figure(measured: pd.DataFrame, names: Mapping[str, str]) -> Figure:
    """Return where the neurons lie among random rotations, layer by layer.

    Args:
        measured: Selectivity of all bases of trained and untrained networks.
        names: Networks shown, and what they are called.
    """
    own = measured[measured["network"].isin(list(names))]
    layers = sorted(set(zip(own["network"], own["layer"], strict=True)))
    order = [pair for name in names for pair in layers if pair[0] == name]
    figure = blank(7.2, 0.42 * len(order) + 1.2)
    for axes, (measure, label) in zip(
        figure.subplots(1, 2, sharey=True), SHOWN.items(), strict=True
    ):
        for line, (network, layer) in enumerate(order):
            rows = own[(own["network"] == network) & (own["layer"] == layer)]
            for trained, colour, shift in ((True, OURS, 0), (False, QUIET, 0.4)):
                some = rows[rows["trained"] == trained]
                _add_distribution(axes, some, measure, line + shift, colour)
        ticks = [f"{names[network]}, layer {layer}" for network, layer in order]
        axes.set_yticks(np.arange(len(order)) + 0.2, ticks)
        axes.set(xlabel=label, ylim=(len(order) - 0.2, -0.4))
    figure.axes[1].set_xscale("symlog", linthresh=1)
    _label_kurtosis(figure.axes[1].xaxis)
    handles = [
        Line2D([], [], color=OURS, label="trained"),
        Line2D([], [], color=QUIET, label="untrained"),
        Line2D([], [], color=QUIET, lw=5, alpha=0.4, label="95 % of rotations"),
        Line2D([], [], color=QUIET, marker="o", ls="", ms=4, label="units of one seed"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _add_distribution(
    axes: Axes, rows: pd.DataFrame, measure: str, y: float, colour: str
) -> None:
    """Add the rotations' central 95 % as a bar, and the neurons of each seed."""
    rotations = rows.loc[rows["basis"] == "rotation", measure]
    low, middle, high = rotations.quantile([0.025, 0.5, 0.975])
    axes.plot([low, high], [y, y], color=colour, lw=5, alpha=0.4, solid_capstyle="butt")
    axes.plot([middle], [y], "|", color=colour, ms=7)
    neurons = rows.loc[rows["basis"] == "neurons", measure]
    axes.plot(neurons, np.full(len(neurons), y), "o", color=colour, ms=4, mec="white")
