"""How much of transfer hangs on the data, the architecture and the seed.

The paper's Table 4 changes training set and architecture by turns and leaves open which
of them matters. Here every network is fed the images made for every other one, and the
pairs are sorted by what the two networks have in common.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from intriguing.stats.agreement import Claim, judge_direction
from intriguing.stats.intervals import Interval, mean_interval, wilson

NOISE = "noise"
"""Row of Gaussian noise as long as the perturbations."""
SEED = "other-seed"
ARCHITECTURE = "other-architecture"
DATA = "other-data"
BOTH = "other-both"
KINDS = (SEED, ARCHITECTURE, DATA, BOTH)
SAME_SEED = "-same-seed"
"""Ending for pairs of one seed, whose first layers started from the same draws."""
ITSELF = "itself"


class Trait(NamedTuple):
    """What a network has that another may share.

    Attributes:
        architecture: Anything that is equal for equal architectures.
        part: Part of the training images it has seen.
    """

    architecture: str
    part: str


def kind_of(source: Trait, target: Trait, same_seed: bool) -> str:
    """Name what differs between two networks, other than their initial weights."""
    changed = (source.architecture != target.architecture, source.part != target.part)
    kind = {(False, False): SEED, (True, False): ARCHITECTURE, (False, True): DATA}.get(
        changed, BOTH
    )
    if not same_seed:
        return kind
    return ITSELF if kind == SEED else f"{kind}{SAME_SEED}"


def with_kinds(pairs: pd.DataFrame, traits: Mapping[str, Trait]) -> pd.DataFrame:
    """Return the pairs with their ``kind`` and the ``share`` of images fooled.

    Args:
        pairs: ``source``, ``target``, ``source_seed``, ``target_seed``, ``length`` (how
            the perturbations were lengthened), ``images`` that the target answers
            rightly when clean, ``fooled`` of them by the adversarial images and
            ``fooled_by_noise`` as long.
        traits: Of each network.
    """
    kinds = [
        kind_of(traits[p.source], traits[p.target], p.source_seed == p.target_seed)
        for p in pairs.itertuples()
    ]
    share = pairs["fooled"] / pairs["images"]
    return pairs.assign(
        kind=kinds, share=share, noise=pairs["fooled_by_noise"] / pairs["images"]
    )


def per_seed(pairs: pd.DataFrame, column: str = "share") -> pd.Series:
    """Return one value for each seed, whose mean is the mean over all pairs.

    A network is in several pairs, as source and as target, so that pairs are not
    independent; seeds are. A seed's value is the mean of the pairs in which its
    networks are the source, plus that in which they are the target, less the mean of
    all: the linear part of a mean over pairs (Hoeffding's projection).
    """
    values = pairs[column]
    as_source = values.groupby(pairs["source_seed"]).mean()
    as_target = values.groupby(pairs["target_seed"]).mean()
    return as_source + as_target - values.mean()


def pair_mean(pairs: pd.DataFrame, column: str = "share") -> Interval | None:
    """Return the mean share over pairs, with an interval over seeds and images.

    As wide as the wider of two: Student's interval over `per_seed`, and Wilson's with
    every image counted once, however many networks it was fed to. None without pairs.
    """
    if pairs.empty:
        return None
    sources = pairs.drop_duplicates(["source_seed"])
    images, share = int(sources["images"].sum()), float(pairs[column].mean())
    low, high = wilson(share, images)
    seeds = per_seed(pairs, column).dropna()
    if len(seeds) > 1:
        over_seeds = mean_interval([np.array([value]) for value in seeds])
        low, high = min(low, over_seeds.low), max(high, over_seeds.high)
    return Interval(share, max(low, 0.0), min(high, 1.0), n=images, seeds=len(seeds))


def difference(first: pd.DataFrame, second: pd.DataFrame) -> Interval | None:
    """Return by how much the first pairs transfer better, compared seed by seed.

    None with fewer than three seeds: of two, every pair of networks is as much the
    one's as the other's, so that they cannot be told apart.
    """
    seeds = (per_seed(first) - per_seed(second)).dropna()
    if len(seeds) < 3:
        return None
    found = mean_interval([np.array([value]) for value in seeds])
    return replace(found, n=None)


def cells(
    pairs: pd.DataFrame, lengths: Sequence[str]
) -> dict[tuple[str, str], Interval | None]:
    """Return the transfer of each kind of pair (row) at each length (column).

    Args:
        pairs: As `with_kinds` gives them.
        lengths: Of the perturbations, in the order of the columns.
    """
    rows = [*KINDS, *(f"{kind}{SAME_SEED}" for kind in KINDS[1:])]
    foreign = pairs[pairs["kind"].isin(KINDS)]
    found: dict[tuple[str, str], Interval | None] = {}
    for length in lengths:
        own = pairs[pairs["length"] == length]
        for row in rows:
            found[row, length] = pair_mean(own[own["kind"] == row])
        found[NOISE, length] = pair_mean(foreign[foreign["length"] == length], "noise")
    return dict(
        sorted(found.items(), key=lambda cell: [*rows, NOISE].index(cell[0][0]))
    )


def data_costs_more(pairs: pd.DataFrame, length: str) -> Claim:
    """Other training data cost more transfer than another architecture.

    Judged: transfer to another architecture less transfer to a network of other data,
    perturbations equally long, is above 0. Initial weights differ in both.
    """
    own = pairs[pairs["length"] == length]
    of = {kind: own[own["kind"] == kind] for kind in KINDS}
    found = difference(of[ARCHITECTURE], of[DATA])
    means = {kind: part["share"].mean() for kind, part in of.items()}
    said = ", ".join(f"{kind} {mean:.3g}" for kind, mean in means.items())
    return Claim(
        id="data-costs-more-transfer",
        statement="Other training data cost more transfer than another architecture "
        "(share of rightly answered images that are fooled, by perturbations equally "
        "long, the two subtracted).",
        published=None,
        measured=found.value if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        verdict=judge_direction(found, 0.0, "above") if found else "undecided",
        evidence=f"tables/transfer-decomposition: {length}: {said}",
    )
