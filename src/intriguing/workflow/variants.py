"""The sheet of the variants of a network: ways to regularise it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from intriguing.errors import InputError
from intriguing.workflow.sheets import Entries, Row, read_rows

LAYERS = 3
"""Outputs that a pool or dropout may sit at: the pixels and two hidden layers."""
BASELINE = "FC100-100-10"
"""Network of Table 1 that the variants are compared with."""
PREFIX = f"{BASELINE}-"
"""Of the names of the networks; the variant follows."""
HIDDEN = (100, 100)


def _lengths(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    parts = (part.strip() for part in cell.split(","))
    return tuple(None if part == "-" else part for part in parts)


Variant = Literal["weight-decay", "dropout", "input-pool", "layer-pools"]
Share = Annotated[float, Field(ge=0, lt=1)]
Decay = Annotated[float, Field(ge=0)]
Length = Annotated[float, Field(gt=0)] | None


class VariantRow(Row):
    """A setting of one of the variants."""

    setting: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = Field(
        description="Its name."
    )
    variant: Variant = Field(
        description="What regularises: `weight-decay` alone, `dropout`, `input-pool` "
        "(adversarial images), `layer-pools` (adversarial outputs of hidden layers, "
        "and of the pixels where it has a length)."
    )
    decay: Annotated[tuple[Decay, ...], Entries] = Field(
        description="Weight decay of each linear map, from the pixels on."
    )
    dropout: Annotated[tuple[Share, ...], Entries] = Field(
        description="Share of pixels, and of each hidden layer's units, left out."
    )
    lengths: Annotated[tuple[Length, ...], BeforeValidator(_lengths)] = Field(
        description="L2 length of the adversarial step at the pixels and at each "
        "hidden layer; `-` for no pool there."
    )
    weight: Annotated[float, Field(ge=0)] = Field(
        description="Weight of each pool's loss, as a multiple of the clean one's."
    )
    renewed: Annotated[float, Field(gt=0, le=1)] = Field(
        description="Share of the examples replaced each time their images are met."
    )
    learning_rate: Annotated[float, Field(gt=0)] = Field(
        description="Highest learning rate of Adam."
    )
    epochs: Annotated[int, Field(ge=1)] = Field(
        description="Passes over the training images."
    )
    batch: Annotated[int, Field(ge=1)] = Field(description="Images of one step.")
    chosen: Literal["yes", "-"] = Field(
        description="`yes` for the one setting of the variant that `everything` "
        "trains; `tuning` tries all."
    )

    @model_validator(mode="after")
    def _fits_its_arm(self) -> Self:
        for name in ("decay", "dropout", "lengths"):
            if len(getattr(self, name)) != LAYERS:
                raise ValueError(f"{name}: must have {LAYERS} entries")
        pixels, *hidden = (length is not None for length in self.lengths)
        allowed = {
            "input-pool": pixels and not any(hidden),
            "layer-pools": any(hidden),
        }
        if not allowed.get(self.variant, not (pixels or any(hidden))):
            raise ValueError(f"lengths: do not make it the variant {self.variant}")
        if (self.variant == "dropout") != any(self.dropout):
            raise ValueError(f"dropout: does not make it the variant {self.variant}")
        return self


def read_variants(path: Path | str) -> dict[str, VariantRow]:
    """Read all settings, by name in the order of the sheet.

    Raises:
        InputError: The file, the row and the column of what is wrong, or an variant of
            which not exactly one setting is chosen.
    """
    rows = read_rows(Path(path), VariantRow)
    for variant in dict.fromkeys(row.variant for row in rows.values()):
        names = [
            n
            for n, row in rows.items()
            if row.variant == variant and row.chosen == "yes"
        ]
        if len(names) != 1:
            raise InputError(
                f"{path}: {len(names)} settings of {variant} are chosen; choose one"
            )
    return rows


def chosen(rows: Mapping[str, VariantRow]) -> dict[str, VariantRow]:
    """Return the chosen setting of each variant, by the name of its network."""
    return {f"{PREFIX}{r.variant}": r for r in rows.values() if r.chosen == "yes"}
