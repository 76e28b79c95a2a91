"""One adversarial perturbation through a sparse code."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intriguing.figures.style import OURS, PAPER, QUIET, add_image, blank, styled
from intriguing.sae.example import Example, Latent

SIDE = 28
ROW = 1.15
"""Distance of the rows of images, in sides of an image."""


@styled()
def sae_figure(example: Example, test: Float[np.ndarray, "n 28 28"]) -> Figure:
    """Return a figure of one image, what r changes in its code, and what is left.

    Args:
        example: The image.
        test: Test images, of which the example names some.
    """
    figure = blank(7.2, 4.3)
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.4))
    above, below = parts.flat
    digits, margins = above.subplots(1, 2)
    weaker, stronger = below.subplots(1, 2)
    _add_digits(digits, example)
    _add_margins(margins, example)
    _add_latents(weaker, example.falling, test, PAPER)
    _add_latents(stronger, example.rising, test, OURS)
    weaker.set_title("(c) latents that r weakens: change, top images")
    stronger.set_title("(d) latents that r strengthens: change, top images")
    return figure


def _add_digits(axes: Axes, example: Example) -> None:
    clean, r = (one.reshape(SIDE, SIDE).numpy() for one in example[:2])
    reach = float(np.abs(r).max())
    add_image(axes, clean, 0, 0)
    axes.text(1.17, 0.5, "+", ha="center", va="center", size=12)
    place = (1.35, 2.35, 1, 0)
    axes.imshow(r, "RdBu_r", vmin=-reach, vmax=reach, extent=place)
    axes.text(2.52, 0.5, "=", ha="center", va="center", size=12)
    add_image(axes, np.clip(clean + r, 0, 1), 2.7, 0)
    names = (
        f"seen as {example.label}",
        f"r (±{reach:.2f})",
        f"seen as {example.target}",
    )
    for left, name in zip((0, 1.35, 2.7), names, strict=True):
        axes.text(left + 0.5, 1.05, name, ha="center", va="top")
    axes.set(xlim=(-0.02, 3.75), ylim=(1.3, -0.02))
    axes.set_title("(a) a digit and its smallest perturbation r")
    axes.axis("off")


def _add_margins(axes: Axes, example: Example) -> None:
    """Add a bar for each state: how much the target is preferred to the label."""
    values = list(example.margins.values())
    colours = [PAPER if value < 0 else OURS for value in values]
    bars = axes.barh(range(len(values)), values, color=colours, height=0.6)
    axes.bar_label(bars, fmt="{:+.2f}", padding=2)
    axes.axvline(0, color=QUIET, lw=0.6)
    axes.set_yticks(range(len(values)), list(example.margins))
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(f"logit of {example.target} less logit of {example.label}")
    axes.set_title(
        f"(b) which wins: {example.label} (left) or {example.target} (right)"
    )


def _add_latents(
    axes: Axes,
    latents: Sequence[Latent],
    test: Float[np.ndarray, "n 28 28"],
    colour: str,
) -> None:
    """Add a row for each latent: its change, and the images that activate it most."""
    for line, latent in enumerate(latents):
        images = latent.images.tolist()
        for column, number in enumerate(images):
            add_image(axes, test[number], 1.05 * column, ROW * line)
        name = f"{latent.change:+.2f}"
        place = (-0.12, ROW * line + 0.5)
        axes.text(*place, name, ha="right", va="center", color=colour)
    columns = len(latents[0].images)
    axes.set(xlim=(-1, 1.05 * columns), ylim=(ROW * len(latents), -0.05))
    axes.axis("off")
