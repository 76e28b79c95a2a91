"""The paper's claims on transfer between networks, each with a rule fixed beforehand.

Rates come with intervals over images and seeds; differences are judged by
`claims.judge_direction`.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from intriguing.stats.agreement import Claim, judge_direction
from intriguing.stats.intervals import (
    Interval,
    average,
    difference_interval,
    rate_interval,
)
from intriguing.tables.rates import Cells, fooling_rates
from intriguing.tables.row_names import CLEAN, MATCHED

FAR_MORE = 2.0
"""Transfer is "far more" than noise where it is more than this many times as much."""


def every_image_has_one(reached: Mapping[str, Sequence[pd.Series]]) -> Claim:
    """Adversarial images were found for all images tried, on every network.

    Agrees only if not a single image failed; the interval says what that shows.
    """
    seeds = [seed for network in reached.values() for seed in network]
    found = rate_interval([int(s.sum()) for s in seeds], [len(s) for s in seeds])
    return Claim(
        id="adversarial-images-exist",
        statement="For every image and every network there is an adversarial image.",
        published=1.0,
        measured=found.value,
        low=found.low,
        high=found.high,
        verdict="agrees" if found.value == 1 else "differs",
        evidence=f"adversarial/lbfgs: {found.n} images of {len(seeds)} networks",
    )


def transfer_beats_noise(answers: pd.DataFrame) -> Claim:
    """Images made for one network fool another far more than noise as long does.

    Of the images that a network gives their label, the share that it no longer does;
    averaged over all pairs of different networks. Judged: transfer less `FAR_MORE`
    times noise is above 0.
    """
    rates = fooling_rates(answers, CLEAN)
    names = list(dict.fromkeys(answers["column"]))
    pairs = [(row, column) for row in names for column in names if row != column]
    transfer = average([rates[pair] for pair in pairs])
    noise = average([rates[f"{MATCHED}{row}", column] for row, column in pairs])
    ends = (noise.value, noise.low, noise.high)
    doubled = Interval(*(FAR_MORE * end for end in ends))
    return directed(
        "transfer-beats-noise",
        "Adversarial images transfer to other networks far more than Gaussian noise of "
        "the same size (share of rightly answered images that are fooled, mean over "
        "all pairs, the two subtracted; far more: over twice as much).",
        difference_interval(transfer, noise),
        judge_direction(difference_interval(transfer, doubled), 0.0, "above"),
        f"tables/controls: transfer {transfer.value:.4g}, noise {noise.value:.4g}",
    )


def strong_to_weak(rates: Cells, by_decay: Sequence[str]) -> Claim:
    """Between linear networks images go better from strong to weak decay than back.

    Judged: the smallest of the differences over all pairs is above 0.

    Args:
        rates: Errors of the cross-model table.
        by_decay: Linear networks, from the weakest decay to the strongest.
    """
    gaps = {
        f"{strong} to {weak}": difference_interval(
            rates[strong, weak], rates[weak, strong]
        )
        for i, weak in enumerate(by_decay)
        for strong in by_decay[i + 1 :]
    }
    pair, least = min(gaps.items(), key=lambda item: item[1].value)
    return directed(
        "strong-to-weak-linear",
        "Linear networks: images made for the more regularised one fool the less "
        "regularised one more often than the other way round (smallest difference).",
        least,
        judge_direction(least, 0.0, "above"),
        f"tables/cross-model: {pair}",
    )


def strong_to_weak_is_best(rates: Cells, by_decay: Sequence[str]) -> Claim:
    """No other transfer is as good as that from strong to weak linear networks.

    Judged: the least of those cells less the largest other one is above 0.
    """
    names = {row for row, _ in rates} & {column for _, column in rates}
    downhill = [(s, w) for i, w in enumerate(by_decay) for s in by_decay[i + 1 :]]
    others = [
        c for c in rates if c[0] != c[1] and set(c) <= names and c not in downhill
    ]
    least = min(downhill, key=lambda cell: rates[cell].value)
    most = max(others, key=lambda cell: rates[cell].value)
    gap = difference_interval(rates[least], rates[most])
    return directed(
        "strong-to-weak-is-best",
        "Images transfer best from strongly to weakly regularised linear networks: the "
        "least of those cells exceeds every other one.",
        gap,
        judge_direction(gap, 0.0, "above"),
        f"tables/cross-model: {' to '.join(least)} against {' to '.join(most)}",
    )


def autoencoder_resists(rates: Cells, autoencoder: str) -> Claim:
    """The autoencoder answers fewest foreign adversarial images wrongly.

    Each other network is compared on the images made for neither of the two, mean over
    the networks that they were made for. Judged: the smallest difference is above 0.

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
    nearest, least = min(gaps.items(), key=lambda item: item[1].value)
    return directed(
        "autoencoder-resists",
        "The network on the autoencoder's codes resists images made for others best "
        "(error of the next best network less its own).",
        least,
        judge_direction(least, 0.0, "above"),
        f"tables/cross-model: next best is {nearest}",
    )


def directed(
    name: str, statement: str, found: Interval, verdict: str, evidence: str
) -> Claim:
    """Return a claim of direction, for which the paper prints no number."""
    return Claim(
        id=name,
        statement=statement,
        published=None,
        measured=found.value,
        low=found.low,
        high=found.high,
        verdict=verdict,
        evidence=evidence,
    )
