"""What determines transfer: training data, architecture or seed.

The paper's Table 4 changes the training set and the architecture, and leaves open which
of them matters. Here every network classifies the images made for every other network,
and the pairs are grouped by what the two networks have in common.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from intriguing.stats.agreement import Claim, finding
from intriguing.stats.clusters import jackknife_interval
from intriguing.stats.intervals import Interval, wilson
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


def means_without_seeds(pairs: pd.DataFrame, column: str = "share") -> pd.Series:
    """Return the mean over the pairs without each seed, by seed: a jackknife.

    A network is in several pairs, as source and as target, so pairs are not
    independent; seeds are. A replicate leaves out the pairs in which a seed is at
    either end. An end that has one seed in all pairs is the same in every replicate.
    """
    ends = pairs[["source_seed", "target_seed"]]
    ends = ends.loc[:, ends.nunique() > 1]
    seeds = sorted(set(ends.to_numpy().flat))
    left = [pairs.loc[~ends.eq(seed).any(axis=1), column].mean() for seed in seeds]
    return pd.Series(left, index=seeds, dtype=float)


def pair_mean(pairs: pd.DataFrame, column: str = "share") -> Interval | None:
    """Return the mean rate over pairs, with its interval; None without pairs.

    The interval covers two: that of the jackknife over seeds, from three seeds on, and
    Wilson's interval in which every image counts once, however many networks classify
    it.
    """
    if pairs.empty:
        return None
    sources = pairs.drop_duplicates(["source_seed"])
    images, share = int(sources["images"].sum()), float(pairs[column].mean())
    low, high = wilson(share, images)
    without = means_without_seeds(pairs, column)
    if over_seeds := jackknife_interval(share, without.tolist()):
        low, high = min(low, over_seeds.low), max(high, over_seeds.high)
    seeds = max(len(without), 1)
    return Interval(share, low, high, n=images, seeds=seeds).within(0, 1)


def seed_difference(first: pd.DataFrame, second: pd.DataFrame) -> Interval | None:
    """Return the first pairs' mean fooling rate less the second's, by seeds.

    None with fewer than three seeds: with two, every pair of different seeds contains
    both.
    """
    differences = means_without_seeds(first) - means_without_seeds(second)
    value = float(first["share"].mean() - second["share"].mean())
    found = jackknife_interval(value, differences.tolist())
    return found and replace(found, seeds=len(differences))


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
