"""Images and networks, between arrays and files."""

from collections.abc import Mapping
from pathlib import Path

from jaxtyping import Float, Int
from safetensors.torch import load_file
from torch import Tensor, nn

from intriguing.data import to_pixels
from intriguing.models.architecture import Architecture
from intriguing.models.evaluation import count_errors
from intriguing.models.files import serialise_model
from intriguing.workflow.files import replacing

Images = tuple[Float[Tensor, "n channels height width"], Int[Tensor, " n"]]
"""Pixels in [0, 1], and labels."""


def read_images(path: Path | str) -> Images:
    """Return the images of a data set, and their labels."""
    stored = load_file(path)
    return to_pixels(stored["images"]), stored["labels"]


def write_network(
    path: Path | str, network: nn.Module, architecture: Architecture, **facts: str
) -> None:
    """Write a network in the form that ``load_model`` reads, with facts about it."""
    with replacing(path) as temporary:
        temporary.write_bytes(serialise_model(network, architecture, facts))


def error_counts(
    network: nn.Module, sets: Mapping[str, Images]
) -> dict[str, dict[str, int]]:
    """Return the number of misclassified images, and of all, of each set."""
    return {name: count_errors(network, *images) for name, images in sets.items()}
