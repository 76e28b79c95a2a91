"""Rows of images, such as the top images of units (the paper's Figures 1 to 5)."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intriguing.figures.style import QUIET, Look, add_image, blank, styled

GAP = 0.08  # between images, as a share of their width
PITCH = 1 + GAP


class Rows(NamedTuple):
    """One panel: the name and the images of each row, and headings of the columns."""

    title: str
    names: Sequence[str]
    images: Float[np.ndarray, "rows columns height width *channels"]
    headings: Sequence[str] = ()


@styled()
def direction_figure(layers: Mapping[str, Sequence[Rows]], width: float) -> Figure:
    """Return a figure with a row of panels for each layer; its width is in inches."""
    first = next(iter(layers.values()))
    rows, columns = first[0].images.shape[:2]
    side = width / (len(first) * (columns + 1.6))
    line_height = rows * side * PITCH + (0.44 if first[0].headings else 0.28)
    figure = blank(width, len(layers) * line_height)
    grid = figure.subplots(len(layers), len(first), squeeze=False)
    letters = iter(ascii_lowercase)
    for line, (layer, panels) in zip(grid, layers.items(), strict=True):
        for axes, panel in zip(line, panels, strict=True):
            _add_rows(axes, panel)
            axes.set_title(f"({next(letters)}) {layer}: {panel.title}")
            if panel.headings:
                axes.set_ylim(top=-0.16 / side)
    return figure


def _add_rows(axes: Axes, panel: Rows) -> None:
    rows, columns = panel.images.shape[:2]
    small: Look = {"color": QUIET, "size": 6}
    for row, (name, images) in enumerate(zip(panel.names, panel.images, strict=True)):
        for column, image in enumerate(images):
            add_image(axes, image, column * PITCH, row * PITCH)
        axes.text(-0.1, row * PITCH + 0.5, name, ha="right", va="center", **small)
    for column, heading in enumerate(panel.headings):
        middle = column * PITCH + 0.5
        axes.text(middle, -GAP / 2, heading, ha="center", va="bottom", **small)
    axes.set(xlim=(-1.3, columns * PITCH), ylim=(rows * PITCH, -GAP))
    axes.set_aspect("equal")
    axes.axis("off")
