"""Whether two results support the same conclusions.

A rerun on another kind of processor changes the last digits of most numbers. The two
results support the same conclusions if

- no claim has another verdict,
- no number of the paper changes between ``agrees`` and ``differs``, and
- no number lies outside the other result's interval on both sides: ours outside theirs
  and theirs outside ours.

``python -m intriguing.workflow.compare.conclusions`` prints the answer. Its exit status
is 0 for the same conclusions, else 1.

A verdict that becomes or ceases to be ``undecided`` contradicts nothing. It is told
without being counted.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from intriguing.errors import InputError
from intriguing.workflow.compare.cells import NUMBERS, read_claims, read_table
from intriguing.workflow.compare.sides import two_sides

NEGLIGIBLE = 1e-3
"""Relative change that contradicts no interval, however narrow."""
CONTRARY = {"agrees", "differs"}
CLAIMS = "claims.json"


class Conclusions(NamedTuple):
    """What two results say differently.

    Attributes:
        claims: Claims with another verdict.
        flips: Numbers of the paper that agree in one result and differ in the other.
        outside: Numbers that lie outside each other's intervals.
        softened: Numbers whose verdict is undecided in one result only.
        missing: Claims and tables that only one of the results has.
        compared: How many numbers and claims both have.
    """

    claims: list[str]
    flips: list[str]
    outside: list[str]
    softened: list[str]
    missing: list[str]
    compared: int

    @property
    def are_the_same(self) -> bool:
        """Whether nothing is contradicted and nothing is missing."""
        return not (self.claims or self.flips or self.outside or self.missing)

    def text(self) -> str:
        """Return the answer, and what supports it in a line each."""
        kinds = {
            "claim with another verdict": self.claims,
            "agrees in one result, differs in the other": self.flips,
            "outside each other's intervals": self.outside,
            "in one result only": self.missing,
            "undecided in one result only": self.softened,
        }
        answer = "Same conclusions" if self.are_the_same else "Other conclusions"
        lines = [f"{answer}: {self.compared} numbers and claims compared"]
        lines += [f"  {kind}: {one}" for kind, found in kinds.items() for one in found]
        return "\n".join(lines)


def conclusions(base: Path, now: Path) -> Conclusions:
    """Compare the conclusions of two folders of results.

    Raises:
        InputError: A file is not a table of results, or does not hold claims.
    """
    found = Conclusions([], [], [], [], [], 0)
    for path in _files(base, now):
        if not (base / path).is_file() or not (now / path).is_file():
            found.missing.append(path)
            continue
        read = read_claims if path == CLAIMS else read_table
        both = _both(read(base / path), read(now / path), found.missing, path)
        found = found._replace(compared=found.compared + len(both))
        if path == CLAIMS:
            found.claims.extend(_changed_claims(both))
            continue
        _sort_verdicts(both, path, found)
        found.outside.extend(
            f"{path}: {_name(pair)}" for pair in both[_outside(both)].index
        )
    return found


def _files(base: Path, now: Path) -> list[str]:
    """Return the claims and the tables that either result has."""
    tables = {p.name for side in (base, now) for p in side.glob("tables/*.csv")}
    claims = [CLAIMS] if any((side / CLAIMS).is_file() for side in (base, now)) else []
    return [*claims, *(f"tables/{name}" for name in sorted(tables))]


def _both(
    base: pd.DataFrame, now: pd.DataFrame, missing: list[str], path: str
) -> pd.DataFrame:
    """Return the numbers that both results have; name the others as missing."""
    shared = base.index.intersection(now.index, sort=False)
    for alone in base.index.symmetric_difference(now.index, sort=False):
        missing.append(f"{path}: {_name(alone)}")
    columns = [*NUMBERS, "verdict"]
    before, after = base.loc[shared, columns], now.loc[shared, columns]
    return pd.concat({"base": before, "now": after}, axis=1)


def _changed_claims(both: pd.DataFrame) -> Iterator[str]:
    for name, one in both.iterrows():
        before, after = one["base", "verdict"], one["now", "verdict"]
        if before != after:
            yield f"{name}: {before or 'none'} → {after or 'none'}"


def _sort_verdicts(both: pd.DataFrame, path: str, found: Conclusions) -> None:
    for name, one in both.iterrows():
        before, after = one["base", "verdict"], one["now", "verdict"]
        if before != after:
            told = f"{path}: {_name(name)}: {before or 'none'} → {after or 'none'}"
            kind = found.flips if {before, after} == CONTRARY else found.softened
            kind.append(told)


def _outside(both: pd.DataFrame) -> pd.Series:
    """Return which numbers lie outside each other's intervals."""
    base, now = both["base"], both["now"]
    out = pd.Series(True, index=both.index)
    for one, other in ((base, now), (now, base)):
        out &= (one["value"] < other["low"]) | (one["value"] > other["high"])
    return out & ~np.isclose(base["value"], now["value"], rtol=NEGLIGIBLE, atol=0)


def _name(name: object) -> str:
    return " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="intriguing.workflow.compare.conclusions")
    parser.add_argument("--base", default="HEAD", help="commit, or a folder of results")
    parser.add_argument("--run", default="paper", help="results/RUN, or its folder")
    arguments = parser.parse_args()
    try:
        with two_sides(Path.cwd(), arguments.base, arguments.run) as (before, after):
            answer = conclusions(before.results, after.results)
    except InputError as error:
        sys.exit(str(error))
    print(answer.text())
    sys.exit(0 if answer.are_the_same else 1)
