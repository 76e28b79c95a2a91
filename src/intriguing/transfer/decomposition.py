"""What determines transfer: training data, architecture or seed.

The paper's Table 4 changes the training set and the architecture, and leaves open which
of them matters. Here every network classifies the images made for every other network,
and the pairs are grouped by what the two networks have in common.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from intriguing.stats.agreement import Claim, finding
from intriguing.stats.intervals import Interval, mean_interval, wilson
from intriguing.tables.rates import Cell

NOISE = "noise"
"""Row of Gaussian noise with the distortions of the perturbations."""
SEED = "other-seed"
ARCHITECTURE = "other-architecture"
DATA = "other-data"
BOTH = "other-both"
KINDS = (SEED, ARCHITECTURE, DATA, BOTH)
SAME_SEED = "-same-seed"
"""Suffix for pairs of one seed: the first layers start from the same random numbers."""
ITSELF = "itself"

Traits = Mapping[str, tuple[str, str]]
"""Architecture of each network, as any text that is equal for equal architectures, and
the split of the training images on which it was trained."""


def kind_of(source: tuple[str, str], target: tuple[str, str], same_seed: bool) -> str:
    """Return what differs between the traits of two networks, besides their weights."""
    changed = source[0] != target[0], source[1] != target[1]
    kinds = {(False, False): SEED, (True, False): ARCHITECTURE, (False, True): DATA}
    kind = kinds.get(changed, BOTH)
    if not same_seed:
        return kind
    return ITSELF if kind == SEED else f"{kind}{SAME_SEED}"


def with_kinds(pairs: pd.DataFrame, traits: Traits) -> pd.DataFrame:
    """Return the pairs with their ``kind`` and the fooling rates.

    Args:
        pairs: ``source``, ``target``, ``source_seed``, ``target_seed`` and ``length``
            (how the perturbations were scaled); the number of ``images`` that the
            target classifies correctly when clean, and of these the number ``fooled``
            by adversarial images and ``fooled_by_noise`` of the same distortion.
        traits: Traits of each network.

    Returns:
        The pairs with ``kind``, ``share`` (the fooling rate) and ``noise`` (that of
        noise).
    """
    kinds = [
        kind_of(traits[p.source], traits[p.target], p.source_seed == p.target_seed)
        for p in pairs.itertuples()
    ]
    share, noise = (pairs[n] / pairs["images"] for n in ("fooled", "fooled_by_noise"))
    return pairs.assign(kind=kinds, share=share, noise=noise)


def seed_values(pairs: pd.DataFrame, column: str = "share") -> pd.Series:
    """Return one value for each seed; their mean is the mean over all pairs.

    A network is in several pairs, as source and as target, so pairs are not
    independent; seeds are. The value of a seed is the mean of the pairs in which its
    networks are the source, plus that of the pairs in which they are the target, less
    the mean of all pairs (Hoeffding's projection).
    """
    values = pairs[column]
    as_source = values.groupby(pairs["source_seed"]).mean()
    as_target = values.groupby(pairs["target_seed"]).mean()
    return as_source + as_target - values.mean()


def pair_mean(pairs: pd.DataFrame, column: str = "share") -> Interval | None:
    """Return the mean rate over pairs, with its interval; None without pairs.

    The interval covers two: Student's interval of `seed_values`, and Wilson's interval
    in which every image counts once, however many networks classify it.
    """
    if pairs.empty:
        return None
    sources = pairs.drop_duplicates(["source_seed"])
    images, share = int(sources["images"].sum()), float(pairs[column].mean())
    low, high = wilson(share, images)
    seeds = seed_values(pairs, column).dropna()
    if len(seeds) > 1:
        over_seeds = mean_interval(list(seeds.to_numpy()[:, None]))
        low, high = min(low, over_seeds.low), max(high, over_seeds.high)
    return Interval(share, max(low, 0.0), min(high, 1.0), n=images, seeds=len(seeds))


def seed_difference(first: pd.DataFrame, second: pd.DataFrame) -> Interval | None:
    """Return the first pairs' mean fooling rate less the second's, by seeds.

    None with fewer than three seeds: with two, every pair of different seeds contains
    both, and their values are equal.
    """
    seeds = (seed_values(first) - seed_values(second)).dropna()
    if len(seeds) < 3:
        return None
    return replace(mean_interval(list(seeds.to_numpy()[:, None])), n=None)


def decomposition_cells(
    pairs: pd.DataFrame, lengths: Sequence[str]
) -> dict[Cell, Interval | None]:
    """Return the fooling rate of each kind of pair (row) at each length (column).

    Pairs are as `with_kinds` returns them, and lengths in the order of the columns.
    """
    rows = [*KINDS, *(f"{kind}{SAME_SEED}" for kind in KINDS[1:])]
    own = {length: pairs[pairs["length"] == length] for length in lengths}
    found: dict[Cell, Interval | None] = {
        (row, length): pair_mean(some[some["kind"] == row])
        for row in rows
        for length, some in own.items()
    }
    for length, some in own.items():
        found[NOISE, length] = pair_mean(some[some["kind"].isin(KINDS)], "noise")
    return found


def data_costs_more(pairs: pd.DataFrame, length: str) -> Claim:
    """Return the finding: the difference of the two rates at one length.

    The initial weights differ in both kinds of pairs.
    """
    own = pairs[pairs["length"] == length]
    of = {kind: own[own["kind"] == kind] for kind in KINDS}
    means = {kind: some["share"].mean() for kind, some in of.items()}
    numbers = ", ".join(f"{kind} {mean:.3g}" for kind, mean in means.items())
    return finding(
        "data-costs-more-transfer",
        "Fooling rate on networks of another architecture trained on the same data, "
        "less that on networks of the same architecture trained on other data "
        "(perturbations of equal length).",
        seed_difference(of[ARCHITECTURE], of[DATA]),
        f"tables/transfer-decomposition: {length}: {numbers}",
    )
