"""The command ``intriguing attack``."""

import os
import time
from pathlib import Path

import click
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from intriguing.attack import METHODS, Adversarial, find_adversarial
from intriguing.cli.classifiers import Classifier, read_classifier
from intriguing.cli.pictures import read_picture, save_triple
from intriguing.errors import InputError
from intriguing.models.evaluation import predict
from intriguing.natural.images import MAGNIFICATION

EXAMPLES = """\b
intriguing attack cat.jpg --model torchvision:squeezenet1_1
intriguing attack cat.jpg --model torchvision:squeezenet1_1 --target ostrich
intriguing attack seven.png --model results/paper/models/FC100-100-10/0.safetensors
"""


@click.command(epilog=EXAMPLES)
@click.argument("picture", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--model",
    required=True,
    help="torchvision:NAME, a .safetensors file of this project, or TorchScript.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Weights of a network of torchvision; otherwise they are downloaded.",
)
@click.option("--size", type=click.IntRange(1), help="Height of a network's pictures.")
@click.option(
    "--target", help="Class to reach, by number or name; otherwise any other."
)
@click.option(
    "--method",
    type=click.Choice(sorted(METHODS)),
    default="minimal",
    show_default=True,
    help="minimal is the shortest and fastest, lbfgs the paper's.",
)
@click.option(
    "--round-to",
    type=click.Choice(["8"]),
    help="Bits of a pixel: the image survives storing as PNG, and is stored so.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    help="Time after which the best image so far is taken.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The adversarial image, by default PICTURE-adversarial here: .npy, or .png "
    "with --round-to 8.",
)
def attack(
    picture: Path,
    model: str,
    weights: Path | None,
    size: int | None,
    target: str | None,
    method: str,
    round_to: str | None,
    seconds: float | None,
    output: Path | None,
) -> None:
    """Find the smallest change of PICTURE that fools a network.

    The picture is scaled and cropped as the network takes it. Beside the adversarial
    image, float32 pixels in [0, 1], a picture shows the original, the difference times
    ten about mid-grey, and the adversarial image.
    """
    place = place_of(output, picture, ".png" if round_to else ".npy")
    classifier = read_classifier(model, weights, size)
    clean = read_picture(picture, classifier)
    goal = None if target is None else classifier.number(target)
    before = int(predict(classifier.network, clean).argmax())
    if goal == before:
        said = "the network says so already; give another class"
        raise InputError(f"--target {target}: {said}")
    click.echo(f"before      {verdict(classifier, clean)}")
    started = time.perf_counter()
    found = find_adversarial(
        classifier.network,
        clean,
        goal,
        labels=before if goal is None else None,
        method=method,
        round_to=int(round_to) if round_to else None,
        seconds=seconds,
    )
    taken = time.perf_counter() - started
    if not found.reached[0]:
        missing = f"no adversarial image found by {method} in {taken:.0f} s"
        raise InputError(f"{picture}: {missing}")
    show(classifier, clean, found, taken)
    write(place, classifier, clean, found)


def place_of(output: Path | None, picture: Path, form: str) -> Path:
    """Return where the adversarial image goes.

    Raises:
        InputError: The file has another form, cannot be written to, or is the picture.
    """
    output = output or Path(f"{picture.stem}-adversarial{form}")
    folder = output.parent
    if output.suffix != form:
        given = "with" if form == ".png" else "without"
        raise InputError(f"--output {output}: {given} --round-to 8 it is a {form} file")
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InputError(f"--output {output}: {folder} is no folder to write to")
    if picture.resolve() in (output.resolve(), triple_of(output).resolve()):
        raise InputError(f"--output {output}: it would replace {picture}")
    return output


def triple_of(output: Path) -> Path:
    """Return where the picture of an attack goes."""
    return output.with_name(f"{output.stem.removesuffix('-adversarial')}-triple.png")


def verdict(classifier: Classifier, image: Float[Tensor, "1 c h w"]) -> str:
    """Return the class of an image and its probability."""
    probability, number = predict(classifier.network, image).softmax(1)[0].max(0)
    return f"{classifier.name(int(number))}, {float(probability):.1%}"


def show(
    classifier: Classifier,
    clean: Float[Tensor, "1 c h w"],
    found: Adversarial,
    seconds: float,
) -> None:
    """Print what the network says afterwards, and how long the perturbation is."""
    image = (found.images * 255).round() / 255
    same = int(predict(classifier.network, image).argmax()) == int(found.prediction)
    kept = "kept" if same else "lost"
    largest = float((found.images - clean).abs().max())
    click.echo(f"after       {verdict(classifier, found.images)}")
    click.echo(f"8 bits      {kept}: {verdict(classifier, image)}")
    click.echo(
        f"distortion  {float(found.distortion):.3g} (root mean square per pixel)"
    )
    click.echo(f"largest     {largest:.3g} (change of a pixel)")
    click.echo(
        f"time        {seconds:.1f} s, {int(found.evaluations)} forward passes, "
        f"{int(found.gradients)} gradients"
    )


def write(
    output: Path,
    classifier: Classifier,
    clean: Float[Tensor, "1 c h w"],
    found: Adversarial,
) -> None:
    """Write the adversarial image, and the picture that shows the attack."""
    triple = triple_of(output)
    if output.suffix == ".png":
        to_pil_image((found.images[0] * 255).round().to(torch.uint8)).save(output)
    else:
        np.save(output, found.images[0].numpy())
    captions = (
        f"original\n{verdict(classifier, clean)}",
        f"difference times {MAGNIFICATION:g}\nabout mid-grey",
        f"adversarial\n{verdict(classifier, found.images)}",
    )
    save_triple(triple, clean, found.images, captions)
    click.echo(f"written     {output}, {triple}")
