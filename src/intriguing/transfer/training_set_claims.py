"""The paper's claims on transfer across training sets, with rules fixed before the run.

All are on fooling rates: of the images that a network classifies correctly when clean,
the share that it then misclassifies. Differences are taken image by image and averaged
over images, pairs of networks and seeds.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from intriguing.stats.agreement import Claim, directional_claim
from intriguing.stats.intervals import Interval, mean_interval
from intriguing.tables.rates import IMAGE, fooling_hits
from intriguing.tables.row_names import AMPLIFIED, MATCHED
from intriguing.transfer.claims import FAR_MORE

STRONG = 0.25
"""Amplified images transfer "strongly" if they fool more than this share."""
TABLE = "tables/cross-training-set"

Splits = Mapping[str, str]
"""Split of the training images on which each network was trained."""


def claims(predictions: pd.DataFrame, splits: Splits) -> list[Claim]:
    """Return the claims on Table 4.

    Args:
        predictions: As for `fooling_hits`, of Table 4 and its controls.
        splits: Split of each network.
    """
    hits = fooling_hits(predictions)
    return [
        transfers_to_disjoint_data(hits, splits),
        transfers_less_to_disjoint_data(hits, splits),
        amplified_transfer_strongly(hits, splits),
    ]


def transfers_to_disjoint_data(hits: pd.DataFrame, splits: Splits) -> Claim:
    """Return the claim; it tests the transfer rate less `FAR_MORE` times noise's."""
    found, noise = (
        pd.concat([_hits_of(hits, f"{kind}{s}", t) for s, t in _disjoint_pairs(splits)])
        for kind in ("", MATCHED)
    )
    both = found.merge(noise, on=["source", *IMAGE], suffixes=("", "_noise"))
    means = both["hit"].mean(), both["hit_noise"].mean()
    return directional_claim(
        "disjoint-data-transfer-beats-noise",
        "Adversarial images transfer to networks trained on disjoint data far more "
        "often than Gaussian noise of the same size (difference of the two fooling "
        "rates; far more: more than twice as often).",
        _mean(both["seed"], both["hit"] - both["hit_noise"]),
        f"{TABLE}: transfer {means[0]:.4g}, noise {means[1]:.4g}",
        tested=_mean(both["seed"], both["hit"] - FAR_MORE * both["hit_noise"]),
    )


def transfers_less_to_disjoint_data(hits: pd.DataFrame, splits: Splits) -> Claim:
    """Return the claim; it tests the difference of the two rates on the same images.

    An image counts if all networks of the two splits, except the source, classify it
    correctly when clean.
    """
    gaps = []
    for source, split in splits.items():
        same = [n for n in splits if n != source and splits[n] == split]
        disjoint = [n for n in splits if splits[n] != split]
        if not (same and disjoint):
            continue
        wide = (
            _hits_of(hits, source, *same, *disjoint)
            .pivot(index=["seed", "index"], columns="column", values="hit")
            .dropna()
        )
        gaps.append(wide[same].mean(axis=1) - wide[disjoint].mean(axis=1))
    gap = pd.concat(gaps)
    return directional_claim(
        "disjoint-data-transfers-less",
        "Adversarial images transfer less often to networks trained on disjoint data "
        "than to others trained on the same data (difference of the two fooling "
        "rates).",
        _mean(gap.index.get_level_values("seed"), gap),
        f"{TABLE}: images made for networks that have both",
    )


def amplified_transfer_strongly(hits: pd.DataFrame, splits: Splits) -> Claim:
    """Return the claim; it tests whether the fooling rate is above `STRONG`."""
    pairs = _disjoint_pairs(splits)
    own = pd.concat([_hits_of(hits, f"{AMPLIFIED}{s}", t) for s, t in pairs])
    return directional_claim(
        "amplified-transfer-strongly",
        "Amplified adversarial images transfer strongly to networks trained on "
        f"disjoint data (fooling rate; strongly: over {STRONG:.0%}).",
        _mean(own["seed"], own["hit"]),
        f"{TABLE}: mean over {len(pairs)} pairs of networks",
        threshold=STRONG,
    )


def _disjoint_pairs(splits: Splits) -> list[tuple[str, str]]:
    """List source and target of every pair without a common training image."""
    return [(s, t) for s in splits for t in splits if splits[s] != splits[t]]


def _hits_of(hits: pd.DataFrame, row: str, *columns: str) -> pd.DataFrame:
    """Return the hits of one set of images on some networks, with its ``source``."""
    own = hits[(hits["row"] == row) & hits["column"].isin(columns)]
    return own.assign(source=row.rpartition(":")[2], hit=own["hit"].astype(float))


def _mean(seeds: pd.Series | pd.Index, values: pd.Series) -> Interval:
    grouped = pd.Series(values.to_numpy()).groupby(np.asarray(seeds))
    return mean_interval([group.to_numpy() for _, group in grouped])
