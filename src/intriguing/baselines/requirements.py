"""What is asked of the attacks, beside what the comparison has measured.

The numbers are aims that the project sets itself, for networks of these shapes; they do
not follow what is measured, and where one is missed the table shows it.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from intriguing.baselines.names import MINIMAL, REFERENCE
from intriguing.tables.tidy import COLUMNS, Cell, Entry, Kinds

FIVE = ("carlini-wagner", "pdgd-2000", "brendel-bethge-300", "ddn-1000", "lbfgs")
"""The attacks whose shortest image is to be undercut, image by image."""
SINGLE = "minimal-1"
FROM_PAPER = f"{MINIMAL}-lbfgs"
ROUNDING = 1e-5
"""Relative difference in length that the order of summation may make."""
AT_LEAST, AT_MOST = "at-least", "at-most"
TARGETED = "targeted"

Measure = Callable[[pd.DataFrame], float]


class Requirement(NamedTuple):
    """A number that is asked for.

    Attributes:
        name: What is measured.
        bound: Whether the number is to be reached, or not to be exceeded.
        number: The number.
        measure: Takes it from the images' lengths and costs.
    """

    name: str
    bound: str
    number: float
    measure: Measure


def requirements_table(
    compared: Mapping[str, pd.DataFrame], exact: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return the tidy table ``peers-requirements``: a row a requirement.

    Args:
        compared: Results of `comparison.compare`, by ``network:goal``.
        exact: Lengths of each ``image``, likewise: ``found``, the ``exact`` optimum and
            a ``lower`` bound that is proven.
    """
    asked: dict[str, Requirement] = {}
    measured: dict[Cell, tuple[float, int]] = {}
    for frames, wanted in ((compared, of_attacks), (exact, of_optima)):
        for name, frame in frames.items():
            network, goal = name.split(":")
            for one in wanted(goal == TARGETED):
                row, count = f"{goal}: {one.name}", frame["image"].nunique()
                asked[row] = one
                measured[row, network] = float(one.measure(frame)), count
    return tabled(asked, measured)


def kinds_of(table: pd.DataFrame) -> Kinds:
    """Return that every column of the table holds plain numbers."""
    return dict.fromkeys(table["column"], "number")


def of_attacks(targeted: bool) -> Iterator[Requirement]:
    """Yield what is asked of the attacks that were compared."""
    yield Requirement(f"{MINIMAL}: share reached", AT_LEAST, 1.0, reached)
    yield from of_lengths(1.02 if targeted else 1.06)
    for attack in (SINGLE, MINIMAL):
        share = partial(fact, attack, "unconverged")
        yield Requirement(f"{attack}: share unconverged", AT_MOST, 0.0, share)
    if targeted:
        yield from of_costs()
        yield from of_paper()


def of_lengths(worst: float) -> Iterator[Requirement]:
    """Yield what is asked of the lengths that `minimal` finds."""
    best = partial(ratios, MINIMAL, FIVE)
    paper = partial(ratios, FROM_PAPER, ("lbfgs",))
    name = f"{MINIMAL} / best of five"
    yield Requirement(f"{name}, mean", AT_MOST, 1.0, lambda f: best(f).mean())
    yield Requirement(f"{name}, worst", AT_MOST, worst, lambda f: best(f).max())
    name = f"{FROM_PAPER} / lbfgs - 1, worst"
    yield Requirement(name, AT_MOST, ROUNDING, lambda f: paper(f).max() - 1)


def of_costs() -> Iterator[Requirement]:
    """Yield what is asked of the cost of `minimal`."""
    for name, most in (("forwards", 12), ("backwards", 20)):
        passes = partial(fact, SINGLE, name)
        yield Requirement(f"{SINGLE}: {name}", AT_MOST, most, passes)
    others = ((REFERENCE, 200), ("pdgd-2000", 60), ("ddn-100", 2.5))
    yield from (faster(SINGLE, *other) for other in others)
    others = ((REFERENCE, 60), ("pdgd-2000", 15), ("ddn-1000", 5))
    yield from (faster(MINIMAL, *other) for other in others)


def of_paper() -> Iterator[Requirement]:
    """Yield what is asked of the paper's method in batches, beside SciPy's."""
    both = partial(ratios, "lbfgs", (REFERENCE,))
    name = f"lbfgs / {REFERENCE}"
    yield Requirement(f"{name}, mean", AT_MOST, 1.001, lambda f: both(f).mean())
    most = "99 % of images at most"
    yield Requirement(
        f"{name}, {most}", AT_MOST, 1.003, lambda f: np.quantile(both(f), 0.99)
    )
    yield faster("lbfgs", REFERENCE, 40)


def of_optima(_targeted: bool) -> Iterator[Requirement]:
    """Yield what is asked where the optimum is known, whatever the goal."""
    name = f"{SINGLE} / exact optimum - 1"
    yield Requirement(f"{name}, mean", AT_MOST, 5e-5, lambda f: above_optimum(f).mean())
    yield Requirement(f"{name}, worst", AT_MOST, 2e-3, lambda f: above_optimum(f).max())
    name = "exact optimum: duality gap, worst"
    yield Requirement(
        name, AT_MOST, 1e-6, lambda f: (1 - f["lower"] / f["exact"]).max()
    )


def faster(attack: str, other: str, least: float) -> Requirement:
    """Return that an attack is to be so many times as fast as another."""
    name = f"{attack}: speed / {other}'s"

    def times(frame: pd.DataFrame) -> float:
        return fact(other, "seconds", frame) / fact(attack, "seconds", frame)

    return Requirement(name, AT_LEAST, least, times)


def ratios(
    attack: str, others: tuple[str, ...], frame: pd.DataFrame
) -> Float[np.ndarray, " n"]:
    """Return an attack's lengths over the shortest of others; a failure is infinite."""
    lengths = frame.pivot(index="image", columns="attack", values="distortion")
    own = lengths[attack].to_numpy(np.float64)
    best = lengths[list(others)].min(axis=1).to_numpy(np.float64)
    return np.divide(own, best, out=np.full_like(own, np.inf), where=np.isfinite(own))


def above_optimum(frame: pd.DataFrame) -> pd.Series:
    """Return by which share of it each length found exceeds the optimum."""
    return frame["found"] / frame["exact"] - 1


def reached(frame: pd.DataFrame) -> float:
    """Return the share of images that the published attack reached."""
    return frame.loc[frame["attack"] == MINIMAL, "reached"].mean()


def fact(attack: str, column: str, frame: pd.DataFrame) -> float:
    """Return what is the same in all rows of an attack."""
    return frame.loc[frame["attack"] == attack, column].iloc[0]


def tabled(
    asked: Mapping[str, Requirement], measured: Mapping[Cell, tuple[float, int]]
) -> pd.DataFrame:
    """Return the tidy table of what is asked and measured.

    Args:
        asked: Requirements by row.
        measured: Number, and images behind it, by row and network.
    """
    networks = dict.fromkeys(network for _, network in measured)
    entries = []
    for row, one in asked.items():
        for column in (AT_LEAST, AT_MOST):
            number = one.number if column == one.bound else None
            entries.append(without_interval(row, column, number, None))
        entries += [
            without_interval(row, network, *measured[row, network])
            for network in networks
            if (row, network) in measured
        ]
    frame = pd.DataFrame(entries, columns=COLUMNS)
    counts = {"n": "Int64", "seeds": "Int64"}
    floats = dict.fromkeys(["value", "low", "high", "published"], "float64")
    return frame.astype(counts | floats)


def without_interval(
    row: str, column: str, number: float | None, count: int | None
) -> Entry:
    """Return a cell of the tidy table that has no interval."""
    return Entry(row, column, number, None, None, count, None, None, "")
