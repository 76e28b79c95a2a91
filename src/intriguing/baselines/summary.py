"""From lengths and costs of every attack on every image to the cells of the table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import binom

from intriguing.baselines.names import MINIMAL, OURS, REFERENCE
from intriguing.stats.intervals import Interval, mean_interval, rate_interval
from intriguing.tables.rates import Cells
from intriguing.tables.tidy import Kinds, tidy

KINDS: Kinds = {
    "success": "rate",
    "mean-distortion": "distortion",
    "median-distortion": "distortion",
    "ratio-to-best-mean": "ratio",
    "ratio-to-best-worst": "ratio",
    "ratio-to-peers-mean": "ratio",
    "ratio-to-peers-worst": "ratio",
    "beats-minimal": "rate",
    "forwards": "number",
    "backwards": "number",
    "images-per-second": "number",
    "times-scipy": "number",
}
"""Columns of the table, and what they hold."""
BARE = ("ratio-to-best-worst", "ratio-to-peers-worst", *list(KINDS)[-4:])
"""Those without an interval."""
BEATEN = 1e-4
"""Relative difference in length from which one attack counts as shorter than another:
two orders of summation may differ by less."""


def peers_table(compared: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the tidy table ``peers``, a row an attack on a network with a goal.

    Args:
        compared: Results of `comparison.compare`, by ``network:goal``.
    """
    cells: Cells = {}
    for name, frame in compared.items():
        cells |= cells_of(name, frame)
    nothing = pd.DataFrame(columns=["table", "row", "column", "value"])
    table = tidy(cells, nothing.assign(printed="", sample=0.0), "peers")
    bare = table["column"].isin(BARE) | ~np.isfinite(table["value"])
    table.loc[bare, ["low", "high"]] = np.nan
    return table


def lengths_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return distortions, a row an image and a column an attack."""
    wide = frame.pivot(index="image", columns="attack", values="distortion")
    return wide[list(dict.fromkeys(frame["attack"]))]


def cells_of(name: str, frame: pd.DataFrame) -> Cells:
    """Return the cells of all attacks on one network with one goal."""
    lengths = lengths_of(frame)
    facts = frame.groupby("attack", sort=False).first()
    best = lengths.min(axis=1)
    peers = lengths.loc[:, ~lengths.columns.str.startswith(OURS)].min(axis=1)
    published = lengths.get(MINIMAL, best)
    cells: Cells = {}
    for attack in lengths:
        own = lengths[attack].to_numpy(np.float64)
        shorter = own < published * (1 - BEATEN)
        speed = 1 / facts["seconds"]
        found = {
            "success": rate_interval([int(np.isfinite(own).sum())], [len(own)]),
            "mean-distortion": mean_of(own),
            "median-distortion": median_of(own),
            **ratios("ratio-to-best", own, best.to_numpy()),
            **ratios("ratio-to-peers", own, peers.to_numpy()),
            "beats-minimal": rate_interval([int(shorter.sum())], [len(own)]),
            "forwards": bare(facts.loc[attack, "forwards"]),
            "backwards": bare(facts.loc[attack, "backwards"]),
            "images-per-second": bare(speed[attack]),
            "times-scipy": bare(speed[attack] / speed[REFERENCE]),
        }
        row = f"{name}:{attack}"
        counts = {"n": len(own), "seeds": 1}
        cells |= {
            (row, c): Interval(i.value, i.low, i.high, **counts)
            for c, i in found.items()
        }
    return cells


def ratios(
    name: str, own: Float[np.ndarray, " n"], other: Float[np.ndarray, " n"]
) -> dict[str, Interval]:
    """Return the mean and the worst of the images' ratios; a failure is infinite."""
    failed = ~np.isfinite(own)
    ratio = np.where(failed, np.inf, own / np.where(failed, 1.0, other))
    return {f"{name}-mean": mean_of(ratio), f"{name}-worst": bare(ratio.max())}


def mean_of(values: Float[np.ndarray, " n"]) -> Interval:
    """Return the mean; infinite, and without an interval, where one value is."""
    if not np.isfinite(values).all():
        return bare(np.inf)
    return mean_interval([values])


def median_of(values: Float[np.ndarray, " n"], level: float = 0.95) -> Interval:
    """Return the median, with the interval that two order statistics give."""
    ordered, count = np.sort(values), len(values)
    below = max(int(binom.ppf((1 - level) / 2, count, 0.5)) - 1, 0)
    middle = ordered[[(count - 1) // 2, count // 2]].mean()
    return Interval(float(middle), ordered[below], ordered[count - 1 - below])


def bare(value: float) -> Interval:
    """Return a number without an interval."""
    return Interval(float(value), float(value), float(value))
