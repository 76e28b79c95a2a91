"""Table 5 for any network: layers as rows, gains and their estimates as columns."""

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
"""The network that the paper's Table 5 is of."""
PAPER = {"upper-v4": "upper", "upper-v1": "upper", "lower-v1": "smallest"}
"""The paper's columns, and ours that stand beside them."""
PRODUCTS = ("product-of-norms", "product")

Rows = dict[Cell, Interval | None]
Measured = Mapping[str, Any]
"""What the step ``spectra`` says of one network: ``layers`` and products."""


def spectral_cells(model: str, seeds: Sequence[Measured]) -> Rows:
    """Return the cells of a network, a row a layer, then its products.

    What a layer does not have, and what is not to be had of it, is None. Numbers are
    means over the seeds. Those of a single seed are no estimate of anything and have
    an empty interval: ``lower`` and ``upper`` hold the truth between them.

    Args:
        model: Its name, which the rows begin with.
        seeds: What was measured of it with each seed.
    """
    cells: Rows = {}
    for number, layer in enumerate(seeds[0]["layers"]):
        row = f"{model}/{layer['name']}"
        of_seeds = [_numbers(seed["layers"][number]) for seed in seeds]
        for column in COLUMNS:
            _add(cells, (row, column), [found.get(column) for found in of_seeds])
    for name in PRODUCTS:
        _add(cells, (f"{model}/{name}", "upper"), [seed[name] for seed in seeds])
    return cells


def cells_beside_the_paper(cells: Rows) -> Rows:
    """Return AlexNet's layers once more, in the columns of the paper's two versions.

    The norm is the middle of its enclosure, with the enclosure as its interval.
    """
    found: Rows = {}
    # The paper has layers with weights alone.
    kinds = tuple(f"{ALEXNET}/{kind}" for kind in ("conv", "fc"))
    for row in dict.fromkeys(row for row, _ in cells if row.startswith(kinds)):
        for column, own in PAPER.items():
            value, lower = cells.get((row, own)), cells.get((row, "lower"))
            if value is not None and own == "upper":
                low, high = lower.value, value.value
                value = Interval((low + high) / 2, low, high)
            found[row, column] = value
    return found


def published_layers(published: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's Table 5 with our rows' names."""
    own = published[published["table"] == "spectral"]
    return own.assign(row=f"{ALEXNET}/" + own["row"])


def _numbers(layer: Measured) -> dict[str, float | None]:
    """Return the numbers of one layer by the column they belong in."""
    sizes = {column: layer[key] for key, column in SIZES.items()}
    gains = {column: layer[column] for column in ("lower", "upper")}
    return {**sizes, **gains, **(layer["estimates"] or {})}


def _add(cells: Rows, cell: Cell, values: list[float | None]) -> None:
    if None in values:
        cells[cell] = None
    elif len(set(values)) > 1:
        cells[cell] = mean_interval([np.array([value]) for value in values])
    else:
        cells[cell] = Interval(values[0], values[0], values[0])
