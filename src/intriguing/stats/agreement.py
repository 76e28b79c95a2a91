"""Verdicts on the paper's claims.

A directional claim (A exceeds B) agrees if the whole interval lies on the claimed side
of the threshold, and differs if the whole interval lies on the other side. A printed
bound such as <1.2% is such a claim. Only statements of the paper get a verdict; a
finding of ours is a number with its interval. `intriguing.stats.equivalence` has the
rule for the paper's numbers.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Literal

from intriguing.errors import InputError
from intriguing.stats.intervals import Interval

Verdict = Literal["agrees", "differs", "undecided", ""]
"""Empty for what the paper does not say."""
Side = Literal["above", "below"]


@dataclass(frozen=True)
class Claim:
    """A statement of the paper with our verdict, or a finding of ours without one.

    ``published`` is the paper's number, and ``measured`` ours with its 95 % interval;
    each is ``None`` where there is none. ``evidence`` names the file, or the row of a
    table, that holds the numbers.
    """

    id: str
    statement: str
    published: float | None
    measured: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    evidence: str


def directional_verdict(measured: Interval, threshold: float, side: Side) -> Verdict:
    """Return the verdict on the claim that a number lies on one side of a threshold.

    An interval that touches the threshold decides nothing.
    """
    if measured.low > threshold:
        return "agrees" if side == "above" else "differs"
    if measured.high < threshold:
        return "agrees" if side == "below" else "differs"
    return "undecided"


def finding(
    name: str, statement: str, measured: Interval | None, evidence: str
) -> Claim:
    """Return a result of ours: what was measured, its interval, and no verdict."""
    numbers = _numbers(measured)
    return Claim(name, statement, None, *numbers, "", evidence)


def directional_claim(
    name: str,
    statement: str,
    measured: Interval | None,
    evidence: str,
    *,
    side: Side = "above",
    threshold: float = 0.0,
    tested: Interval | None = None,
    published: float | None = None,
) -> Claim:
    """Return a claim with the verdict of `directional_verdict`.

    Args:
        name: The claim's id.
        statement: What is claimed.
        measured: The number to report; without one the claim is undecided.
        evidence: The file, or the row of a table, that holds the numbers.
        side: Where the number lies according to the claim.
        threshold: What separates the two sides.
        tested: The interval to test, where it is not ``measured``.
        published: The paper's number, if it gives one.
    """
    verdict: Verdict = "undecided"
    if measured is not None:
        verdict = directional_verdict(tested or measured, threshold, side)
    numbers = _numbers(measured)
    return Claim(name, statement, published, *numbers, verdict, evidence)


def _numbers(
    measured: Interval | None,
) -> tuple[float | None, float | None, float | None]:
    if measured is None:
        return None, None, None
    return measured.value, measured.low, measured.high


def to_json(claims: Sequence[Claim]) -> str:
    """Return the claims as a JSON list, in their order; NaN and infinity become null.

    Raises:
        InputError: Two claims have the same id.
    """
    ids = [claim.id for claim in claims]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise InputError(f"claims share the id {', '.join(repeated)}; rename one")
    records = [
        {key: _json_value(entry) for key, entry in asdict(claim).items()}
        for claim in claims
    ]
    return json.dumps(records, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _json_value(entry: str | float | None) -> str | float | None:
    """Return an entry; numbers with six significant digits, None if not finite."""
    if isinstance(entry, str) or entry is None:
        return entry
    return float(f"{entry:.6g}") if isfinite(entry) else None
