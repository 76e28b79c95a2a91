"""Sums of rates over cells of a table, with intervals that respect what cells share."""

from collections.abc import Collection, Mapping

import pandas as pd

from intriguing.stats.clusters import clustered_interval, jackknife_interval, widest
from intriguing.stats.intervals import Interval
from intriguing.tables.rates import Cell
from intriguing.tables.row_names import MATCHED

Contrast = Mapping[Cell, float]
"""The weight of each cell in the sum."""


def contrast_interval(
    hits: pd.DataFrame, weights: Contrast, networks: Collection[str] = ()
) -> Interval:
    """Return the weighted sum of the rates of cells.

    The interval is the widest of three: over images, each of which is in many cells;
    over seeds, whose images share networks; and over networks, each left out in turn as
    source and as target.

    Args:
        hits: ``row``, ``column``, ``seed``, ``index`` and ``hit`` of each image.
        weights: Of the cells; all others do not count.
        networks: Networks that are a sample of all networks; without them the interval
            is for these networks.
    """
    cells = pd.DataFrame(
        [(*cell, weight) for cell, weight in weights.items()],
        columns=["row", "column", "weight"],
    )
    own = hits.merge(cells, on=["row", "column"])
    grouped = own.assign(hit=own["hit"].astype(float)).groupby(["row", "column"])["hit"]
    rates, sizes = grouped.transform("mean"), grouped.transform("size")
    value = contrast_value(grouped.mean(), weights)
    influences = (own["weight"] * (own["hit"] - rates) / sizes).to_numpy(float)
    images = own["seed"].astype(str) + "/" + own["index"].astype(str)
    found = [
        clustered_interval(value, influences, clusters.tolist())
        for clusters in (images, own["seed"])
    ]
    found.append(_over_networks(value, grouped.mean(), weights, networks))
    return widest(found)


def contrast_value(rates: pd.Series, weights: Contrast) -> float:
    """Return the weighted sum of the rates, which are indexed by row and column."""
    return float(sum(weight * rates[cell] for cell, weight in weights.items()))


def mean_of_pairs(pairs: Collection[Cell], factor: float = 1.0) -> dict[Cell, float]:
    """Return the weights of the mean rate over pairs, times a factor."""
    return dict.fromkeys(pairs, factor / len(pairs))


def _over_networks(
    value: float, rates: pd.Series, weights: Contrast, networks: Collection[str]
) -> Interval | None:
    """Return the jackknife interval; each replicate lacks the cells of one network.

    The weights of each sign are scaled, so that they keep their sum.
    """
    replicates = []
    for network in networks:
        left = {
            (row, column): weight
            for (row, column), weight in weights.items()
            if network not in (row.removeprefix(MATCHED), column)
        }
        if left:
            replicates.append(contrast_value(rates, _rescaled(left, weights)))
    return jackknife_interval(value, replicates)


def _rescaled(left: Contrast, weights: Contrast) -> dict[Cell, float]:
    positive, negative = (
        _sum(weights, sign) / (_sum(left, sign) or 1.0) for sign in (1, -1)
    )
    return {c: w * (positive if w > 0 else negative) for c, w in left.items()}


def _sum(weights: Contrast, sign: int) -> float:
    return sum(weight for weight in weights.values() if weight * sign > 0)
