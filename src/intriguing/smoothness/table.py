"""The cells of the table ``smoothness``."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from jaxtyping import Float

from intriguing.smoothness.design import Setting, curves, factorial
from intriguing.smoothness.effects import (
    UNEXPLAINED,
    Values,
    effect_table,
    jackknifed,
    share_table,
)
from intriguing.smoothness.subspaces import ANYWHERE, SUBSPACES
from intriguing.smoothness.trend import tenfold
from intriguing.stats.intervals import Interval, mean_interval
from intriguing.tables.tidy import Cell, Kinds

DISTANCE = "log-distance"
EFFECTS = {
    "effect": DISTANCE,
    "effect-targeted": "log-distance-targeted",
    "effect-margin": "log-margin",
    "effect-gradient": "log-slope",
    "effect-product": "log-product",
}
"""Columns of effects, and the measures whose logarithms they compare."""
KINDS: Kinds = {
    **dict.fromkeys((*EFFECTS, "effect-outside"), "ratio"),
    "distance": "ratio",
    "half-way-to-another-class": "ratio",
    "ratio": "ratio",
    "slope": "number",
}
LEAST_ERROR = 1e-3
"""Added to test errors before their logarithm; a quarter of one image of 256."""


def smoothness_cells(
    measured: pd.DataFrame,
    planted: pd.DataFrame,
    images: Sequence[int],
    extremes: Sequence[int],
    ceiling: Mapping[int, Float[np.ndarray, " n"]],
) -> dict[Cell, Interval]:
    """Return all cells of the table; the arguments are those of the functions below."""
    return {
        **factorial_cells(measured, extremes),
        **curve_cells(measured, images, extremes[1]),
        **data_cells(measured, images, ceiling),
        **planted_cells(planted),
        **subspace_cells(measured),
    }


def grid(measured: pd.DataFrame, settings: Sequence[Setting], column: str) -> Values:
    """Return a measure of each seed and setting.

    Args:
        measured: A row for each network: the fields of its setting, ``seed``, measures.
        settings: Columns of the result, in this order.
        column: The measure.
    """
    keyed = measured.set_index([*Setting._fields, "seed"])[column]
    seeds = sorted(measured["seed"].unique())
    return np.array([[keyed.loc[(*one, seed)] for one in settings] for seed in seeds])


def factorial_cells(
    measured: pd.DataFrame, extremes: Sequence[int]
) -> dict[Cell, Interval]:
    """Return the cells of the factorial: shares, shares at equal error, and effects."""
    designed = factorial(extremes)
    chosen, signs = [one for one, _ in designed], [sign for _, sign in designed]
    values = grid(measured, chosen, DISTANCE)
    errors = np.log(grid(measured, chosen, "error") + LEAST_ERROR)
    share, equal = share_table(values, signs), share_table(values, signs, errors)
    cells = {}
    for name in share:
        cells[name, "share"] = share[name]
        cells[name, "share-equal-error"] = equal[name]
    compared = {
        column: grid(measured, chosen, measure) for column, measure in EFFECTS.items()
    }
    compared["effect-outside"] = np.log(grid(measured, chosen, "outside"))
    for column, logs in compared.items():
        for name, interval in effect_table(logs, signs).items():
            cells[name, column] = _exponential(interval)
    left = share[UNEXPLAINED]
    explained = Interval(1 - left.value, 1 - left.high, 1 - left.low)
    cells["explained", "share"] = explained
    return cells


def curve_cells(
    measured: pd.DataFrame, images: Sequence[int], base: int
) -> dict[Cell, Interval]:
    """Return ratios of distances along each curve.

    A curve of numbers has one, of its ends; a curve of names has one for each name,
    against the default.
    """
    cells = {}
    for factor, curve in curves(images, base).items():
        for ends in _compared(factor, curve):
            values = grid(measured, ends, DISTANCE)
            found = jackknifed(partial(_log_ratio, values), len(values))
            row = f"{factor}: " + " to ".join(_level(one, factor) for one in ends)
            cells[row, "ratio"] = _exponential(found["ratio"])
    return cells


def _compared(factor: str, curve: Sequence[Setting]) -> list[Sequence[Setting]]:
    first, *others = curve
    if isinstance(getattr(first, factor), str):
        return [[first, other] for other in others]
    return [sorted(curve, key=lambda one: getattr(one, factor))[:: len(others)]]


def _level(setting: Setting, factor: str) -> str:
    value = getattr(setting, factor)
    return value if isinstance(value, str) else f"{value:g}"


def _log_ratio(values: Values, rows: np.ndarray) -> dict[str, float]:
    low, high = values[rows].mean(0)
    return {"ratio": float(high - low)}


def data_cells(
    measured: pd.DataFrame,
    images: Sequence[int],
    ceiling: Mapping[int, Float[np.ndarray, " n"]],
) -> dict[Cell, Interval]:
    """Return the distances by the number of training images, and their trend.

    Args:
        measured: A row for each network.
        images: Numbers of training images.
        ceiling: For each of them, the distance of test images to the nearest training
            image of another class. Half of it is the most that the data allow a
            classifier that is right on all of them.
    """
    counts = sorted(images)
    values = grid(measured, [Setting(count) for count in counts], DISTANCE)
    cells: dict[Cell, Interval] = {}
    for count, own in zip(counts, values.T, strict=True):
        row = f"{count} images"
        cells[row, "distance"] = _exponential(mean_interval(list(own[:, None])))
        half = _exponential(mean_interval([np.log(ceiling[count] / 2)]))
        cells[row, "half-way-to-another-class"] = half
    more = tenfold(np.array(counts, float), values)
    cells["ten times as many images", "ratio"] = _exponential(more)
    return cells


def _exponential(logs: Interval) -> Interval:
    value, low, high = (float(np.exp(x)) for x in (logs.value, logs.low, logs.high))
    return Interval(value, low, high, logs.n, logs.seeds)


def planted_cells(planted: pd.DataFrame) -> dict[Cell, Interval]:
    """Return the slope of log distance against log clusters, by the labels trained."""
    cells = {}
    for labels, rows in planted.groupby("labels", sort=False):
        slopes = [
            np.array([np.polyfit(np.log(one["clusters"]), one["log-distance"], 1)[0]])
            for _, one in rows.groupby("seed")
        ]
        cells[f"planted clusters, {labels}", "slope"] = mean_interval(slopes)
    return cells


def subspace_cells(measured: pd.DataFrame) -> dict[Cell, Interval]:
    """Return the distances within subspaces over those anywhere, paired by network."""
    found = measured.dropna(subset=[ANYWHERE])
    return {
        (name, "ratio"): _exponential(
            mean_interval(list((found[name] - found[ANYWHERE]).to_numpy()[:, None]))
        )
        for name in SUBSPACES
    }
