"""Numbers of two runs paired by table and cell, or by claim."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from intriguing.errors import InputError


class Number(NamedTuple):
    """One measured number, its 95 % interval and verdict; what is missing is None."""

    value: float | None
    low: float | None
    high: float | None
    verdict: str


class Pair(NamedTuple):
    """The same number in two runs; None where a run does not have it."""

    name: tuple[str, ...]
    base: Number | None
    now: Number | None

    @property
    def is_changed(self) -> bool:
        """Whether anything about the number is other: interval and verdict, too."""
        return self.base != self.now

    @property
    def change(self) -> float | None:
        """This run's value less the other's."""
        if not (self.base and self.now):
            return None
        if self.base.value is None or self.now.value is None:
            return None
        return self.now.value - self.base.value

    @property
    def overlap(self) -> bool | None:
        """Whether the two intervals have a number in common."""
        ends = [end for one in (self.base, self.now) if one for end in one[1:3]]
        if len(ends) < 4 or None in ends:
            return None
        return max(ends[0], ends[2]) <= min(ends[1], ends[3])


Pairs = list[Pair]


def read_table(path: Path) -> dict[tuple[str, ...], Number]:
    """Read a table's numbers by row and column; none where there is no file.

    Raises:
        InputError: the file is no table of ours.
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


def read_claims(path: Path) -> dict[tuple[str, ...], Number]:
    """Read the claims' numbers by the claims' names; none where there is no file.

    Raises:
        InputError: the file does not hold claims.
    """
    try:
        return {(one["id"],): _number(one, "measured") for one in _claims(path)}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a list of claims ({error!r})") from None


def read_statements(path: Path) -> dict[tuple[str, ...], str]:
    """Read what each claim says, by its name."""
    return {(one["id"],): one["statement"] for one in _claims(path)}


def _claims(path: Path) -> list[dict[str, str | float | None]]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def pair(
    base: Mapping[tuple[str, ...], Number], now: Mapping[tuple[str, ...], Number]
) -> Pairs:
    """Pair the numbers of two runs by name: this run's order, then what it lacks."""
    return [Pair(name, base.get(name), now.get(name)) for name in {**now, **base}]


def _number(line: Mapping[str, str | float | None], value: str) -> Number:
    texts = (line[name] for name in (value, "low", "high"))
    numbers = (None if text in ("", None) else float(text) for text in texts)
    return Number(*numbers, line["verdict"] or "")
