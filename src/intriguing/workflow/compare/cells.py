"""Numbers of two runs, paired by table and cell, or by claim."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from intriguing.errors import InputError

Name = tuple[str, ...]
"""Row and column of a cell, or the id of a claim."""


class Number(NamedTuple):
    """One measured number, its 95 % interval and verdict; None where missing."""

    value: float | None
    low: float | None
    high: float | None
    verdict: str


class Pair(NamedTuple):
    """The same number in two runs; None where a run does not have it."""

    name: Name
    base: Number | None
    now: Number | None

    @property
    def is_changed(self) -> bool:
        """Whether value, interval or verdict differ."""
        return self.base != self.now

    @property
    def change(self) -> float | None:
        """This run's value minus that of the base."""
        values = [one.value for one in (self.now, self.base) if one]
        if len(values) < 2 or values[0] is None or values[1] is None:
            return None
        return values[0] - values[1]

    @property
    def overlap(self) -> bool | None:
        """Whether the two intervals overlap; None where one is missing."""
        ends = [end for one in (self.base, self.now) if one for end in one[1:3]]
        known = [end for end in ends if end is not None]
        if len(known) < 4:
            return None
        return max(known[0], known[2]) <= min(known[1], known[3])


def read_table(path: Path) -> dict[Name, Number]:
    """Return a table's numbers by row and column; empty where there is no file.

    Raises:
        InputError: The file is not a table of results.
    """
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return {
                (line["row"], line["column"]): _number(line, "value")
                for line in csv.DictReader(lines)
            }
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f"{path}: not a table of results ({error!r})") from None


def read_claims(path: Path) -> dict[Name, Number]:
    """Return the claims' numbers by id; empty where there is no file.

    Raises:
        InputError: The file does not hold claims.
    """
    try:
        return {(one["id"],): _number(one, "measured") for one in _claims(path)}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a list of claims ({error!r})") from None


def read_statements(path: Path) -> dict[Name, Name]:
    """Return the statement of each claim by id."""
    return {(one["id"],): (one["statement"],) for one in _claims(path)}


def paired(base: Mapping[Name, Number], now: Mapping[Name, Number]) -> list[Pair]:
    """Pair the numbers of two runs by name, in this run's order."""
    return [Pair(name, base.get(name), now.get(name)) for name in {**now, **base}]


def _claims(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def _number(line: Mapping[str, Any], value: str) -> Number:
    numbers = [
        None if line[name] in ("", None) else float(line[name])
        for name in (value, "low", "high")
    ]
    return Number(numbers[0], numbers[1], numbers[2], line["verdict"] or "")
