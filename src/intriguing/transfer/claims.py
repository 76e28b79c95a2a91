"""The paper's claims on transfer between networks, with rules fixed before the run."""

from collections.abc import Mapping, Sequence

import pandas as pd

from intriguing.stats.agreement import Claim, directional_claim
from intriguing.stats.intervals import (
    Interval,
    average,
    difference_interval,
)
from intriguing.tables.rates import Cell, Cells, error_rates, fooling_rates
from intriguing.tables.row_names import MATCHED

FAR_MORE = 2.0
"""Transfer is "far more" than noise if it is more than this many times as high."""


def claims(
    predictions: pd.DataFrame, by_decay: list[str], autoencoder: str | None
) -> list[Claim]:
    """Return the claims on transfer, but for those whose networks are not there.

    Args:
        predictions: Every network's prediction for every image.
        by_decay: Linear networks, from the weakest decay to the strongest.
        autoencoder: Name of the network on an autoencoder's codes, None for none.
    """
    rates, networks = error_rates(predictions), predictions["column"].nunique()
    found = [transfer_beats_noise(predictions)] if networks > 1 else []
    if len(by_decay) > 1:
        found.append(strong_to_weak(rates, by_decay))
        found.append(strong_to_weak_is_best(rates, by_decay))
    if autoencoder and networks > 2:
        found.append(autoencoder_resists(rates, autoencoder))
    return found


def among(predictions: pd.DataFrame, networks: list[str]) -> pd.DataFrame:
    """Return the predictions of some networks, for images made for no other."""
    others = set(predictions["column"]) - set(networks)
    source = predictions["row"].str.removeprefix(MATCHED)
    return predictions[predictions["column"].isin(networks) & ~source.isin(others)]


def transfer_beats_noise(predictions: pd.DataFrame) -> Claim:
    """Return the claim; it tests the transfer rate less `FAR_MORE` times noise's.

    Args:
        predictions: As for `fooling_hits`, of Table 2 and its controls.
    """
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


def strong_to_weak(rates: Cells, by_decay: Sequence[str]) -> Claim:
    """Return the claim; it tests the smallest difference over all pairs.

    Args:
        rates: Errors of the cross-model table.
        by_decay: Linear networks, from the weakest decay to the strongest.
    """
    gaps = {
        f"{strong} to {weak}": difference_interval(
            rates[strong, weak], rates[weak, strong]
        )
        for strong, weak in _strong_to_weak_pairs(by_decay)
    }
    pair, least = _smallest(gaps)
    return directional_claim(
        "strong-to-weak-linear",
        "Linear networks: images made for the more regularised network fool the less "
        "regularised one more often than the reverse (smallest difference).",
        least,
        f"tables/cross-model: {pair}",
    )


def strong_to_weak_is_best(rates: Cells, by_decay: Sequence[str]) -> Claim:
    """Return the claim; it tests the smallest of those cells less the largest other.

    The arguments are those of `strong_to_weak`.
    """
    names = {row for row, _ in rates} & {column for _, column in rates}
    downhill = _strong_to_weak_pairs(by_decay)
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
        f"tables/cross-model: {' to '.join(least)} against {' to '.join(most)}",
    )


def autoencoder_resists(rates: Cells, autoencoder: str) -> Claim:
    """Return the claim; it tests the smallest difference to another network.

    Both are compared on the images made for neither of the two, by the mean over the
    networks they were made for.

    Args:
        rates: Errors of the cross-model table.
        autoencoder: Name of the network on an autoencoder's codes.
    """
    names = dict.fromkeys(column for _, column in rates)
    gaps = {}
    for other in (name for name in names if name != autoencoder):
        sources = [name for name in names if name not in (other, autoencoder)]
        gaps[other] = average(
            [
                difference_interval(rates[row, other], rates[row, autoencoder])
                for row in sources
            ]
        )
    nearest, least = _smallest(gaps)
    return directional_claim(
        "autoencoder-resists",
        "The network on the autoencoder's codes is the most robust to images made for "
        "other networks (error of the next best network less its own).",
        least,
        f"tables/cross-model: next best is {nearest}",
    )


def _strong_to_weak_pairs(by_decay: Sequence[str]) -> list[Cell]:
    return [
        (strong, weak)
        for i, weak in enumerate(by_decay)
        for strong in by_decay[i + 1 :]
    ]


def _smallest(gaps: Mapping[str, Interval]) -> tuple[str, Interval]:
    return min(gaps.items(), key=lambda item: item[1].value)
