"""Networks, and the images made for each, read from their files."""

from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

from safetensors.torch import load_file
from torch import Tensor, nn

from intriguing.models.files import load_model
from intriguing.workflow.step import progress

Name = TypeVar("Name", bound=Hashable)
"""Of a network: its name, or its name and seed."""


def read_networks(
    names: Iterable[Name], paths: Iterable[str]
) -> dict[Name, nn.Sequential]:
    """Return the networks by name."""
    return dict(zip(names, map(load_model, paths), strict=True))


def images_made(
    names: Iterable[Name], paths: Iterable[str], label: str
) -> Iterator[tuple[Name, dict[str, Tensor]]]:
    """Yield the tensors of each file of images with its name, and show progress."""
    for name, path in progress([*zip(names, paths, strict=True)], label):
        yield name, load_file(path)
