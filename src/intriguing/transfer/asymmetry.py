"""Why images made for one network fool another more often than the other way round.

Between two networks of the same data the paper's Table 4 has 26.2 % in one direction
and 6.25 % in the other, and does not say why. Here the difference is held against how
long the two networks' perturbations are: what fools a network that takes more to fool
is a larger part of what its neighbour takes.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import t

from intriguing.stats.agreement import Claim, judge_direction
from intriguing.stats.intervals import Interval
from intriguing.transfer.decomposition import ARCHITECTURE, SAME_SEED, SEED, Trait

ALIKE = (SEED, ARCHITECTURE, ARCHITECTURE + SAME_SEED)
"""Kinds of pairs with the same training data."""
ENDS = ["source", "source_seed", "target", "target_seed"]
BACK = ["target", "target_seed", "source", "source_seed"]
PUBLISHED = "cross-training-set"


def both_ways(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return one row for every two networks of the same data.

    Args:
        pairs: As `intriguing.decomposition.with_kinds` gives them, of one length, with
            the mean ``distortion`` of the source's perturbations.

    Returns:
        ``source_seed`` and ``target_seed``; ``longer``, the logarithm of the source's
        distortion over the target's; ``more``, its transfer less the target's.
    """
    one = pairs[pairs["kind"].isin(ALIKE)]
    other = one[[*ENDS, "share", "distortion"]].set_axis(
        [*BACK, "share_back", "distortion_back"], axis=1
    )
    both = one.merge(other, on=ENDS)
    first = both["source"] < both["target"]
    first |= (both["source"] == both["target"]) & (
        both["source_seed"] < both["target_seed"]
    )
    both = both[first]
    return pd.DataFrame(
        {
            "source_seed": both["source_seed"],
            "target_seed": both["target_seed"],
            "longer": np.log(both["distortion"] / both["distortion_back"]),
            "more": both["share"] - both["share_back"],
        }
    )


def slope(both: pd.DataFrame) -> float:
    """Return the least-squares slope of ``more`` on ``longer``, through the origin.

    Either network may come first: that changes both signs, and no slope.
    """
    return float((both["longer"] * both["more"]).sum() / both["longer"].pow(2).sum())


def slope_interval(both: pd.DataFrame) -> Interval | None:
    """Return the slope with a jackknife interval over seeds; None below three seeds.

    A network is in many pairs; leaving out a seed leaves out all pairs of its networks.
    """
    seeds = sorted({*both["source_seed"], *both["target_seed"]})
    if len(seeds) < 3:
        return None
    ends = both[["source_seed", "target_seed"]]
    kept = [slope(both[~ends.eq(seed).any(axis=1)]) for seed in seeds]
    error = np.sqrt((len(seeds) - 1) * np.var(kept))
    half, value = t.ppf(0.975, len(seeds) - 1) * error, slope(both)
    return Interval(value, value - half, value + half, seeds=len(seeds))


def longer_transfers_further(
    pairs: pd.DataFrame, traits: Mapping[str, Trait], published: pd.DataFrame
) -> Claim:
    """Of two networks of the same data, transfer is better from the harder to fool.

    Judged: the slope of the difference between the two directions on the difference of
    their distortions, per percent, is above 0.

    Args:
        pairs: As for `both_ways`.
        traits: Of each network.
        published: The paper's numbers; those of Table 4 are set beside the slope.
    """
    found = slope_interval(both_ways(pairs))
    if found:
        parts = (found.value / 100, found.low / 100, found.high / 100)
        found = Interval(*parts, seeds=found.seeds)
    return Claim(
        id="longer-perturbations-transfer-further",
        statement="Of two networks trained on the same data, images transfer better "
        "from the one whose perturbations are longer (difference between the two "
        "directions, as a share of images, for each percent by which they are longer).",
        published=None,
        measured=found.value if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        verdict=judge_direction(found, 0.0, "above") if found else "undecided",
        evidence="transfer/pairs.parquet" + beside(found, traits, published),
    )


def beside(
    found: Interval | None, traits: Mapping[str, Trait], published: pd.DataFrame
) -> str:
    """Say what the slope makes of the paper's own distortions, where it has a pair."""
    table = published[published["table"] == PUBLISHED]
    cells = table.set_index(["row", "column"])["value"].to_dict()
    known = [name for name in traits if (name, "distortion") in cells]
    said = ""
    for one, other in ((a, b) for a in known for b in known if a < b):
        if found is None or traits[one].part != traits[other].part:
            continue
        longer = np.log(cells[one, "distortion"] / cells[other, "distortion"])
        more = cells[one, other] - cells[other, one]
        said += (
            f"; the paper's {cells[one, 'distortion']:g} of {one} against "
            f"{cells[other, 'distortion']:g} of {other} makes "
            f"{100 * found.value * longer:.3f}, its transfer differs by {more:.3f}"
        )
    return said
