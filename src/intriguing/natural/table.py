"""Cells of the tables ``natural`` and ``natural-transfer``."""

from collections.abc import Sequence

import pandas as pd

from intriguing.stats.intervals import mean_interval, rate_interval
from intriguing.tables.rates import Cells, fooling_rates
from intriguing.tables.row_names import CLEAN


def attack_cells(
    network: str, predictions: pd.DataFrame, attacks: Sequence[str]
) -> Cells:
    """Return distortions and success rates of the attacks on one network.

    Args:
        network: Source of the images and of the predictions.
        predictions: Of all networks for all images: ``attack``, ``source``, ``row``,
            ``part``, ``column``, ``target``, ``prediction``, ``distortion``.
        attacks: Kinds of targets.

    Returns:
        For each kind, ``reached-KIND`` and ``rounded-KIND``, the share of the images
        with the target as their class before and after rounding to 8 bits; and
        ``distortion-KIND`` of the images that reach it before.
    """
    is_own = (predictions["source"] == network) & (predictions["column"] == network)
    own = predictions[is_own]
    own = own.assign(hit=own["prediction"] == own["target"])
    cells: Cells = {}
    for attack in attacks:
        of_attack = own[own["attack"] == attack]
        for row, name in (("adversarial", "reached"), ("rounded", "rounded")):
            hits = of_attack[of_attack["row"] == row].groupby("part")["hit"]
            counts = hits.sum().astype(int).tolist()
            cells[network, f"{name}-{attack}"] = rate_interval(
                counts, hits.size().tolist()
            )
        reached = of_attack[(of_attack["row"] == "adversarial") & of_attack["hit"]]
        distortions = [d.to_numpy() for _, d in reached.groupby("part")["distortion"]]
        cells[network, f"distortion-{attack}"] = mean_interval(distortions)
    return cells


def transfer_cells(predictions: pd.DataFrame) -> Cells:
    """Return the fooling rate of each network's images on each network.

    It is the share of misclassified images among those classified correctly when clean.
    A row is ``TRANSFORMATION:SOURCE``.
    """
    cells: Cells = {}
    # Both kinds of targets count together, as if they were images of different seeds.
    seeds = predictions["attack"] + "/" + predictions["part"].astype(str)
    seeded = predictions.assign(seed=seeds)
    for source, own in seeded.groupby("source", sort=False):
        for (row, column), rate in fooling_rates(own).items():
            if row != CLEAN:
                cells[f"{row}:{source}", column] = rate
    return cells
