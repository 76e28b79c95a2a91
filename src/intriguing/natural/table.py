"""Cells of the tables ``natural`` and ``natural-transfer``."""

from collections.abc import Sequence

import pandas as pd

from intriguing.stats.intervals import mean_interval, share_interval
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
    own = predictions[predictions[["source", "column"]].eq(network).all(axis=1)]
    own = own.assign(hit=own["prediction"] == own["target"])
    cells: Cells = {}
    for attack in attacks:
        made, rounded = (
            own[(own["attack"] == attack) & (own["row"] == row)]
            for row in ("adversarial", "rounded")
        )
        for name, images in (("reached", made), ("rounded", rounded)):
            hits = [hit.to_numpy() for _, hit in images.groupby("part")["hit"]]
            cells[network, f"{name}-{attack}"] = share_interval(hits)
        reached = made[made["hit"]].groupby("part")["distortion"]
        distortions = [distortion.to_numpy() for _, distortion in reached]
        cells[network, f"distortion-{attack}"] = mean_interval(distortions)
    return cells


def transfer_cells(predictions: pd.DataFrame) -> Cells:
    """Return the fooling rate of each network's images on each network.

    It is the share of misclassified images among those classified correctly when clean.
    A row is ``TRANSFORMATION:SOURCE``.
    """
    # Both kinds of targets count together, as if they were images of different seeds.
    seeds = predictions["attack"] + "/" + predictions["part"].astype(str)
    seeded = predictions.assign(seed=seeds)
    return {
        (f"{row}:{source}", column): rate
        for source, own in seeded.groupby("source", sort=False)
        for (row, column), rate in fooling_rates(own).items()
        if row != CLEAN
    }
