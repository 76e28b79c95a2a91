"""Images before and after a distortion, as in the paper's Figure 7."""

from collections.abc import Mapping, Sequence
from itertools import islice
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from torch import Tensor, nn

from intriguing.figures.style import Look, add_image, blank, styled
from intriguing.models.evaluation import predict
from intriguing.models.perturbed import add_noise, root_mean_square
from intriguing.stats.intervals import share_interval

PAIRS, ROWS, COLUMNS = 12, 4, 6
PITCH = 1.32  # height of a row of images with the text beneath, in images


class Panel(NamedTuple):
    """Pairs of images as a panel of the paper's Figure 7, which shows the first twelve.

    ``before`` and ``after`` are the predicted classes of the clean and the distorted
    images; ``scale`` has the pixel values shown as black and as white.
    """

    title: str
    clean: Float[np.ndarray, "n height width"]
    distorted: Float[np.ndarray, "n height width"]
    before: Int[np.ndarray, " n"]
    after: Int[np.ndarray, " n"]
    scale: tuple[float, float]


def adversarial_panel(
    name: str,
    model: nn.Module,
    clean: Float[Tensor, "n 1 height width"],
    adversarial: Float[Tensor, "n 1 height width"],
    labels: Int[Tensor, " n"],
) -> Panel:
    """Return the panel of the images made for a network, with its accuracy on them."""
    before, after = _classes(model, clean), _classes(model, adversarial)
    mean = root_mean_square(adversarial - clean).mean()
    title = (
        f"adversarial images of {name}\n"
        f"distortion {mean:.3f} (mean over {len(clean):,} images)\n"
        f"accuracy {_accuracy(after, labels)}"
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
    """Return the panel of noise without clipping, with each network's accuracy.

    It shows the predictions of the first network. The standard deviation of the noise
    is in units of pixels.
    """
    noisy = add_noise(clean, deviation, seed)
    after = {name: _classes(model, noisy) for name, model in models.items()}
    scores = [f"{n}: accuracy {_accuracy(found, labels)}" for n, found in after.items()]
    title = "\n".join([f"Gaussian noise, standard deviation {deviation:g}", *scores])
    first = next(iter(models))
    images = clean[:, 0].numpy(), noisy[:, 0].numpy()
    # Two deviations on each side: zero is mid-grey, as in the paper's figure.
    scale = (-2 * deviation, 2 * deviation)
    return Panel(title, *images, _classes(models[first], clean), after[first], scale)


def _classes(model: nn.Module, images: Tensor) -> Int[np.ndarray, " n"]:
    return predict(model, images).argmax(1).numpy()


def _accuracy(predictions: Int[np.ndarray, " n"], labels: Tensor) -> str:
    """Return the accuracy of one network in per cent, with its 95 % interval."""
    share = share_interval([predictions == labels.numpy()]).scaled(100)
    return f"{share.value:.3g} % [{share.low:.3g}, {share.high:.3g}]"


@styled()
def example_figure(panels: Sequence[Panel]) -> Figure:
    """Return pairs of images side by side, each panel with its grey scale.

    The layout is that of the paper's Figure 7: each panel has four rows of six images,
    with clean images in odd columns and distorted ones in even columns. The predicted
    classes before and after are beneath each distorted image.
    """
    figure = blank(3.5 * len(panels), 4.1)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for letter, axes, panel in zip(ascii_lowercase, grid, panels, strict=False):
        _add_pairs(axes, panel)
        axes.set_title(f"({letter}) {panel.title}")
        _add_grey_scale(figure, axes, panel.scale)
    return figure


def _add_pairs(axes: Axes, panel: Panel) -> None:
    pairs = zip(panel.clean, panel.distorted, panel.before, panel.after, strict=True)
    for i, (clean, distorted, before, after) in enumerate(islice(pairs, PAIRS)):
        column, top = 2 * i % COLUMNS, 2 * i // COLUMNS * PITCH
        # The images of a pair are closer to each other than to the next pair.
        add_image(axes, clean, column + 0.04, top, 0.92, panel.scale)
        add_image(axes, distorted, column + 0.98, top, 0.92, panel.scale)
        place = column + 0.98, top + 1.11
        axes.text(*place, f"{before}→{after}", ha="center", va="center")
    axes.set(xlim=(0, COLUMNS), ylim=(ROWS * PITCH - 0.05, -0.03))
    axes.axis("off")


def _add_grey_scale(figure: Figure, axes: Axes, scale: tuple[float, float]) -> None:
    """Add the grey scale; it has pointed ends where pixels may lie beyond it."""
    place: Look = {"location": "bottom", "fraction": 0.03, "pad": 0.01, "shrink": 0.6}
    bar = figure.colorbar(
        ScalarMappable(Normalize(*scale), "gray"),
        ax=axes,
        extend="neither" if scale == (0, 1) else "both",
        ticks=np.linspace(*scale, 3),
        **place,
    )
    bar.set_label("pixel value")
    bar.outline.set_linewidth(0.6)
