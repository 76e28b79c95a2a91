"""Top images of single units and of random directions (the paper's Figures 1 to 4)."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intriguing.figures.style import QUIET, blank, styled

GAP = 0.08  # between images, as a share of their width


class Rows(NamedTuple):
    """One panel: what its rows are, and the images of each, the first one first.

    Columns may have headings.
    """

    title: str
    names: Sequence[str]
    images: Float[np.ndarray, "rows columns height width *channels"]
    headings: Sequence[str] = ()


@styled()
def direction_figure(layers: Mapping[str, Sequence[Rows]], width: float) -> Figure:
    """Draw a row of panels for each layer: single units beside random directions.

    Args:
        layers: Panels of each layer, by what it is called.
        width: Of the figure, in inches.
    """
    first = next(iter(layers.values()))
    rows, columns = first[0].images.shape[:2]
    side = width / (len(first) * (columns + 1.6))
    line_height = rows * side * (1 + GAP) + (0.44 if first[0].headings else 0.28)
    figure = blank(width, len(layers) * line_height)
    places = figure.subplots(len(layers), len(first), squeeze=False)
    letters = iter(ascii_lowercase)
    for line, (layer, panels) in zip(places, layers.items(), strict=True):
        for axes, panel in zip(line, panels, strict=True):
            _draw_rows(axes, panel)
            axes.set_title(f"({next(letters)}) {layer}: {panel.title}")
            if panel.headings:
                axes.set_ylim(top=-0.16 / side)
    return figure


def _draw_rows(axes: Axes, panel: Rows) -> None:
    rows, columns = panel.images.shape[:2]
    pitch = 1 + GAP
    for row, (name, images) in enumerate(zip(panel.names, panel.images, strict=True)):
        for column, image in enumerate(images):
            left, top = column * pitch, row * pitch
            place = (left, left + 1, top + 1, top)
            axes.imshow(
                image, "gray", vmin=0, vmax=1, extent=place, interpolation="none"
            )
        middle = row * pitch + 0.5
        axes.text(-0.1, middle, name, ha="right", va="center", color=QUIET, size=6)
    for column, heading in enumerate(panel.headings):
        place = column * pitch + 0.5, -GAP / 2
        axes.text(*place, heading, ha="center", va="bottom", color=QUIET, size=6)
    axes.set(xlim=(-1.3, columns * pitch), ylim=(rows * pitch, -GAP))
    axes.set_aspect("equal")
    axes.axis("off")
