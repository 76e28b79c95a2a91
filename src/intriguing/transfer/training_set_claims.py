"""The paper's claims on transfer across training sets, each with a rule fixed before.

All are on *fooled* images: of the images that a network gives their label, those that
it no longer does. Differences are taken image by image and averaged over images,
pairs of networks and seeds, with `stats.mean_interval`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from intriguing.stats.agreement import Claim, judge_direction
from intriguing.stats.intervals import Interval, mean_interval
from intriguing.tables.row_names import AMPLIFIED, CLEAN, MATCHED
from intriguing.transfer.claims import FAR_MORE, directed

STRONG = 0.25
"""Amplified images transfer "strongly" where they fool more than this share."""

IMAGE = ["seed", "index"]
Parts = Mapping[str, str]


def fooled(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the answers to images that the network gets right when clean, with `hit`.

    Args:
        answers: ``row``, ``column``, ``seed``, ``index``, ``label``, ``prediction``;
            the row `CLEAN` holds every image of the others.
    """
    key = ["column", *IMAGE]
    wrong = answers["label"] != answers["prediction"]
    clean = answers[(answers["row"] == CLEAN) & ~wrong]
    kept = answers.assign(hit=wrong).merge(clean[key], on=key)
    return kept[["row", *key, "hit"]]


def claims(answers: pd.DataFrame, parts: Parts) -> list[Claim]:
    """Return the claims on Table 4.

    Args:
        answers: As for `fooled`.
        parts: Part of the training images of each network.
    """
    hits = fooled(answers)
    return [
        transfers_to_disjoint_data(hits, parts),
        less_than_within_a_part(hits, parts),
        amplified_transfer_strongly(hits, parts),
    ]


def transfers_to_disjoint_data(hits: pd.DataFrame, parts: Parts) -> Claim:
    """Images fool networks trained on disjoint data far more than noise as long does.

    Judged: transfer less `FAR_MORE` times noise is above 0.
    """
    key = ["column", *IMAGE]
    found, noise = (
        pd.concat([_of(hits, f"{kind}{s}", t) for s, t in _disjoint(parts)])
        for kind in ("", MATCHED)
    )
    both = found.merge(noise, on=["source", *key], suffixes=("", "_noise"))
    beyond = _mean(both["seed"], both["hit"] - FAR_MORE * both["hit_noise"])
    means = both["hit"].mean(), both["hit_noise"].mean()
    return directed(
        "disjoint-data-transfer-beats-noise",
        "Adversarial images transfer to networks trained on disjoint data far more "
        "than Gaussian noise of the same size (share of rightly answered images that "
        "are fooled, the two subtracted; far more: over twice as much).",
        _mean(both["seed"], both["hit"] - both["hit_noise"]),
        judge_direction(beyond, 0.0, "above"),
        f"tables/cross-training-set: transfer {means[0]:.4g}, noise {means[1]:.4g}",
    )


def less_than_within_a_part(hits: pd.DataFrame, parts: Parts) -> Claim:
    """They fool them less than networks trained on the same data.

    The same images, fed to networks of the source's part and of the other one; images
    that all of these answer rightly when clean. Judged: the difference is above 0.
    """
    gaps = []
    for source, part in parts.items():
        mates = [n for n in parts if n != source and parts[n] == part]
        others = [n for n in parts if parts[n] != part]
        if not (mates and others):
            continue
        wide = (
            _of(hits, source, *mates, *others)
            .pivot(index=IMAGE, columns="column", values="hit")
            .dropna()
        )
        gaps.append(wide[mates].mean(axis=1) - wide[others].mean(axis=1))
    gap = pd.concat(gaps)
    found = _mean(gap.index.get_level_values("seed"), gap)
    return directed(
        "disjoint-data-transfers-less",
        "Adversarial images transfer less to networks trained on disjoint data than to "
        "others trained on the same data (share of rightly answered images that are "
        "fooled, the two subtracted).",
        found,
        judge_direction(found, 0.0, "above"),
        "tables/cross-training-set: images made for networks that have both",
    )


def amplified_transfer_strongly(hits: pd.DataFrame, parts: Parts) -> Claim:
    """Amplified images fool networks trained on disjoint data often.

    Judged: the share is above `STRONG`.
    """
    pairs = _disjoint(parts)
    own = pd.concat([_of(hits, f"{AMPLIFIED}{s}", t) for s, t in pairs])
    found = _mean(own["seed"], own["hit"])
    return directed(
        "amplified-transfer-strongly",
        "Amplified adversarial images transfer strongly to networks trained on "
        "disjoint data (share of rightly answered images that are fooled; strongly: "
        f"over {STRONG:.0%}).",
        found,
        judge_direction(found, STRONG, "above"),
        f"tables/cross-training-set: mean over {len(pairs)} pairs of networks",
    )


def _disjoint(parts: Parts) -> list[tuple[str, str]]:
    """List source and target of every pair that shares no training image."""
    return [(s, t) for s in parts for t in parts if parts[s] != parts[t]]


def _of(hits: pd.DataFrame, row: str, *columns: str) -> pd.DataFrame:
    """Return some networks' answers to one set of images, with its ``source``."""
    own = hits[(hits["row"] == row) & hits["column"].isin(columns)]
    return own.assign(source=row.rpartition(":")[2], hit=own["hit"].astype(float))


def _mean(seeds: pd.Series | pd.Index, values: pd.Series) -> Interval:
    grouped = pd.Series(values.to_numpy()).groupby(np.asarray(seeds))
    return mean_interval([group.to_numpy() for _, group in grouped])
