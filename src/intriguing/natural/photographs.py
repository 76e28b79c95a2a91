"""Adversarial photographs: what to aim at, what rounding does, how they are shown."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from intriguing.attack.targets import random_targets
from intriguing.data import sample_indices
from intriguing.errors import InputError
from intriguing.stats.intervals import rate_interval
from intriguing.tables.rates import Cells, Spreads, distortion_cell, fooling_rates
from intriguing.tables.row_names import CLEAN
from intriguing.transfer.predictions import Sets, matched_noise

SHOWN_GAIN = 10.0
"""By which the paper's Figure 5 magnifies differences, about mid-grey."""


def eligible(labels: Int[Tensor, " n"], target: int | None) -> Int[np.ndarray, " m"]:
    """Return the images that show something else than the wanted class."""
    if target is None:
        return np.arange(len(labels))
    return np.flatnonzero((labels != target).numpy())


def portion(
    candidates: Int[np.ndarray, " m"], count: int, part: int, parts: int, seed: int
) -> Int[np.ndarray, " k"]:
    """Draw images without selection, and return the share of one of several jobs.

    Args:
        candidates: Images to draw from.
        count: Images of all jobs together; a multiple of ``parts``.
        part: Which job, from 0.
        parts: How many jobs there are.
        seed: Decides the draw, the same for all jobs.

    Raises:
        InputError: There are not enough images, or they cannot be shared evenly.
    """
    if count % parts:
        raise InputError(f"{count} images cannot be shared by {parts} jobs evenly")
    each = count // parts
    drawn = candidates[sample_indices(len(candidates), count, seed)]
    return drawn[part * each : (part + 1) * each]


def targets_of(
    labels: Int[Tensor, " n"],
    answers: Int[Tensor, " n"],
    classes: int,
    target: int | None,
    seed: int,
) -> Int[Tensor, " n"]:
    """Return the wanted class of each image: one for all, or drawn at random."""
    if target is None:
        return random_targets(labels, answers, classes, seed)
    return torch.full_like(labels, target)


def rounded(images: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
    """Return images as a file of 8 bits a channel would give them back."""
    return (images * 255).round() / 255


def amplified(
    clean: Float[Tensor, "n ..."], adversarial: Float[Tensor, "n ..."], factor: float
) -> Float[Tensor, "n ..."]:
    """Return images with the perturbation made so many times longer, in the box."""
    return (clean + factor * (adversarial - clean)).clamp(0, 1)


def shown_difference(
    clean: Float[Tensor, "n ..."], adversarial: Float[Tensor, "n ..."]
) -> Float[Tensor, "n ..."]:
    """Return differences as Figure 5 shows them: times 10, from mid-grey, clamped."""
    return (128 / 255 + SHOWN_GAIN * (adversarial - clean)).clamp(0, 1)


def triples(
    clean: Float[Tensor, "n c h w"], adversarial: Float[Tensor, "n c h w"]
) -> Float[np.ndarray, "n 3 h w c"]:
    """Return original, difference and adversarial image, to be drawn side by side."""
    shown = shown_difference(clean, adversarial)
    stacked = torch.stack([clean, shown, adversarial], dim=1)
    return stacked.permute(0, 1, 3, 4, 2).numpy()


def sets_of(
    clean: Float[Tensor, "n ..."],
    adversarial: Float[Tensor, "n ..."],
    factors: Sequence[float],
    seed: int,
) -> Sets:
    """Return the images as made, from 8 bits, lengthened, and their controls."""
    length = (adversarial - clean).flatten(1).square().mean(1).sqrt()
    sets = {CLEAN: clean, "adversarial": adversarial, "rounded": rounded(adversarial)}
    for factor in factors:
        sets[f"amplified-{factor:g}"] = amplified(clean, adversarial, factor)
    return {**sets, "matched": matched_noise(clean, length, seed)}


def attack_cells(
    network: str, answers: pd.DataFrame, attacks: Sequence[str]
) -> tuple[Cells, Spreads]:
    """Return how long perturbations are, and how many reach their class.

    Args:
        network: That they were made for, and that gives the answers.
        answers: Of all networks to all images: ``attack``, ``source``, ``row``,
            ``part``, ``column``, ``target``, ``prediction``, ``distortion``.
        attacks: Kinds of targets.

    Returns:
        For each kind ``distortion-KIND`` of the images that reach their class,
        ``reached-KIND``, and ``rounded-KIND``: the share that still does from 8 bits.
    """
    own = answers[(answers["source"] == network) & (answers["column"] == network)]
    hits = own["prediction"] == own["target"]
    cells: Cells = {}
    spreads: Spreads = {}
    for attack in attacks:
        chosen = own["attack"] == attack
        for row, name in (("adversarial", "reached"), ("rounded", "rounded")):
            parts = hits[chosen & (own["row"] == row)].groupby(own["part"])
            totals = parts.size().tolist()
            counts = parts.sum().astype(int).tolist()
            cells[network, f"{name}-{attack}"] = rate_interval(counts, totals)
        reached = own[chosen & (own["row"] == "adversarial") & hits]
        found = [part.to_numpy() for _, part in reached.groupby("part")["distortion"]]
        mean, spread = distortion_cell((network, f"distortion-{attack}"), found)
        cells, spreads = cells | mean, spreads | spread
    return cells, spreads


def transfer_cells(answers: pd.DataFrame) -> Cells:
    """Return the share of images that fool a network, of those it answers rightly.

    Rows are what was done to the images, and the network that they were made for.
    """
    cells: Cells = {}
    # Both kinds of targets together; the same image counts for each.
    parts = answers["attack"] + "/" + answers["part"].astype(str)
    known = answers.assign(seed=parts)
    for source, own in known.groupby("source", sort=False):
        for (row, column), rate in fooling_rates(own).items():
            if row != CLEAN:
                cells[f"{row}:{source}", column] = rate
    return cells
