"""The paper's claims on Tables 2 and 4, and the rules that decide them.

Claims on the linear networks and the autoencoder are on errors, all others on fooling
rates: of the images that a network classifies correctly when clean, the share that it
then misclassifies. Intervals of Table 2 respect that cells share images, seeds and
networks (`intriguing.transfer.contrasts`). In Table 4 differences are taken image by
image and averaged over pairs of networks, images and seeds.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from intriguing.stats.agreement import Claim, directional_claim
from intriguing.stats.intervals import Interval, mean_interval
from intriguing.tables.rates import IMAGE, fooling_hits
from intriguing.tables.row_names import AMPLIFIED, MATCHED
from intriguing.transfer.contrasts import contrast_interval, mean_of_pairs

FAR_MORE = 2.0
"""Transfer is "far more" than noise if it is more than this many times as high."""
CONSIDERABLY = 0.5
"""Effectiveness "decreases considerably" if less than this share of it is left."""
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
    wrong = own.assign(hit=own["label"] != own["prediction"])
    claims = [_transfer_beats_noise(own)] if len(networks) > 1 else []
    if len(by_decay) > 1:
        claims.append(_strong_to_weak(wrong, by_decay))
        claims.append(_strong_to_weak_is_best(wrong, by_decay))
    if autoencoder and len(networks) > 2:
        claims.append(_autoencoder_resists(wrong, autoencoder))
    return claims


def _transfer_beats_noise(predictions: pd.DataFrame) -> Claim:
    hits = fooling_hits(predictions)
    names = list(dict.fromkeys(predictions["column"]))
    pairs = [(row, column) for row in names for column in names if row != column]
    matched = [(f"{MATCHED}{row}", column) for row, column in pairs]
    transfer, noise = mean_of_pairs(pairs), mean_of_pairs(matched, -1.0)
    rates = [contrast_interval(hits, one).value for one in (transfer, noise)]
    bar = mean_of_pairs(matched, -FAR_MORE)
    return directional_claim(
        "transfer-beats-noise",
        "Adversarial images transfer to other networks far more often than Gaussian "
        "noise of the same size (difference of the two fooling rates, mean over all "
        "pairs of networks; far more: more than twice as often).",
        contrast_interval(hits, transfer | noise, names),
        f"tables/controls: transfer {rates[0]:.4g}, noise {-rates[1]:.4g}",
        tested=contrast_interval(hits, transfer | bar, names),
    )


def _strong_to_weak(wrong: pd.DataFrame, by_decay: Sequence[str]) -> Claim:
    gaps = {
        f"{strong} to {weak}": contrast_interval(
            wrong, {(strong, weak): 1.0, (weak, strong): -1.0}
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


def _strong_to_weak_is_best(wrong: pd.DataFrame, by_decay: Sequence[str]) -> Claim:
    names = set(wrong["column"])
    downhill = [(strong, weak) for weak, strong in combinations(by_decay, 2)]
    own = wrong[wrong["row"].isin(names) & (wrong["row"] != wrong["column"])]
    rates = own.groupby(["row", "column"])["hit"].mean()
    least = rates[rates.index.isin(downhill)].idxmin()
    most = rates[~rates.index.isin(downhill)].idxmax()
    return directional_claim(
        "strong-to-weak-is-best",
        "Transfer is highest from strongly to weakly regularised linear networks: the "
        "smallest of those cells exceeds every other cell.",
        contrast_interval(wrong, {least: 1.0, most: -1.0}),
        f"{TABLE_2}: {' to '.join(least)} against {' to '.join(most)}",
    )


def _autoencoder_resists(wrong: pd.DataFrame, autoencoder: str) -> Claim:
    """Compare it with each other network on the images made for neither of the two."""
    names, gaps = dict.fromkeys(wrong["column"]), {}
    for other in (name for name in names if name != autoencoder):
        rows = [row for row in names if row not in (other, autoencoder)]
        weights = mean_of_pairs([(row, other) for row in rows])
        weights |= mean_of_pairs([(row, autoencoder) for row in rows], -1.0)
        gaps[other] = contrast_interval(wrong, weights, rows)
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
    made, noise = (
        pd.concat([_hits_of(hits, f"{kind}{s}", t) for s, t in disjoint])
        for kind in ("", MATCHED)
    )
    return [
        _disjoint_data_beat_noise(made, noise),
        _disjoint_data_transfer_less(
            "disjoint-data-transfers-less",
            "Adversarial images transfer considerably less often to networks trained "
            "on disjoint data than to others trained on the same data",
            _rates_by_data(hits, splits, ""),
        ),
        _disjoint_data_transfer_less(
            "amplified-disjoint-data-transfers-less",
            "Amplified adversarial images transfer considerably less often to networks "
            "trained on disjoint data than to others trained on the same data",
            _rates_by_data(hits, splits, AMPLIFIED),
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
        _mean(both, both["hit"] - both["hit_noise"]),
        f"{TABLE_4}: transfer {means[0]:.4g}, noise {means[1]:.4g}",
        tested=_mean(both, both["hit"] - FAR_MORE * both["hit_noise"]),
    )


def _disjoint_data_transfer_less(
    name: str, statement: str, rates: pd.DataFrame
) -> Claim:
    means = rates["same"].mean(), rates["disjoint"].mean()
    return directional_claim(
        name,
        f"{statement} (difference of the two fooling rates; considerably: at most half "
        "as often).",
        _mean(rates, rates["same"] - rates["disjoint"]),
        f"{TABLE_4}: same data {means[0]:.4g}, disjoint data {means[1]:.4g}",
        tested=_mean(rates, CONSIDERABLY * rates["same"] - rates["disjoint"]),
    )


def _rates_by_data(hits: pd.DataFrame, splits: Splits, kind: str) -> pd.DataFrame:
    """Return how often each image fools networks of the ``same`` and ``disjoint`` data.

    Images count that all networks but the source classify correctly when clean.
    """
    place, found = ["seed", "index"], []
    for source, split in splits.items():
        same = [n for n in splits if n != source and splits[n] == split]
        disjoint = [n for n in splits if splits[n] != split]
        if same and disjoint:
            own = _hits_of(hits, f"{kind}{source}", *same, *disjoint)
            wide = own.pivot(index=place, columns="column", values="hit").dropna()
            pair = {"same": wide[same], "disjoint": wide[disjoint]}
            means = {name: some.mean(axis=1) for name, some in pair.items()}
            found.append(pd.DataFrame(means).reset_index())
    return pd.concat(found)


def _hits_of(hits: pd.DataFrame, row: str, *columns: str) -> pd.DataFrame:
    """Return the hits of one set of images on some networks, with its ``source``."""
    own = hits[(hits["row"] == row) & hits["column"].isin(columns)]
    return own.assign(source=row.rpartition(":")[2], hit=own["hit"].astype(float))


def _mean(images: pd.DataFrame, values: pd.Series) -> Interval:
    """Return the mean of an image's values, over images and seeds.

    An image has a value for each pair of networks; these count as one observation.
    """
    keys = [np.asarray(images[key]) for key in ("seed", "index")]
    means = pd.Series(values.to_numpy(float)).groupby(keys).mean()
    return mean_interval([seed.to_numpy() for _, seed in means.groupby(level=0)])
