"""The sheet of the variants of a network: ways to regularise it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from intriguing.errors import InputError
from intriguing.workflow.sections import Strict
from intriguing.workflow.sheets import (
    Count,
    Entries,
    NotNegative,
    Positive,
    Share,
    ShortName,
    read_rows,
)

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


class VariantRow(Strict):
    """A setting of one of the variants."""

    setting: ShortName
    """Its name."""
    variant: Literal["weight-decay", "dropout", "input-pool", "layer-pools"]
    """Regularisation: `weight-decay` alone, `dropout`, `input-pool` (adversarial
    images), `layer-pools` (adversarial outputs of hidden layers, and of the pixels
    where it has a length)."""
    decay: Annotated[tuple[NotNegative, ...], Entries]
    """Weight decay of each linear map, from the pixels on."""
    dropout: Annotated[tuple[Share, ...], Entries]
    """Dropout rate of the pixels and of each hidden layer."""
    lengths: Annotated[tuple[Positive | None, ...], BeforeValidator(_lengths)]
    """L2 length of the adversarial step at the pixels and at each hidden layer; `-` for
    no pool there."""
    weight: NotNegative
    """Weight of each pool's loss, relative to the clean loss."""
    renewed: Annotated[Positive, Field(le=1)]
    """Share of the examples replaced when their images occur in a batch."""
    learning_rate: Positive
    """Highest learning rate of Adam."""
    epochs: Count
    """Passes over the training images."""
    batch: Count
    """Batch size."""
    chosen: Literal["yes", "-"]
    """`yes` for the one setting of the variant that `everything` trains; `tuning` tries
    all."""

    @model_validator(mode="after")
    def _fits_its_variant(self) -> Self:
        for name in ("decay", "dropout", "lengths"):
            if len(getattr(self, name)) != LAYERS:
                raise ValueError(f"{name}: must have {LAYERS} entries")
        pixels, *hidden = (length is not None for length in self.lengths)
        allowed = {"input-pool": pixels and not any(hidden), "layer-pools": any(hidden)}
        if not allowed.get(self.variant, not (pixels or any(hidden))):
            raise ValueError(f"lengths: do not make it the variant {self.variant}")
        if (self.variant == "dropout") != any(self.dropout):
            raise ValueError(f"dropout: does not make it the variant {self.variant}")
        return self


def read_variants(path: Path | str) -> dict[str, VariantRow]:
    """Read all settings, by name in the order of the sheet.

    Raises:
        InputError: The file, the row and the column of what is wrong, or a variant of
            which not exactly one setting is chosen.
    """
    rows = read_rows(Path(path), VariantRow)
    counts = Counter({row.variant: 0 for row in rows.values()})
    counts.update(row.variant for row in rows.values() if row.chosen == "yes")
    for variant, count in counts.items():
        if count != 1:
            raise InputError(
                f"{path}: {count} settings of {variant} are chosen; choose one"
            )
    return rows


def chosen(rows: Mapping[str, VariantRow]) -> dict[str, VariantRow]:
    """Return the chosen setting of each variant, by the name of its network."""
    return {f"{PREFIX}{r.variant}": r for r in rows.values() if r.chosen == "yes"}
