"""Why transfer between two networks differs between the two directions.

For two networks trained on the same data the paper's Table 4 gives 26.2 % in one
direction and 6.25 % in the other, without an explanation. Here the difference is
regressed on the difference in length of the two networks' perturbations: longer
perturbations should also fool the network that needs shorter ones.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from intriguing.stats.agreement import Claim, finding
from intriguing.stats.clusters import jackknife_interval
from intriguing.stats.intervals import Interval
from intriguing.transfer.decomposition import ARCHITECTURE, SAME_SEED, SEED, Traits

SAME_DATA = (SEED, ARCHITECTURE, ARCHITECTURE + SAME_SEED)
"""Kinds of pairs with the same training data."""
ENDS = ["source", "source_seed", "target", "target_seed"]
PUBLISHED = "cross-training-set"


def both_directions(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return one row for every two networks trained on the same data.

    Args:
        pairs: As `with_kinds` returns them, of one length, with the mean
            ``distortion`` of the source's perturbations.

    Returns:
        ``source_seed``, ``target_seed``, ``log_ratio`` (logarithm of the source's
        distortion over the target's) and ``difference`` (transfer from source to target
        less that from target to source).
    """
    one = pairs.loc[pairs["kind"].isin(SAME_DATA), [*ENDS, "share", "distortion"]]
    turned = dict(zip(ENDS, [*ENDS[2:], *ENDS[:2]], strict=True))
    both = one.merge(one.rename(columns=turned), on=ENDS, suffixes=("", "_back"))
    ends = zip(*(both[end] for end in ENDS), strict=True)
    both = both[np.array([(s, i) < (t, j) for s, i, t, j in ends], bool)]
    return both[["source_seed", "target_seed"]].assign(
        log_ratio=np.log(both["distortion"] / both["distortion_back"]),
        difference=both["share"] - both["share_back"],
    )


def slope(both: pd.DataFrame) -> float:
    """Return the least-squares slope of ``difference`` on ``log_ratio``.

    The line passes through the origin, so the order of the two networks, which changes
    both signs, does not matter.
    """
    x, y = both["log_ratio"], both["difference"]
    return float((x * y).sum() / x.pow(2).sum())


def slope_interval(both: pd.DataFrame) -> Interval | None:
    """Return the slope with a jackknife interval over seeds; None below three seeds.

    A network is in many pairs; each replicate leaves out all pairs of one seed.
    """
    ends = both[["source_seed", "target_seed"]]
    seeds = np.unique(ends)
    if len(seeds) < 3:
        return None
    replicates = [slope(both[~ends.eq(seed).any(axis=1)]) for seed in seeds]
    found = jackknife_interval(slope(both), replicates)
    return replace(found, seeds=len(seeds)) if found else None


def longer_transfers_further(
    pairs: pd.DataFrame, traits: Traits, published: pd.DataFrame
) -> Claim:
    """Return the finding: the slope, for each percent of length.

    The pairs are as for `both_directions`. The evidence compares the paper's Table 4
    with the slope.
    """
    found = slope_interval(both_directions(pairs))
    evidence = "transfer/pairs.parquet"
    if found:
        evidence += _paper_comparison(found.value, traits, published)
    return finding(
        "longer-perturbations-transfer-further",
        "Two networks trained on the same data: fooling rate from the network with the "
        "longer perturbations less that from the other, for each percent of length.",
        found.scaled(0.01) if found else None,
        evidence,
    )


def _paper_comparison(slope: float, traits: Traits, published: pd.DataFrame) -> str:
    """Return what the slope predicts for the paper's pairs, and what the paper has."""
    table = published[published["table"] == PUBLISHED]
    cells = table.set_index(["row", "column"])["value"]
    known = sorted(name for name in traits if (name, "distortion") in cells)
    text = ""
    for one, other in combinations(known, 2):
        if traits[one][1] != traits[other][1]:
            continue
        first, second = cells[one, "distortion"], cells[other, "distortion"]
        text += (
            f"; from the paper's distortions of {one} ({first:g}) and {other} "
            f"({second:g}) the slope predicts a difference of "
            f"{slope * np.log(first / second):.3f}; the "
            f"paper has {cells[one, other] - cells[other, one]:.3f}"
        )
    return text
