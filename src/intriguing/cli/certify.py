"""The command ``intriguing certify``."""

from pathlib import Path

import click

from intriguing.bounds import certify as certified
from intriguing.bounds import verify
from intriguing.cli.classifiers import TORCHVISION, read_classifier
from intriguing.cli.pictures import read_picture
from intriguing.errors import InputError
from intriguing.models.evaluation import predict

EXAMPLES = """\b
intriguing certify seven.png --model results/paper/models/FC100-100-10/0.safetensors
intriguing certify seven.png --model net.safetensors --radius 0.5
"""


@click.command(epilog=EXAMPLES)
@click.argument("picture", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--model", required=True, help="A .safetensors file of this project.")
@click.option("--size", type=click.IntRange(1), help="Height of a network's pictures.")
@click.option(
    "--radius",
    type=click.FloatRange(0, min_open=True),
    help="Distance to decide; else the largest.",
)
def certify(picture: Path, model: str, size: int | None, radius: float | None) -> None:
    """Prove that no picture near PICTURE has another class.

    The distance is Euclidean, in pixels of [0, 1]. The network is fully connected.
    Without --radius it looks for the largest distance, which can take minutes.
    """
    if model.startswith(TORCHVISION):
        raise InputError(f"--model {model}: give a fully connected network's file")
    classifier = read_classifier(model, None, size)
    clean = read_picture(picture, classifier)
    label = int(predict(classifier.network, clean).argmax())
    # Before the search, which may be long.
    click.echo(f"class     {classifier.name(label)}")
    found = certified(classifier.network, clean, label, radius)
    is_certified = found.status == ["certified"]
    if is_certified:
        proved = verify(classifier.network, clean, label, found.certificate)
        if not proved.all():
            raise InputError("the certificate fails its check; please report this")
    click.echo(f"status    {found.status[0]}")
    click.echo(f"radius    {found.radius[0]:.4g}")
    if is_certified:
        click.echo("check     passed")
    nearest = float((found.counterexample - clean).norm())
    if nearest:
        click.echo(f"attacked  {nearest:.4g}")
