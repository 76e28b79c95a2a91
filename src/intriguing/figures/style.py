"""Look of the figures, and a blank figure that has it."""

from contextlib import AbstractContextManager

import numpy as np
from matplotlib import style
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.typing import ColorType

# Sizes in points; a figure is printed at its own size.
STYLE = {
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same text everywhere
    "font.size": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # text that stays text; some journals refuse type 3
    "savefig.dpi": 200,
    # Names of SVG elements are drawn by chance where this is not set.
    "svg.hashsalt": "intriguing",
    "xtick.labelsize": 8,
    "xtick.major.width": 0.6,
    "ytick.labelsize": 8,
    "ytick.major.width": 0.6,
}
# Of Okabe and Ito's colours, told apart by colour-blind readers.
OURS, PAPER = "#0072B2", "#D55E00"
QUIET = "#595959"


def styled() -> AbstractContextManager[None]:
    """Return a context, also a decorator, with our style alone.

    Matplotlib's own defaults come first, so that a reader's matplotlibrc changes
    nothing. Text and ticks are made when a figure is saved, which needs it as well.
    """
    return style.context(["default", STYLE])


def blank(width: float, height: float) -> Figure:
    """Return an empty figure, of inches, that pyplot does not know."""
    return Figure(figsize=(width, height), layout="constrained")


def luminance(colour: ColorType) -> float:
    """Return the relative luminance of a colour, from 0 (black) to 1 (white).

    As the Web Content Accessibility Guidelines 2.2 define it for sRGB.
    """
    channel = np.array(to_rgb(colour))
    curve = ((channel + 0.055) / 1.055) ** 2.4
    linear = np.where(channel <= 0.04045, channel / 12.92, curve)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first: ColorType, second: ColorType) -> float:
    """Return the contrast ratio of two colours, from 1 to 21, of the same source."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def ink(background: ColorType) -> str:
    """Return black or white, whichever reads better on a background."""
    return max(("black", "white"), key=lambda text: contrast(text, background))
