"""From records of single images and networks to the cells of the paper's tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from intriguing.stats.intervals import Interval, mean_interval, rate_interval, spread

Cell = tuple[str, str]
Cells = dict[Cell, Interval]
Spreads = dict[Cell, float]

Counts = Mapping[str, Mapping[str, int]]
"""``wrong`` and ``images`` of each set of images, as training counts them."""


def error_cells(model: str, counts: Sequence[Counts]) -> Cells:
    """Return a network's errors on training and test images, over its seeds."""
    cells = {}
    for name in ("train", "test"):
        wrong = [count[name]["wrong"] for count in counts]
        images = [count[name]["images"] for count in counts]
        cells[model, f"{name}-error"] = rate_interval(wrong, images)
    return cells


def distortions(records: Sequence[pd.DataFrame]) -> list[np.ndarray]:
    """Return the distortions of the images that were fooled, for each seed."""
    return [r.loc[r["reached"], "distortion"].to_numpy(np.float64) for r in records]


def distortion_cell(
    cell: Cell, per_seed: Sequence[np.ndarray]
) -> tuple[Cells, Spreads]:
    """Return the mean distortion over seeds and images, and its spread over images."""
    return {cell: mean_interval(per_seed)}, {cell: spread(per_seed)}


def error_rates(answers: pd.DataFrame) -> Cells:
    """Return the share of images not given their label, for each row and column.

    Args:
        answers: One row an image and network: ``row``, ``column``, ``seed``,
            ``label``, ``prediction``.
    """
    wrong = answers["label"] != answers["prediction"]
    return pooled_rates(answers.assign(hit=wrong))


def fooling_rates(answers: pd.DataFrame, clean: str) -> Cells:
    """Return the share of images answered wrongly, of those right when clean.

    Args:
        answers: As for `error_rates`, with ``index``.
        clean: Row of the unperturbed images.
    """
    key = ["column", "seed", "index"]
    untouched = answers[answers["row"] == clean]
    right = untouched[untouched["label"] == untouched["prediction"]][key]
    kept = answers.merge(right, on=key)
    return pooled_rates(kept.assign(hit=kept["label"] != kept["prediction"]))


def pooled_rates(answers: pd.DataFrame) -> Cells:
    """Return the share of ``hit`` for each row and column, with its interval."""
    grouped = answers.groupby(["row", "column", "seed"], sort=False)["hit"]
    counts = grouped.agg(["sum", "size"]).reset_index(level="seed")
    return {
        cell: rate_interval(seeds["sum"].tolist(), seeds["size"].tolist())
        for cell, seeds in counts.groupby(level=["row", "column"], sort=False)
    }


def set_distortions(answers: pd.DataFrame) -> dict[str, list[np.ndarray]]:
    """Return the distortion of every image of each row, a list entry a seed."""
    own = answers[answers["column"] == answers["column"].iloc[0]]
    return {
        row: [
            group["distortion"].to_numpy(np.float64)
            for _, group in rows.groupby("seed")
        ]
        for row, rows in own.groupby("row", sort=False)
    }


def transfer_cells(answers: pd.DataFrame, rows: Sequence[str]) -> tuple[Cells, Spreads]:
    """Return errors by network and mean distortions of chosen sets of images.

    Args:
        answers: As for `error_rates`, with ``distortion``.
        rows: Sets of images, in the order of the table.

    Returns:
        Cells, a column for each network and ``distortion``, and the spread of the
        distortions over images.
    """
    columns = list(answers["column"].unique())
    rates, lengths = error_rates(answers), set_distortions(answers)
    cells, spreads = {}, {}
    for row in rows:
        cells |= {(row, column): rates[row, column] for column in columns}
        mean, spread_of_row = distortion_cell((row, "distortion"), lengths[row])
        cells, spreads = cells | mean, spreads | spread_of_row
    return cells, spreads
