"""The paper's claims on Tables 2 and 4, with rules fixed before the run.

Claims on the linear networks and the autoencoder are on errors, all others on fooling
rates: of the images that a network classifies correctly when clean, the share that it
then misclassifies. In Table 4 differences are taken image by image and averaged over
images, pairs of networks and seeds.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from intriguing.stats.agreement import Claim, directional_claim
from intriguing.stats.intervals import (
    Interval,
    average,
    difference_interval,
    mean_interval,
)
from intriguing.tables.rates import (
    IMAGE,
    Cells,
    error_rates,
    fooling_hits,
    fooling_rates,
)
from intriguing.tables.row_names import AMPLIFIED, MATCHED

FAR_MORE = 2.0
"""Transfer is "far more" than noise if it is more than this many times as high."""
STRONG = 0.25
"""Amplified images transfer "strongly" if they fool more than this share."""
TABLE_2, TABLE_4 = "tables/cross-model", "tables/cross-training-set"

Splits = Mapping[str, str]
"""Split of the training images on which each network was trained."""


def cross_model_claims(
    predictions: pd.DataFrame,
    networks: Sequence[str],
    by_decay: Sequence[str],
    autoencoder: str | None,
) -> list[Claim]:
    """Return the claims on Table 2 whose networks are among ``networks``.

    Args:
        predictions: As for `fooling_hits`, of Table 2 and its controls.
        networks: Networks that the claims are about.
        by_decay: Linear networks, from the weakest decay to the strongest.
        autoencoder: Name of the network on an autoencoder's codes, if there is one.
    """
    others = set(predictions["column"]) - set(networks)
    source = predictions["row"].str.removeprefix(MATCHED)
    own = predictions[predictions["column"].isin(networks) & ~source.isin(others)]
    rates = error_rates(own)
    claims = [_transfer_beats_noise(own)] if len(networks) > 1 else []
    if len(by_decay) > 1:
        claims.append(_strong_to_weak(rates, by_decay))
        claims.append(_strong_to_weak_is_best(rates, by_decay))
    if autoencoder and len(networks) > 2:
        claims.append(_autoencoder_resists(rates, autoencoder))
    return claims


def _transfer_beats_noise(predictions: pd.DataFrame) -> Claim:
    rates = fooling_rates(predictions)
    names = list(dict.fromkeys(predictions["column"]))
    pairs = [(row, column) for row in names for column in names if row != column]
    transfer = average([rates[pair] for pair in pairs])
    noise = average([rates[f"{MATCHED}{row}", column] for row, column in pairs])
    return directional_claim(
        "transfer-beats-noise",
        "Adversarial images transfer to other networks far more often than Gaussian "
        "noise of the same size (difference of the two fooling rates, mean over all "
        "pairs of networks; far more: more than twice as often).",
        difference_interval(transfer, noise),
        f"tables/controls: transfer {transfer.value:.4g}, noise {noise.value:.4g}",
        tested=difference_interval(transfer, noise.scaled(FAR_MORE)),
    )


def _strong_to_weak(rates: Cells, by_decay: Sequence[str]) -> Claim:
    gaps = {
        f"{strong} to {weak}": difference_interval(
            rates[strong, weak], rates[weak, strong]
        )
        for weak, strong in combinations(by_decay, 2)
    }
    pair, least = _smallest(gaps)
    return directional_claim(
        "strong-to-weak-linear",
        "Linear networks: images made for the more regularised network fool the less "
        "regularised one more often than the reverse (smallest difference).",
        least,
        f"{TABLE_2}: {pair}",
    )


def _strong_to_weak_is_best(rates: Cells, by_decay: Sequence[str]) -> Claim:
    names = {row for row, _ in rates} & {column for _, column in rates}
    downhill = [(strong, weak) for weak, strong in combinations(by_decay, 2)]
    others = [
        c for c in rates if c[0] != c[1] and set(c) <= names and c not in downhill
    ]
    least = min(downhill, key=lambda cell: rates[cell].value)
    most = max(others, key=lambda cell: rates[cell].value)
    return directional_claim(
        "strong-to-weak-is-best",
        "Transfer is highest from strongly to weakly regularised linear networks: the "
        "smallest of those cells exceeds every other cell.",
        difference_interval(rates[least], rates[most]),
        f"{TABLE_2}: {' to '.join(least)} against {' to '.join(most)}",
    )


def _autoencoder_resists(rates: Cells, autoencoder: str) -> Claim:
    """Compare it with each other network on the images made for neither of the two."""
    names, gaps = dict.fromkeys(column for _, column in rates), {}
    for other in (name for name in names if name != autoencoder):
        gaps[other] = average(
            [
                difference_interval(rates[row, other], rates[row, autoencoder])
                for row in names
                if row not in (other, autoencoder)
            ]
        )
    nearest, least = _smallest(gaps)
    return directional_claim(
        "autoencoder-resists",
        "The network on the autoencoder's codes is the most robust to images made for "
        "other networks (error of the next best network less its own).",
        least,
        f"{TABLE_2}: next best is {nearest}",
    )


def _smallest(gaps: Mapping[str, Interval]) -> tuple[str, Interval]:
    return min(gaps.items(), key=lambda item: item[1].value)


def cross_training_set_claims(predictions: pd.DataFrame, splits: Splits) -> list[Claim]:
    """Return the claims on Table 4.

    Args:
        predictions: As for `fooling_hits`, of Table 4 and its controls.
        splits: Split of each network.
    """
    hits = fooling_hits(predictions)
    disjoint = [(s, t) for s in splits for t in splits if splits[s] != splits[t]]
    made, noise, amplified = (
        pd.concat([_hits_of(hits, f"{kind}{s}", t) for s, t in disjoint])
        for kind in ("", MATCHED, AMPLIFIED)
    )
    return [
        _disjoint_data_beat_noise(made, noise),
        _disjoint_data_transfer_less(hits, splits),
        directional_claim(
            "amplified-transfer-strongly",
            "Amplified adversarial images transfer strongly to networks trained on "
            f"disjoint data (fooling rate; strongly: over {STRONG:.0%}).",
            _mean(amplified["seed"], amplified["hit"]),
            f"{TABLE_4}: mean over {len(disjoint)} pairs of networks",
            threshold=STRONG,
        ),
    ]


def _disjoint_data_beat_noise(made: pd.DataFrame, noise: pd.DataFrame) -> Claim:
    both = made.merge(noise, on=["source", *IMAGE], suffixes=("", "_noise"))
    means = both["hit"].mean(), both["hit_noise"].mean()
    return directional_claim(
        "disjoint-data-transfer-beats-noise",
        "Adversarial images transfer to networks trained on disjoint data far more "
        "often than Gaussian noise of the same size (difference of the two fooling "
        "rates; far more: more than twice as often).",
        _mean(both["seed"], both["hit"] - both["hit_noise"]),
        f"{TABLE_4}: transfer {means[0]:.4g}, noise {means[1]:.4g}",
        tested=_mean(both["seed"], both["hit"] - FAR_MORE * both["hit_noise"]),
    )


def _disjoint_data_transfer_less(hits: pd.DataFrame, splits: Splits) -> Claim:
    """Use the images that all networks but the source classify correctly when clean."""
    gaps = []
    for source, split in splits.items():
        same = [n for n in splits if n != source and splits[n] == split]
        disjoint = [n for n in splits if splits[n] != split]
        if same and disjoint:
            own = _hits_of(hits, source, *same, *disjoint)
            place = ["seed", "index"]
            wide = own.pivot(index=place, columns="column", values="hit").dropna()
            gaps.append(wide[same].mean(axis=1) - wide[disjoint].mean(axis=1))
    gap = pd.concat(gaps)
    return directional_claim(
        "disjoint-data-transfers-less",
        "Adversarial images transfer less often to networks trained on disjoint data "
        "than to others trained on the same data (difference of the two fooling "
        "rates).",
        _mean(gap.index.get_level_values("seed"), gap),
        f"{TABLE_4}: images made for networks that have both",
    )


def _hits_of(hits: pd.DataFrame, row: str, *columns: str) -> pd.DataFrame:
    """Return the hits of one set of images on some networks, with its ``source``."""
    own = hits[(hits["row"] == row) & hits["column"].isin(columns)]
    return own.assign(source=row.rpartition(":")[2], hit=own["hit"].astype(float))


def _mean(seeds: pd.Series | pd.Index, values: pd.Series) -> Interval:
    grouped = pd.Series(values.to_numpy()).groupby(np.asarray(seeds))
    return mean_interval([group.to_numpy() for _, group in grouped])
