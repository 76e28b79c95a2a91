"""Style of the figures, and what several of them use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

Look = dict[str, Any]
"""Keyword arguments of an artist."""
# Sizes in points, as figures are printed at their own size.
STYLE = {
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # part of matplotlib, so the same on every machine
    "font.size": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # TrueType, as some journals refuse type 3
    "savefig.dpi": 200,
    # Without it the names of SVG elements are random.
    "svg.hashsalt": "intriguing",
    "xtick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.labelsize": 8,
    "ytick.major.width": 0.6,
}
# Okabe and Ito's colours, which colour-blind readers can distinguish.
OURS, PAPER, GREEN = "#0072B2", "#D55E00", "#009E73"
ORANGE, SKY, PINK = "#E69F00", "#56B4E9", "#CC79A7"
QUIET = "#595959"


@contextmanager
def styled() -> Iterator[None]:
    """Apply this style and no other; a context manager and a decorator.

    Matplotlib's defaults come first, so a user's matplotlibrc has no effect. Saving a
    figure needs the style too, because text and ticks are created then.
    """
    with style.context(["default", STYLE]):
        yield


def blank(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that is not registered with pyplot."""
    return Figure(figsize=(width, height), layout="constrained")


def label_plainly(axis: Axis) -> None:
    """Label a logarithmic axis with plain numbers, at its major ticks only."""
    axis.set_major_formatter(FuncFormatter("{0:g}".format))
    axis.set_minor_formatter(NullFormatter())


def add_image(
    axes: Axes,
    image: Float[np.ndarray, "height width *channels"],
    left: float,
    top: float,
    side: float = 1.0,
    scale: tuple[float, float] = (0, 1),
) -> None:
    """Add an image to axes whose vertical axis points down, by its upper left corner.

    ``side`` is its width and height, and ``scale`` has the pixel values shown as black
    and as white, for images in grey.
    """
    place = (left, left + side, top + side, top)
    low, high = scale
    axes.imshow(image, "gray", vmin=low, vmax=high, extent=place, interpolation="none")
