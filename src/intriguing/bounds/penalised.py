"""What networks trained with a penalty on a bound gain by it."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack.typical_distance import error_and_distance
from intriguing.bounds.certify import certify
from intriguing.bounds.lipschitz import lipschitz
from intriguing.bounds.penalties import METHODS

ALLOWED = 0.0025
"""Test errors up to this much above the unpenalised network's count as equal."""
BASE = "decay"
"""The method that others are compared with; its weakest strength is no penalty."""
MEASURES = ("error", "distance", "certified", "product", "eclipse")
PARTS = 50
"""Parts into which the step from one strength to the next is divided."""


def measured_gain(
    network: nn.Sequential,
    images: Float[Tensor, "n 1 h w"],
    labels: Int[Tensor, " n"],
    attacked: int,
    certified: int,
) -> dict[str, float]:
    """Return test error, distances, and bounds of one network.

    They are those of `error_and_distance`, and ``certified``, the mean distance that
    CROWN proves, in pixels of [0, 1].

    Args:
        network: Linear layers with ReLU between them.
        images: Test images.
        labels: Their classes.
        attacked: How many are attacked, the first that are classified correctly.
        certified: How many are certified, of the first; others than those that are
            classified correctly count as 0.
    """
    proved = certify(network, images[:certified], labels[:certified], method="crown")
    return error_and_distance(network, images, labels, attacked) | {
        "certified": float(proved.radius.mean()),
        "product": lipschitz(network, "product").upper,
        "eclipse": lipschitz(network, "eclipse-fast").upper,
    }


def between_strengths(records: pd.DataFrame) -> pd.DataFrame:
    """Return the records and, between neighbouring strengths, means weighted linearly.

    Without them the best network at a given error would depend on the few strengths
    that were tried.

    Args:
        records: ``method``, ``strength``, ``seed`` and `MEASURES` of every network; the
            strengths of a method from weak to strong.
    """
    columns, found = ["strength", *MEASURES], [records]
    for (method, seed), own in records.groupby(["method", "seed"], sort=False):
        weak, strong = own[columns].to_numpy()[:-1], own[columns].to_numpy()[1:]
        for share in np.arange(1, PARTS) / PARTS:
            mixed = pd.DataFrame((1 - share) * weak + share * strong, columns=columns)
            found.append(mixed.assign(method=method, seed=seed))
    return pd.concat(found, ignore_index=True)


def best_at_equal_error(records: pd.DataFrame) -> pd.DataFrame:
    """Return for each method and seed the network that is furthest from adversaries.

    Only networks whose test error is at most `ALLOWED` above that of the unpenalised
    network of the same seed take part. The columns ``distance over decay`` and
    ``certified over decay`` compare with the best by weight decay.

    Args:
        records: ``method``, ``strength``, ``seed`` and `MEASURES` of every network.
    """
    rows = []
    for seed, own in records.groupby("seed"):
        plain = own[(own["method"] == BASE) & (own["strength"] == 0)]
        level = float(plain["error"].iloc[0]) + ALLOWED
        fair = own[own["error"] <= level]
        best = fair.loc[fair.groupby("method")["distance"].idxmax()]
        best = best.set_index("method").reindex(list(METHODS))
        for name in ("distance", "certified"):
            best[f"{name} over decay"] = best[name] / best.loc[BASE, name]
        rows.append(best.reset_index().assign(seed=seed))
    return pd.concat(rows, ignore_index=True)


def rank_correlation(records: pd.DataFrame, bound: str) -> float:
    """Return Spearman's correlation of a bound and the distance over networks."""
    return float(records[bound].corr(records["distance"], method="spearman"))
