"""Bounds that our attacks are to meet, beside the measured values.

The bounds are the project's own, for networks of these shapes. They do not follow the
measurements; where one is missed the table shows it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from intriguing.baselines import MINIMAL, REFERENCE
from intriguing.baselines.summary import point
from intriguing.stats.intervals import Interval
from intriguing.tables.tidy import Cell, Kinds, own_table

FIVE = ("carlini-wagner", "pdgd-2000", "brendel-bethge-300", "ddn-1000", "lbfgs")
THREE = ("ddn-1000", "pdgd-2000", "lbfgs")
"""The attacks of "best of five" and of "best of three": the shortest of their images,
image by image. The other two take too long in convolutional networks."""
SINGLE = "minimal-1"
FROM_PAPER = f"{MINIMAL}-lbfgs"
ROUNDING = 1e-5
"""Relative difference in length that the order of summation may make."""
AT_LEAST, AT_MOST = "at-least", "at-most"
TARGETED = "targeted"

Measure = Callable[[pd.DataFrame], float]


class Requirement(NamedTuple):
    """A bound on a measured number.

    Attributes:
        name: What is measured.
        kind: ``at-least`` or ``at-most``.
        bound: The bound.
        measure: Computes the number from lengths and costs.
    """

    name: str
    kind: str
    bound: float
    measure: Measure


def requirements_table(
    dense: Mapping[str, pd.DataFrame],
    convolutional: Mapping[str, pd.DataFrame],
    exact: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Return the tidy table ``peers-requirements``, one row a requirement.

    Args:
        dense: Results of `comparison.compare` for fully connected networks, by
            ``network:targeted`` or ``network:untargeted``.
        convolutional: Results for convolutional networks, likewise.
        exact: Lengths of each ``image``, by the same names: ``found``, the ``exact``
            optimum, and a ``lower`` bound that is proven.
    """
    cells: dict[Cell, Interval | None] = {}
    groups = ((dense, of_dense), (convolutional, of_convolutional), (exact, of_optima))
    for frames, requirements_of in groups:
        for name, frame in frames.items():
            network, criterion = name.split(":")
            for one in requirements_of(criterion == TARGETED):
                row = f"{criterion}: {one.name}"
                for kind in (AT_LEAST, AT_MOST):
                    cells[row, kind] = point(one.bound) if kind == one.kind else None
                count = frame["image"].nunique()
                cells[row, network] = point(one.measure(frame), count)
    rows = list(dict.fromkeys(row for row, _ in cells))
    by_row = dict(sorted(cells.items(), key=lambda cell: rows.index(cell[0][0])))
    return own_table(by_row).assign(low=np.nan, high=np.nan)


def kinds_of(table: pd.DataFrame) -> Kinds:
    """Return that every column of the table holds plain numbers."""
    return dict.fromkeys(table["column"], "number")


def at_most(name: str, bound: float, measure: Measure) -> Requirement:
    """Return an upper bound."""
    return Requirement(name, AT_MOST, bound, measure)


def of_dense(targeted: bool) -> list[Requirement]:
    """Return the requirements on attacks of fully connected networks."""
    requirements = of_lengths("best of five", FIVE, 1.02 if targeted else 1.06)
    return [*requirements, *of_costs(), *of_paper()] if targeted else requirements


def of_convolutional(_targeted: bool) -> list[Requirement]:
    """Return the requirements on attacks of convolutional networks."""
    return of_lengths("best of three", THREE, 1.05)


def of_lengths(name: str, others: tuple[str, ...], worst: float) -> list[Requirement]:
    """Return the requirements on the lengths of `minimal`, beside other attacks'."""
    to_others = partial(ratios, MINIMAL, others)
    to_paper = partial(ratios, FROM_PAPER, ("lbfgs",))
    paper = f"{FROM_PAPER} / lbfgs - 1, worst"
    return [
        Requirement(f"{MINIMAL}: share reached", AT_LEAST, 1.0, share_reached),
        at_most(f"{MINIMAL} / {name}, mean", 1.0, lambda f: to_others(f).mean()),
        at_most(f"{MINIMAL} / {name}, worst", worst, lambda f: to_others(f).max()),
        at_most(paper, ROUNDING, lambda f: to_paper(f).max() - 1),
        cost(SINGLE, "share unconverged", 0.0, "unconverged"),
        cost(MINIMAL, "share unconverged", 0.0, "unconverged"),
    ]


def of_costs() -> list[Requirement]:
    """Return the requirements on the passes and speed of `minimal`."""
    return [
        cost(SINGLE, "forwards", 12, "forwards"),
        cost(SINGLE, "backwards", 20, "backwards"),
        speed(SINGLE, REFERENCE, 200),
        speed(SINGLE, "pdgd-2000", 60),
        speed(SINGLE, "ddn-100", 2.5),
        speed(MINIMAL, REFERENCE, 60),
        speed(MINIMAL, "pdgd-2000", 15),
        speed(MINIMAL, "ddn-1000", 5),
    ]


def of_paper() -> list[Requirement]:
    """Return the requirements on the paper's attack in batches, against SciPy's."""
    both, name = partial(ratios, "lbfgs", (REFERENCE,)), f"lbfgs / {REFERENCE}"
    quantile = f"{name}, 99 % of images at most"
    return [
        at_most(f"{name}, mean", 1.001, lambda f: both(f).mean()),
        at_most(quantile, 1.003, lambda f: float(np.quantile(both(f), 0.99))),
        speed("lbfgs", REFERENCE, 40),
    ]


def of_optima(_targeted: bool) -> list[Requirement]:
    """Return the requirements on linear networks, whose optimum is known."""
    name, gap = f"{SINGLE} / exact optimum - 1", "exact optimum: duality gap, worst"
    return [
        at_most(f"{name}, mean", 5e-5, lambda f: excess(f).mean()),
        at_most(f"{name}, worst", 2e-3, lambda f: excess(f).max()),
        at_most(gap, 1e-6, lambda f: (1 - f["lower"] / f["exact"]).max()),
    ]


def cost(attack: str, name: str, most: float, column: str) -> Requirement:
    """Return a bound on a column that is equal in all rows of an attack."""
    return at_most(f"{attack}: {name}", most, partial(constant, attack, column))


def speed(attack: str, other: str, least: float) -> Requirement:
    """Return a bound on the ratio of the speeds of two attacks."""

    def ratio(frame: pd.DataFrame) -> float:
        return constant(other, "seconds", frame) / constant(attack, "seconds", frame)

    return Requirement(f"{attack}: speed / {other}'s", AT_LEAST, least, ratio)


def ratios(
    attack: str, others: tuple[str, ...], frame: pd.DataFrame
) -> Float[np.ndarray, " n"]:
    """Return an attack's lengths over the shortest of others, infinite on failure."""
    lengths = frame.pivot(index="image", columns="attack", values="distortion")
    own = lengths[attack].to_numpy(np.float64)
    best = lengths[list(others)].min(axis=1).to_numpy(np.float64)
    return np.divide(own, best, out=np.full_like(own, np.inf), where=np.isfinite(own))


def excess(frame: pd.DataFrame) -> pd.Series:
    """Return the relative excess of each length over the optimum."""
    return frame["found"] / frame["exact"] - 1


def share_reached(frame: pd.DataFrame) -> float:
    """Return the share of images on which `MINIMAL` succeeds."""
    return frame.loc[frame["attack"] == MINIMAL, "reached"].mean()


def constant(attack: str, column: str, frame: pd.DataFrame) -> float:
    """Return the value of a column that is equal in all rows of an attack."""
    return frame.loc[frame["attack"] == attack, column].iloc[0]
