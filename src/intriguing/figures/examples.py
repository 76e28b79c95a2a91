"""Digits before and after, as in the paper's Figure 7."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from torch import Tensor, nn

from intriguing.attack import distortion
from intriguing.figures.style import blank, styled
from intriguing.models.evaluation import predict
from intriguing.stats.intervals import rate_interval
from intriguing.transfer.predictions import add_noise

PAIRS, ROWS, COLUMNS = 12, 4, 6
PITCH = 1.32  # height of a row of digits, text beneath included, in digits


class Panel(NamedTuple):
    """Twelve pairs of images, as one panel of the paper's Figure 7.

    Attributes:
        title: What was done to the images, and what it did.
        clean: Images before, at least one; the first twelve are shown.
        distorted: The same images after.
        before: Class that the panel's network gives each clean image.
        after: Class that it gives each distorted one.
        scale: Pixel values shown as black and as white.
    """

    title: str
    clean: Float[np.ndarray, "n height width"]
    distorted: Float[np.ndarray, "n height width"]
    before: Int[np.ndarray, " n"]
    after: Int[np.ndarray, " n"]
    scale: tuple[float, float]


def alternate(
    clean: Float[np.ndarray, "n height width"],
    distorted: Float[np.ndarray, "n height width"],
) -> Float[np.ndarray, "twice_n height width"]:
    """Return the first twelve pairs in reading order: original, distorted, original."""
    pairs = np.stack([clean[:PAIRS], distorted[:PAIRS]], axis=1)
    return pairs.reshape(-1, *clean.shape[1:])


def adversarial_panel(
    name: str,
    model: nn.Module,
    clean: Float[Tensor, "n 1 height width"],
    adversarial: Float[Tensor, "n 1 height width"],
    labels: Int[Tensor, " n"],
) -> Panel:
    """Return the panel of the images made for a network.

    Args:
        name: Of the network.
        model: The network.
        clean: Unperturbed images.
        adversarial: The same images, perturbed; inside the box.
        labels: True classes.
    """
    before, after = _classes(model, clean), _classes(model, adversarial)
    mean = distortion(clean, adversarial).mean()
    title = (
        f"adversarial images of {name}\n"
        f"mean distortion {mean:.3f}, {len(clean):,} images\n"
        f"accuracy {accuracy_text(after, labels.numpy())}"
    )
    images = clean[:, 0].numpy(), adversarial[:, 0].numpy()
    return Panel(title, *images, before, after, (0.0, 1.0))


def noise_panel(
    models: Mapping[str, nn.Module],
    clean: Float[Tensor, "n 1 height width"],
    labels: Int[Tensor, " n"],
    deviation: float,
    seed: int,
) -> Panel:
    """Return the panel of noise, not clipped, and how each network fares with it.

    Args:
        models: Networks by name; the first one's answers stand beneath the images.
        clean: Images without noise.
        labels: True classes.
        deviation: Standard deviation, in units of pixels.
        seed: Decides the noise.
    """
    noisy = add_noise(clean, deviation, seed, clip=False)
    after = {name: _classes(model, noisy) for name, model in models.items()}
    scores = [
        f"{n}: accuracy {accuracy_text(a, labels.numpy())}" for n, a in after.items()
    ]
    title = "\n".join([f"Gaussian noise, standard deviation {deviation:g}", *scores])
    first = next(iter(models))
    images = clean[:, 0].numpy(), noisy[:, 0].numpy()
    # Twice the deviation to each side: zero is mid-grey, as the paper prints it.
    greys = (-2 * deviation, 2 * deviation)
    return Panel(title, *images, _classes(models[first], clean), after[first], greys)


def _classes(
    model: nn.Module, images: Float[Tensor, "n 1 height width"]
) -> Int[np.ndarray, " n"]:
    return predict(model, images).argmax(1).numpy()


def accuracy_text(answers: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"]) -> str:
    """Return the share of right answers of one network with its 95 % interval."""
    share = rate_interval([int((answers == labels).sum())], [len(labels)])
    value, low, high = (
        f"{100 * end:.3g}" for end in (share.value, share.low, share.high)
    )
    return f"{value} % [{low}, {high}]"


@styled()
def example_figure(panels: Sequence[Panel]) -> Figure:
    """Draw pairs of images side by side, each panel with its scale of greys.

    The layout is that of the paper's Figure 7: in each panel four rows of six, odd
    columns the original, even columns the distorted image. Beneath each distorted
    image stand the classes given to the original and to it.
    """
    figure = blank(3.5 * len(panels), 4.1)
    places = figure.subplots(1, len(panels), squeeze=False)[0]
    for i, (axes, panel) in enumerate(zip(places, panels, strict=True)):
        _draw_panel(axes, panel)
        axes.set_title(f"({ascii_lowercase[i]}) {panel.title}")
        _draw_greys(figure, axes, panel.scale)
    return figure


def _draw_panel(axes: Axes, panel: Panel) -> None:
    low, high = panel.scale
    for i, image in enumerate(alternate(panel.clean, panel.distorted)):
        row, column = divmod(i, COLUMNS)
        # The two of a pair stand close together.
        left, top = column + 0.04 - 0.06 * (column % 2), row * PITCH
        axes.imshow(
            image,
            cmap="gray",
            vmin=low,
            vmax=high,
            extent=(left, left + 0.92, top + 0.92, top),
            interpolation="none",
        )
        if i % 2:
            answers = f"{panel.before[i // 2]}→{panel.after[i // 2]}"
            axes.text(left, top + 1.11, answers, ha="center", va="center")
    axes.set(xlim=(0, COLUMNS), ylim=(ROWS * PITCH - 0.05, -0.03))
    axes.axis("off")


def _draw_greys(figure: Figure, axes: Axes, scale: tuple[float, float]) -> None:
    """Draw the scale of greys; pointed where pixels may lie beyond it."""
    greys = ScalarMappable(Normalize(*scale), "gray")
    bar = figure.colorbar(
        greys,
        ax=axes,
        location="bottom",
        fraction=0.03,
        pad=0.01,
        shrink=0.6,
        extend="neither" if scale == (0, 1) else "both",
        ticks=np.linspace(*scale, 3),
    )
    bar.set_label("pixel value")
    bar.outline.set_linewidth(0.6)
