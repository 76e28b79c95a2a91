"""The shortest perturbations beside the paper's: how much shorter, how transferable.

The paper asks for the minimum and says that its method only approximates it. Here the
two are compared image by image: same network, same image, same target.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from intriguing.stats.agreement import Claim, judge_direction
from intriguing.stats.intervals import Interval, average, mean_interval, rate_interval
from intriguing.tables.rates import Cell, Cells, Spreads, distortion_cell, distortions
from intriguing.tables.row_names import CLEAN
from intriguing.tables.tidy import Kinds
from intriguing.transfer.claims import directed

SLACK = 1e-5
"""Relative difference in length that the order of summation may make."""
SHORTER = 1e-4
"""From this relative difference on an image counts as shorter."""
CORNER = 2
"""Classes that tie with the target, from which on no published objective can stop."""

# As in `attack.minimal.problem`, on whose code a table is not to depend.
KNOWN, SMOOTHED, UNLED = -1, -2, -3
"""Numbers of the starts from the paper's solution and from a smoothed network's, and of
the walk that no smoothed network leads."""

KINDS: Kinds = {"ratio": "ratio"}
"""Of the columns whose name does not say it."""
CHANGE = "transfer-change"


def require_never_longer(
    shortest: Float[np.ndarray, " n"], paper: Float[np.ndarray, " n"]
) -> None:
    """Check the guarantee that having the paper's solution among the starts gives.

    Args:
        shortest: Distortions that the shortest perturbations have, infinite where none
            was found.
        paper: Those of the paper's method.

    Raises:
        RuntimeError: One is longer; the message says on how many images, and the worst.
    """
    with np.errstate(invalid="ignore"):
        excess = np.where(np.isfinite(paper), shortest / paper - 1, -1.0)
    longer = ~(excess <= SLACK)
    if longer.any():
        worst = int(np.where(np.isnan(excess), np.inf, excess).argmax())
        raise RuntimeError(
            f"{longer.sum()} of {len(paper)} images are longer than the paper's "
            f"method's, the worst, number {worst}: {shortest[worst]:.6g} for "
            f"{paper[worst]:.6g}; this must not be, as those are among the starts"
        )


def length_cells(
    model: str, shortest: Sequence[pd.DataFrame], paper: Sequence[pd.DataFrame]
) -> tuple[Cells, Spreads]:
    """Return a network's row of the table ``minimal``, but for transfer.

    Args:
        model: Name of the network.
        shortest: Records of each seed, with ``tied``, ``converged`` and ``start``.
        paper: Records of the paper's method on the same images.
    """
    old, old_spread = distortion_cell((model, "distortion-lbfgs"), distortions(paper))
    new, new_spread = distortion_cell(
        (model, "distortion-minimal"), distortions(shortest)
    )
    both = [a["reached"] & b["reached"] for a, b in zip(shortest, paper, strict=True)]
    lengths = [
        [own.loc[fooled, "distortion"].to_numpy(np.float64) for own in pair]
        for *pair, fooled in zip(shortest, paper, both, strict=True)
    ]
    ratio = [new_length / old_length for new_length, old_length in lengths]
    start = [own["start"].to_numpy() for own in shortest]
    tied = [own["tied"].to_numpy() for own in shortest]
    shares = {
        "shorter": [one < 1 - SHORTER for one in ratio],
        "corners": [one >= CORNER for one in tied],
        "won-by-walk": [(one == 0) | (one == UNLED) for one in start],
        "won-by-smoothed": [one == SMOOTHED for one in start],
        "won-by-start-image": [one > 0 for one in start],
        "won-by-paper": [one == KNOWN for one in start],
        "unconverged": [~own["converged"].to_numpy() for own in shortest],
    }
    cells = {**old, **new, (model, "ratio"): mean_interval(ratio)}
    cells |= {(model, column): share(hits) for column, hits in shares.items()}
    return cells, old_spread | new_spread


def share(hits: Sequence[Bool[np.ndarray, "..."]]) -> Interval:
    """Return the pooled share of hits of all seeds."""
    return rate_interval([int(one.sum()) for one in hits], [len(one) for one in hits])


def transfer_cells(
    changes: Mapping[Cell, pd.DataFrame], networks: Sequence[str]
) -> Cells:
    """Return how often each network's images fool the others, and how that changes."""
    cells: Cells = {}
    for row in networks:
        others = [changes[row, column] for column in networks if column != row]
        for column, hit in (("lbfgs", "paper"), ("minimal", "shortest")):
            rates = [share(per_seed(pair, hit)) for pair in others]
            cells[row, f"transfer-{column}"] = average(rates)
        cells[row, CHANGE] = average([change_of(pair) for pair in others])
    return cells


def paired_answers(
    shortest: pd.DataFrame, paper: pd.DataFrame
) -> dict[Cell, pd.DataFrame]:
    """Return whether each image fools a foreign network, made by either method.

    Only images that the network answers rightly when clean count, as for all claims on
    transfer; they are the same for both.

    Args:
        shortest: Every network's answers to the shortest adversarial images.
        paper: Their answers to the paper's, and to clean ones.

    Returns:
        For each pair of networks, made for and fed to: ``seed``, ``index``,
        ``shortest`` and ``paper``.
    """
    key = ["column", "seed", "index"]
    clean = paper[paper["row"] == CLEAN]
    right = clean.loc[clean["label"] == clean["prediction"], key]
    names = set(paper["column"])

    def fooled(answers: pd.DataFrame, name: str) -> pd.DataFrame:
        own = answers[
            answers["row"].isin(names) & (answers["row"] != answers["column"])
        ]
        wrong = (own["label"] != own["prediction"]).rename(name)
        return pd.concat([own[["row", *key]], wrong], axis=1).merge(right, on=key)

    both = fooled(shortest, "shortest").merge(fooled(paper, "paper"), on=["row", *key])
    return dict(iter(both.groupby(["row", "column"], sort=False)))


def per_seed(pair: pd.DataFrame, column: str) -> list[np.ndarray]:
    """Return a column of each seed."""
    return [own[column].to_numpy() for _, own in pair.groupby("seed")]


def change_of(pair: pd.DataFrame) -> Interval:
    """Return the share fooled by the shortest images less that by the paper's.

    The difference is taken image by image: the two methods' images are much alike, and
    what they share must not widen the interval.
    """
    change = pair["shortest"].astype(float) - pair["paper"].astype(float)
    return mean_interval(per_seed(pair.assign(change=change), "change"))


def transfer_less(changes: Mapping[Cell, pd.DataFrame]) -> Claim:
    """The shortest adversarial images fool other networks less often than the paper's.

    The paper says nothing on it. Judged: the change, its mean over all pairs of
    different networks, is below 0.
    """
    change = average([change_of(pair) for pair in changes.values()])
    return directed(
        "minimal-transfers-less",
        "Truly minimal adversarial images transfer to other networks less often than "
        "those of the paper's method (share of rightly answered images that are "
        "fooled, mean over all pairs, the two subtracted; the paper does not say).",
        change,
        judge_direction(change, 0.0, "below"),
        "tables/minimal: mean of the column transfer-change",
    )
