"""Transfer of minimum-norm adversarial images, compared with the paper's method."""

from collections.abc import Mapping, Sequence

import pandas as pd

from intriguing.stats.agreement import Claim, finding
from intriguing.stats.intervals import Interval, mean_interval
from intriguing.tables.rates import IMAGE, Cell, Cells, fooling_hits
from intriguing.tables.row_names import CLEAN
from intriguing.transfer.contrasts import contrast_interval, mean_of_pairs

CHANGE = "transfer-change"
METHODS = ("lbfgs", "minimal")


def paired_hits(minimal: pd.DataFrame, lbfgs: pd.DataFrame) -> dict[Cell, pd.DataFrame]:
    """Return whether each image of either method fools another network.

    Only images that the network classifies correctly when clean count. They are the
    same for both methods; ``lbfgs`` has the predictions for them.

    Returns:
        For each pair of source and target network: ``seed``, ``index``, ``minimal`` and
        ``lbfgs``.
    """
    clean = lbfgs[lbfgs["row"] == CLEAN]

    def hits(predictions: pd.DataFrame, name: str) -> pd.DataFrame:
        foreign = predictions["row"].isin(set(lbfgs["column"]))
        foreign &= predictions["row"] != predictions["column"]
        own = fooling_hits(pd.concat([predictions[foreign], clean]))
        return own[own["row"] != CLEAN].rename(columns={"hit": name})

    both = hits(minimal, "minimal").merge(hits(lbfgs, "lbfgs"), on=["row", *IMAGE])
    return dict(iter(both.groupby(["row", "column"], sort=False)))


def transfer_cells(
    pairs: Mapping[Cell, pd.DataFrame], networks: Sequence[str]
) -> Cells:
    """Return the fooling rates of each network's images on the other networks.

    For each network these are ``transfer-lbfgs``, ``transfer-minimal`` and their
    difference ``transfer-change``, means over the other networks.
    """
    cells: Cells = {}
    for row in networks:
        own = pd.concat([pairs[row, column] for column in networks if column != row])
        for method in METHODS:
            cells[row, f"transfer-{method}"] = _mean_rate(own, own[method])
        change = own["minimal"].astype(float) - own["lbfgs"].astype(float)
        cells[row, CHANGE] = _mean_rate(own, change)
    return cells


def rate_change(pair: pd.DataFrame) -> Interval:
    """Return the fooling rate of the minimum-norm images less that of the paper's.

    The difference is taken image by image. The images of the two methods are similar,
    and what they share does not widen the interval.
    """
    change = pair["minimal"].astype(float) - pair["lbfgs"].astype(float)
    return mean_interval([own.to_numpy() for _, own in change.groupby(pair["seed"])])


def _mean_rate(hits: pd.DataFrame, values: pd.Series) -> Interval:
    """Return the mean over cells; networks share images, which count once."""
    cells = list(dict.fromkeys(zip(hits["row"], hits["column"], strict=True)))
    return contrast_interval(hits.assign(hit=values), mean_of_pairs(cells))


def change_of_transfer(pairs: Mapping[Cell, pd.DataFrame]) -> Claim:
    """Return the finding: the mean change of the fooling rate over all pairs.

    Pairs of one source share its images, so the interval is that of the sources' means.
    """
    changes = pd.Series({cell: rate_change(pair).value for cell, pair in pairs.items()})
    sources = changes.groupby(level=0).mean()
    return finding(
        "minimal-less-paper-transfer",
        "Fooling rate of minimum-norm adversarial images on other networks, less that "
        "of the paper's method (mean over all pairs, interval over source networks).",
        mean_interval(list(sources.to_numpy()[:, None])),
        f"tables/minimal-transfer: mean of the column {CHANGE}",
    )
