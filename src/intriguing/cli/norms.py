"""The command ``intriguing norms``."""

from pathlib import Path

import click
import torch

from intriguing.cli.classifiers import read_classifier
from intriguing.errors import InputError
from intriguing.spectra import network_norms

EXAMPLES = """\b
intriguing norms torchvision:squeezenet1_1
intriguing norms results/paper/models/alexnet-mnist/0.safetensors --size 28
"""


@click.command(epilog=EXAMPLES)
@click.argument("model")
@click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Weights of a network of torchvision; otherwise they are downloaded.",
)
@click.option("--size", type=click.IntRange(1), help="Height of a network's pictures.")
def norms(model: str, weights: Path | None, size: int | None) -> None:
    """Print the Lipschitz constants of MODEL's layers, and a bound.

    MODEL is torchvision:NAME or a .safetensors file of this project. Each constant lies
    between two certified ends. The bound of the network multiplies the upper ends along
    the forward pass. Where a number is not available the table says why.
    """
    classifier = read_classifier(model, weights, size)
    if isinstance(classifier.network, torch.jit.ScriptModule):
        raise InputError(f"{model}: TorchScript does not tell its layers")
    click.echo(network_norms(classifier.network, classifier.shape))
