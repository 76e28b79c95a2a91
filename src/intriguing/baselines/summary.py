"""The table ``peers``: success, distortion and cost of each attack."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float

from intriguing.baselines import MINIMAL, OURS, REFERENCE
from intriguing.stats.intervals import (
    Interval,
    mean_interval,
    median_interval,
    rate_interval,
)
from intriguing.tables.rates import Cells
from intriguing.tables.tidy import Kinds, own_table

KINDS: Kinds = {
    "success": "rate",
    "mean-distortion": "distortion",
    "median-distortion": "distortion",
    "ratio-to-best-mean": "ratio",
    "ratio-to-best-worst": "ratio",
    "ratio-to-baselines-mean": "ratio",
    "ratio-to-baselines-worst": "ratio",
    "beats-minimal": "rate",
    "forwards": "number",
    "backwards": "number",
    "images-per-second": "number",
    "times-scipy": "number",
}
"""Columns of the table, and what they hold."""
WITHOUT_INTERVAL = (
    "ratio-to-best-worst",
    "ratio-to-baselines-worst",
    *list(KINDS)[-4:],
)
SHORTER = 1e-4
"""Relative difference at which one length counts as shorter: rounding is smaller."""


def peers_table(compared: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the tidy table, one row an attack on a network.

    Args:
        compared: Results of `comparison.compare`, by ``network:targeted`` or
            ``network:untargeted``.
    """
    cells: Cells = {}
    for name, frame in compared.items():
        cells |= attack_cells(name, frame)
    table = own_table(cells)
    points = table["column"].isin(WITHOUT_INTERVAL) | ~np.isfinite(table["value"])
    table.loc[points, ["low", "high"]] = np.nan
    return table


def attack_cells(name: str, frame: pd.DataFrame) -> Cells:
    """Return the cells of all attacks in one result of `comparison.compare`."""
    lengths = frame.pivot(index="image", columns="attack", values="distortion")
    costs = frame.groupby("attack", sort=False).first()
    best = lengths.min(axis=1).to_numpy()
    ours = lengths.columns.str.startswith(OURS)
    baselines = lengths.loc[:, ~ours].min(axis=1).to_numpy()
    minimal = lengths[MINIMAL].to_numpy() if MINIMAL in lengths else best
    speed = 1 / costs["seconds"]
    cells: Cells = {}
    for attack in costs.index:
        own = lengths[attack].to_numpy(np.float64)
        counts = [int(np.isfinite(own).sum())], [len(own)]
        shorter = int((own < minimal * (1 - SHORTER)).sum())
        found = {
            "success": rate_interval(*counts),
            "mean-distortion": mean_of(own),
            "median-distortion": median_interval(own),
            **ratios("ratio-to-best", own, best),
            **ratios("ratio-to-baselines", own, baselines),
            "beats-minimal": rate_interval([shorter], [len(own)]),
            "forwards": point(costs.loc[attack, "forwards"]),
            "backwards": point(costs.loc[attack, "backwards"]),
            "images-per-second": point(speed[attack]),
        }
        if REFERENCE in speed:
            found["times-scipy"] = point(speed[attack] / speed[REFERENCE])
        for column, one in found.items():
            cell = Interval(one.value, one.low, one.high, n=len(own), seeds=1)
            cells[f"{name}:{attack}", column] = cell
    return cells


def ratios(
    name: str, own: Float[np.ndarray, " n"], other: Float[np.ndarray, " n"]
) -> dict[str, Interval]:
    """Return mean and maximum of the images' ratios, infinite if one has failed."""
    failed = ~np.isfinite(own)
    ratio = np.where(failed, np.inf, own / np.where(failed, 1.0, other))
    return {f"{name}-mean": mean_of(ratio), f"{name}-worst": point(ratio.max())}


def mean_of(values: Float[np.ndarray, " n"]) -> Interval:
    """Return the mean, infinite and without an interval if a value is infinite."""
    if not np.isfinite(values).all():
        return point(np.inf)
    return mean_interval([values])


def point(value: float, count: int | None = None) -> Interval:
    """Return a number without an interval, and the images behind it."""
    return Interval(float(value), float(value), float(value), count)
