"""Command line: attack a picture, measure the layers of a network."""

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from intriguing.attack import METHODS, find_adversarial
from intriguing.errors import InputError
from intriguing.models.files import load_model
from intriguing.models.pretrained import pretrained_classifier
from intriguing.spectra.graph import network_bound
from intriguing.spectra.layers import measure_network
from intriguing.workflow.images import pretrained_weights, read_picture

TORCHVISION = "torchvision:"
SIZES = (28, 32, 224, 227)
"""Sides of the square images that a file's network is tried on."""
DIFFERENCE_GAIN = 10.0
"""Factor of the difference in the triple, as in the paper's Figure 5."""


class Classifier(NamedTuple):
    """A network and what it is fed and answers.

    Attributes:
        network: From pixels in [0, 1] to logits.
        shape: Channels, height and width of its images.
        classes: Names of its classes.
    """

    network: nn.Module
    shape: tuple[int, int, int]
    classes: list[str]


def one_line_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Report wrong input in one or two lines, with exit status 1."""

    @wraps(command)
    def run(*args: Any, **settings: Any) -> None:
        try:
            command(*args, **settings)
        except InputError as error:
            raise click.ClickException(str(error)) from error

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="intriguing")
def main() -> None:
    r"""Smallest adversarial images, and the norms of layers.

    \b
    intriguing attack cat.jpg --model torchvision:squeezenet1_1 --target ostrich
    intriguing norms results/paper/models/FC100-100-10/0.safetensors
    """


@main.command()
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--model",
    "name",
    required=True,
    metavar="FILE|torchvision:NAME",
    help="A network of this project, or one of torchvision's pretrained classifiers.",
)
@click.option("--target", help="Class to reach, by number or name; default: any other.")
@click.option(
    "--method",
    type=click.Choice(sorted(METHODS)),
    default="minimal",
    show_default=True,
    help="minimal: the smallest perturbation; lbfgs: the paper's objective.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Stem of the two files written; default: PICTURE's name + -adversarial.",
)
@one_line_errors
def attack(
    picture: Path, name: str, target: str | None, method: str, output: Path | None
) -> None:
    r"""Find the smallest adversarial image of PICTURE.

    Writes STEM.png (original, difference x 10, adversarial image) and STEM.npy (the
    adversarial image, float32 in [0, 1], channels first). PICTURE is scaled and cut to
    the square that the network takes.

    \b
    intriguing attack cat.jpg --model torchvision:squeezenet1_1
    intriguing attack digit.png --model results/paper/models/FC10-1/0.safetensors
    """
    model = classifier(name)
    clean = pixels_of(picture, model.shape)
    before = predicted(model.network, clean)
    goal = None if target is None else [class_number(target, model.classes)]
    started = time.perf_counter()
    result = find_adversarial(
        model.network, clean, goal, labels=[before[0]], method=method
    )
    seconds = time.perf_counter() - started
    stem = output or picture.with_name(f"{picture.stem}-adversarial")
    adversarial = result.images
    triple(clean[0], adversarial[0]).save(stem.with_name(f"{stem.name}.png"))
    np.save(stem.with_name(f"{stem.name}.npy"), adversarial[0].numpy())
    rounded = (adversarial * 255).round() / 255
    for said, image in [
        ("before", clean),
        ("after", adversarial),
        ("after rounding to 8 bits", rounded),
    ]:
        label, probability = predicted(model.network, image)
        click.echo(f"{said}: {model.classes[label]} ({probability:.1%})")
    kept = predicted(model.network, rounded)[0] == int(result.prediction[0])
    click.echo(
        f"distortion {float(result.distortion[0]):.6f} (root mean square, pixels in "
        f"[0, 1]), {seconds:.1f} s, 8 bits {'keep' if kept else 'lose'} it"
    )
    if not result.reached[0]:
        raise click.ClickException("no adversarial image was found")


@main.command()
@click.argument("file", metavar="FILE|torchvision:NAME")
@one_line_errors
def norms(file: str) -> None:
    r"""Print the norm of every layer of a network, and their product.

    \b
    intriguing norms results/paper/models/alexnet-mnist/0.safetensors
    intriguing norms torchvision:squeezenet1_1
    """
    model = classifier(file)
    found = measure_network(model.network, model.shape)
    click.echo(f"{'layer':24} {'kind':12} {'at least':>10} {'at most':>10}")
    for layer in found.values():
        lower, upper = (
            "n/a" if value is None else f"{value:.4g}"
            for value in (layer.lower, layer.upper)
        )
        click.echo(f"{layer.name:24} {layer.kind:12} {lower:>10} {upper:>10}")
    upper = {place: layer.upper for place, layer in found.items()}
    bound = network_bound(model.network, upper, model.shape)
    shown = f"not available: {bound.reason}" if bound.upper is None else bound.upper
    click.echo(f"product along the network: {shown}")


def classifier(name: str) -> Classifier:
    """Return a network by the path of its file or by torchvision's name."""
    if name.startswith(TORCHVISION):
        from torchvision.models import get_model_weights

        own = name.removeprefix(TORCHVISION)
        network = pretrained_classifier(own, pretrained_weights(own))
        categories = get_model_weights(own).DEFAULT.meta["categories"]
        return Classifier(network, (3, 224, 224), list(categories))
    network = load_model(name)
    shape = input_shape(network)
    classes = network(torch.zeros(1, *shape)).shape[1]
    return Classifier(network, shape, [str(number) for number in range(classes)])


def input_shape(network: nn.Module) -> tuple[int, int, int]:
    """Return channels, height and width of the images that a network takes."""
    for channels in (1, 3):
        for size in SIZES:
            try:
                with torch.no_grad():
                    network(torch.zeros(1, channels, size, size))
            except RuntimeError:
                continue
            return channels, size, size
    raise InputError("the network takes no square images of a size that is known here")


def pixels_of(picture: Path, shape: tuple[int, int, int]) -> Float[Tensor, "1 c h w"]:
    """Return a picture as a batch of one, in [0, 1]."""
    pixels = read_picture(picture, shape[1])[None].float() / 255
    return pixels if shape[0] == 3 else pixels.mean(1, keepdim=True)


def predicted(network: nn.Module, image: Float[Tensor, "1 c h w"]) -> tuple[int, float]:
    """Return the class that a network gives an image, and its probability."""
    with torch.no_grad():
        probability, label = network(image).softmax(1).max(1)
    return int(label[0]), float(probability[0])


def class_number(wish: str, classes: list[str]) -> int:
    """Return a class by its number or name.

    Raises:
        InputError: There is none, or several names begin so.
    """
    if wish.isdecimal() and int(wish) < len(classes):
        return int(wish)
    names = [name.lower() for name in classes]
    exact = [i for i, name in enumerate(names) if name == wish.lower()]
    alike = exact or [i for i, name in enumerate(names) if wish.lower() in name]
    if len(alike) != 1:
        some = ", ".join(classes[i] for i in alike[:5]) or "none"
        raise InputError(
            f"--target {wish!r}: {len(alike)} classes are called so ({some}); give "
            f"a number from 0 to {len(classes) - 1}, or a whole name"
        )
    return alike[0]


def triple(clean: Float[Tensor, "c h w"], image: Float[Tensor, "c h w"]) -> Image.Image:
    """Return original, difference and adversarial image side by side."""
    difference = (0.5 + DIFFERENCE_GAIN * (image - clean)).clamp(0, 1)
    row = torch.cat([clean, difference, image], 2).mul(255).round().byte()
    row = row.expand(3, *row.shape[1:]).permute(1, 2, 0)
    scale = max(1, 224 // clean.shape[1])
    size = (row.shape[1] * scale, row.shape[0] * scale)
    return Image.fromarray(row.numpy()).resize(size, Image.Resampling.NEAREST)
