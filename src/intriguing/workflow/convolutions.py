"""The sheet of the convolutional networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from intriguing.errors import InputError
from intriguing.workflow.sheets import (
    Count,
    ModelName,
    ModelRow,
    Row,
    read_rows,
)

SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32), "photographs": (3, 224, 224)}
"""Channels, height and width of the images of each data set."""
FOLDER = (3, 227, 227)
"""The same of pictures from a folder, as Krizhevsky's network takes them."""


class ConvolutionalRow(Row):
    """A convolutional network and how it is trained."""

    model: ModelName = Field(description="Its name.")
    architecture: Literal["alexnet-mnist", "alexnet-cifar10", "alexnet-2012"] = Field(
        description="Layers, by name; `intriguing.models.alexnet` has them."
    )
    data: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="Images: `mnist`, `cifar10`, or the name of a folder.",
    )
    seeds: Count = Field(description="How many of the config's seeds, the first.")
    learning_rate: Annotated[float, Field(gt=0)] = Field(
        description="Highest learning rate of Adam."
    )
    epochs: Count = Field(description="Passes over the training images.")
    batch: Count = Field(description="Images of one step.")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="Share of all steps in which the rate rises."
    )
    decay: Annotated[float, Field(ge=0)] = Field(
        description="Weight decay of all weights, as for the other networks."
    )
    shift: Annotated[int, Field(ge=0)] = Field(
        description="Pixels by which batches are moved at most."
    )
    mirror: Literal["yes", "no"] = Field(description="Whether half are mirrored.")
    attacked: str = Field(
        pattern=r"^(all|sample|[1-9][0-9]*)$",
        description="Images attacked, as in the sheet of attacks. Convolutions cost "
        "more, and so do objectives with kinks: a rectifier needs more steps.",
    )
    tolerance: Annotated[float, Field(gt=0)] = Field(
        description="Of the attack, in place of `attack.tolerance`."
    )
    iterations: Count = Field(description="Likewise, of `attack.iterations`.")


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
