"""Cells of the paper's tables, computed from records of single images and networks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from intriguing.stats.intervals import Interval, mean_interval, rate_interval
from intriguing.stats.pooled import pooled_mean
from intriguing.tables.row_names import CLEAN

Cell = tuple[str, str]
Cells = dict[Cell, Interval]
Count = Mapping[str, int]
"""``wrong`` and ``images``: the misclassified images of a set, and all of them."""
Counts = Mapping[str, Count]
"""Counts of each set of images."""

MEAN_DISTORTION = "distortion-mean"
"""Column of mean distortions over images."""
IMAGE = ["column", "seed", "index"]
"""What identifies an image and the network that classifies it."""


def error_rate(counts: Sequence[Count]) -> Interval:
    """Return the pooled error rate, given the counts of each seed."""
    wrong = [count["wrong"] for count in counts]
    return rate_interval(wrong, [count["images"] for count in counts])


def error_cells(model: str, counts: Sequence[Counts]) -> Cells:
    """Return a network's errors on training and test images, pooled over its seeds."""
    return {
        (model, f"{name}-error"): error_rate([count[name] for count in counts])
        for name in ("train", "test")
    }


def distortions(records: Sequence[pd.DataFrame]) -> list[np.ndarray]:
    """Return the distortions of the successful adversarial images of each seed."""
    return [r.loc[r["reached"], "distortion"].to_numpy(np.float64) for r in records]


def distortion_cells(row: str, seeds: Sequence[Float[np.ndarray, " n"]]) -> Cells:
    """Return the average of distortions over all pixels, and that over images.

    The first is the reading that the paper's own numbers support (`attack.readings`).
    """
    return {
        (row, "distortion"): pooled_mean(seeds),
        (row, MEAN_DISTORTION): mean_interval(seeds),
    }


def error_rates(predictions: pd.DataFrame) -> Cells:
    """Return the share of misclassified images for each row and column.

    Args:
        predictions: ``row``, ``column``, ``seed``, ``label`` and ``prediction`` for
            each image and network.
    """
    wrong = predictions["label"] != predictions["prediction"]
    return pooled_rates(predictions.assign(hit=wrong))


def fooling_hits(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions for images classified correctly when clean.

    Args:
        predictions: As for `error_rates`, with ``index``; the row ``clean`` holds the
            unperturbed images.

    Returns:
        ``row``, ``column``, ``seed``, ``index`` and ``hit``: whether the network
        misclassifies the image.
    """
    wrong = predictions["label"] != predictions["prediction"]
    correct = predictions.loc[(predictions["row"] == CLEAN) & ~wrong, IMAGE]
    return predictions.assign(hit=wrong).merge(correct, on=IMAGE)[
        ["row", *IMAGE, "hit"]
    ]


def fooling_rates(predictions: pd.DataFrame) -> Cells:
    """Return the share of `fooling_hits` among images that are correct when clean."""
    return pooled_rates(fooling_hits(predictions))


def pooled_rates(hits: pd.DataFrame) -> Cells:
    """Return the share of ``hit`` for each ``row`` and ``column``, over its seeds."""
    grouped = hits.groupby(["row", "column", "seed"], sort=False)["hit"]
    counts = grouped.agg(["sum", "size"]).reset_index(level="seed")
    return {
        cell: rate_interval(seeds["sum"].tolist(), seeds["size"].tolist())
        for cell, seeds in counts.groupby(level=["row", "column"], sort=False)
    }


def distortions_by_row(predictions: pd.DataFrame) -> dict[str, list[np.ndarray]]:
    """Return the distortions of each row's images, one array for each seed."""
    own = predictions[predictions["column"] == predictions["column"].iloc[0]]
    found: dict[str, list[np.ndarray]] = {}
    for (row, _), seed in own.groupby(["row", "seed"])["distortion"]:
        found.setdefault(row, []).append(seed.to_numpy(np.float64))
    return found


def transfer_cells(predictions: pd.DataFrame, rows: Sequence[str]) -> Cells:
    """Return each network's errors on chosen rows, and `distortion_cells`.

    Args:
        predictions: As for `error_rates`, with ``distortion``.
        rows: Sets of images, in the order of the table.
    """
    columns = list(predictions["column"].unique())
    rates, lengths = error_rates(predictions), distortions_by_row(predictions)
    cells = {}
    for row in rows:
        cells |= {(row, column): rates[row, column] for column in columns}
        cells |= distortion_cells(row, lengths[row])
    return cells
