"""The sheet of the convolutional networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from intriguing.errors import InputError
from intriguing.workflow.sections import Strict
from intriguing.workflow.sheets import (
    Count,
    ImageCount,
    ModelName,
    ModelRow,
    NotNegative,
    Positive,
    Share,
    ShortName,
    read_rows,
)

SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32), "photographs": (3, 224, 224)}
"""Channels, height and width of the images of each data set."""
FOLDER = (3, 227, 227)
"""The same of pictures from a folder, as Krizhevsky's network takes them."""


class ConvolutionalRow(Strict):
    """A convolutional network and how it is trained."""

    model: ModelName
    """Its name."""
    architecture: Literal["alexnet-mnist", "alexnet-cifar10", "alexnet-2012"]
    """Layers, by name; `intriguing.models.alexnet` has them."""
    data: ShortName
    """Images: `mnist`, `cifar10`, or the name of a folder."""
    seeds: Count
    """Number of the config's seeds used, the first of the list."""
    learning_rate: Positive
    """Highest learning rate of Adam."""
    epochs: Count
    """Passes over the training images."""
    batch: Count
    """Batch size."""
    warmup: Share
    """Share of all steps in which the learning rate rises."""
    decay: NotNegative
    """Weight decay of all weights, as for the other networks."""
    shift: Annotated[int, Field(ge=0)]
    """Maximal random shift of a batch, in pixels."""
    mirror: Literal["yes", "no"]
    """Whether half of the images are mirrored."""
    attacked: ImageCount
    """Number of images attacked, as `images` in the sheet of attacks."""
    tolerance: Positive
    """Replaces `attack.tolerance`."""
    iterations: Count
    """Replaces `attack.iterations`."""


def shape_of(data: str) -> tuple[int, int, int]:
    """Return channels, height and width of a data set's images."""
    return SHAPES.get(data, FOLDER)


def read_convolutional(
    path: Path | str, others: Mapping[str, ModelRow]
) -> dict[str, ConvolutionalRow]:
    """Read the convolutional networks, by name in the order of the sheet.

    Raises:
        InputError: The file, the row and the column of what is wrong, or a name that
            another network has.
    """
    rows = read_rows(Path(path), ConvolutionalRow)
    if twice := [name for name in rows if name in others]:
        raise InputError(
            f"{path}: {twice[0]} is in the other sheet of networks too; rename one"
        )
    return rows


def trained_convolutional(
    rows: Mapping[str, ConvolutionalRow], seeds: Sequence[int]
) -> list[tuple[str, int]]:
    """List network and seed of all that are trained."""
    return [(name, s) for name, row in rows.items() for s in seeds[: row.seeds]]
