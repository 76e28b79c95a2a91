"""Table 5 for any network: rows are layers, columns their bounds and estimates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from intriguing.stats.intervals import Interval, mean_interval
from intriguing.tables.rates import Cell

SIZES = {
    "inputs": "in-channels",
    "outputs": "out-channels",
    "kernel": "kernel",
    "stride": "stride",
}
ESTIMATES = (
    *("circular", "reshaped", "singla-feizi", "araujo"),
    *("printed", "printed-corrected", "smallest"),
)
COLUMNS = (*SIZES.values(), "lower", "upper", *ESTIMATES)
ALEXNET = "alexnet-2012"
"""The network of the paper's Table 5."""
PAPER = {"upper-v4": "upper", "upper-v1": "upper", "lower-v1": "smallest"}
"""Columns of the two versions of the paper, and the columns of ours to compare."""
QUANTISED = (
    f"{ALEXNET}/fc2 and {ALEXNET}/fc3 (fc7 and fc8 of the original) do not have the "
    "original weights: the file holds them product-quantised; they are expanded again."
)
"""Provenance of the fully connected layers that the paper's table also has."""
PRODUCTS = ("product-of-norms", "product")

Rows = dict[Cell, Interval | None]
Summary = Mapping[str, Any]
"""Layers and products of a network, as `intriguing.spectra.summary.summary` gives."""


def spectral_cells(model: str, seeds: Sequence[Summary]) -> Rows:
    """Return a row for each layer of a network, and rows for its products.

    A cell is None where it does not apply or is unknown. Numbers are means over seeds.
    With one seed they are no estimates, and their interval is a point: ``lower`` and
    ``upper`` are bounds.

    Args:
        model: Name of the network, a prefix of the rows.
        seeds: The summary of the network of each seed.
    """
    cells: Rows = {}
    for number, layer in enumerate(seeds[0]["layers"]):
        row = f"{model}/{layer['name']}"
        numbers = [_numbers(seed["layers"][number]) for seed in seeds]
        for column in COLUMNS:
            cells[row, column] = _mean([found.get(column) for found in numbers])
    for name in PRODUCTS:
        cells[f"{model}/{name}", "upper"] = _mean([seed[name] for seed in seeds])
    return cells


def cells_in_the_papers_columns(cells: Rows) -> Rows:
    """Return the cells of AlexNet in the columns of the paper's two versions.

    A norm is the midpoint of its enclosure, with the enclosure as its interval.
    """
    found: Rows = {}
    # The paper's table has only layers with weights.
    kinds = tuple(f"{ALEXNET}/{kind}" for kind in ("conv", "fc"))
    for row in dict.fromkeys(row for row, _ in cells if row.startswith(kinds)):
        for column, own in PAPER.items():
            value, lower = cells.get((row, own)), cells.get((row, "lower"))
            if value is not None and lower is not None and own == "upper":
                low, high = lower.value, value.value
                value = Interval((low + high) / 2, low, high)
            found[row, column] = value
    return found


def provenance_note(table: pd.DataFrame) -> str:
    """Return what a reader must know of the weights in the tidy table."""
    return QUANTISED if table["row"].str.startswith(ALEXNET).any() else ""


def published_layers(published: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's Table 5 with the names of our rows."""
    own = published[published["table"] == "spectral"]
    return own.assign(row=f"{ALEXNET}/" + own["row"])


def _numbers(layer: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the numbers of one layer by their column."""
    sizes = {column: layer[key] for key, column in SIZES.items()}
    bounds = {column: layer[column] for column in ("lower", "upper")}
    return {**sizes, **bounds, **(layer["estimates"] or {})}


def _mean(values: list[float | None]) -> Interval | None:
    """Return the mean over seeds; None if a value is missing."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    if len(set(known)) == 1:
        return Interval(known[0], known[0], known[0])
    return mean_interval([np.array([value]) for value in known])
