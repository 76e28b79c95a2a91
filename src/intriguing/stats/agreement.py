"""Verdicts on the paper's numbers and claims, by rules fixed before the run.

A printed number stands for a band: every true value that the paper may have printed in
this way. The band allows for two errors:

- Rounding: half a unit of the last printed digit on both sides. A percentage reaches a
  full unit upwards, because only truncation explains some cells of Table 2 (98 of 256
  is printed as 38.2%). A digit that is not printed is unknown: 0.1 may be 0.05 to 0.15.
- Sampling at the 95 % level: Wilson's interval of a rate, or 1.96 standard errors of a
  mean distortion, both at the paper's sample size. The paper prints no standard
  deviation over images; ours takes its place.

A measured value with its 95 % interval

- ``differs`` if the interval and the band have no point in common;
- ``agrees`` if the value lies in the band and the interval is no wider than the band,
  because a wider interval could not contradict the paper;
- is ``undecided`` otherwise.

The paper trained one network of each kind. The variation between its initialisations is
unknown, and the band leaves it out. ``differs`` therefore says that the paper's network
is not an average one of ours. It does not say that either of them is wrong.

A directional claim (A exceeds B) agrees if the whole interval lies on the claimed side
of the threshold, and differs if the whole interval lies on the other side. A printed
bound such as <1.2% is such a claim. Only statements of the paper get a verdict; a
finding of ours is a number with its interval.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import isfinite, isnan, sqrt
from typing import Literal

from intriguing.errors import InputError
from intriguing.stats.intervals import Interval, wilson

Verdict = Literal["agrees", "differs", "undecided", ""]
"""Empty for what the paper does not say."""
Side = Literal["above", "below"]
Band = tuple[float, float]

PRINTED = re.compile(
    r"(?:(\d+(?:\.\d+)?)·)?10\^(-?\d+)|(\d+(?:\.\d+)?)(%?)",
    re.ASCII,
)
BELOW = "<"
"""Prefix of a printed number that is an upper bound."""
STANDARD_ERRORS = 1.96


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


def read_printed(printed: str) -> tuple[float, float]:
    """Return the value of a printed number and the unit of its last digit.

    ``6.25%`` gives 0.0625 and 0.0001; ``5·10^-5`` gives 5e-5 and 1e-5; ``<1.2%`` gives
    the same as ``1.2%``.

    Raises:
        InputError: The text is not a number in one of these forms.
    """
    match = PRINTED.fullmatch(printed.removeprefix(BELOW))
    if match is None:
        raise InputError(f"printed {printed!r}: write it as 6.7%, 0.062 or 5·10^-5")
    mantissa, exponent, plain, percent = match.groups()
    shift = int(exponent or 0) - (2 if percent else 0)
    number = Decimal(plain or mantissa or "1").scaleb(shift)
    return float(number), float(Decimal(1).scaleb(int(number.as_tuple().exponent)))


def published_band(
    value: float,
    printed: str,
    sample: float | None,
    kind: Literal["rate", "mean"],
    spread: float | None = None,
) -> Band:
    """Return the band of true values that a printed number stands for.

    Args:
        value: The number, rates as fractions.
        printed: The number as the paper prints it.
        sample: Number of images behind it; ``None`` or NaN for a number without
            sampling error, such as a setting or the norm of a layer.
        kind: ``rate`` for a share of images, ``mean`` for anything else.
        spread: Standard deviation over images; a ``mean`` with a sample needs it.

    Raises:
        InputError: ``printed`` and ``value`` are not the same number, or the spread of
            a sampled mean is missing.
    """
    read, unit = read_printed(printed)
    if abs(read - value) > unit / 1000:
        raise InputError(
            f"value {value} is printed as {printed!r}; correct one of them"
        )
    images = None if sample is None or isnan(sample) else sample
    if kind == "rate":
        low, high = max(value - unit / 2, 0.0), min(value + unit, 1.0)
        return (
            (wilson(low, images)[0], wilson(high, images)[1]) if images else (low, high)
        )
    if images is None:
        return value - unit / 2, value + unit / 2
    if spread is None or not (isfinite(spread) and spread >= 0):
        told = f"mean {value} of {images:g} images: spread is {spread}; give ours"
        raise InputError(told)
    reach = unit / 2 + STANDARD_ERRORS * spread / sqrt(images)
    return max(value - reach, 0.0), value + reach


def verdict_against_band(measured: Interval, band: Band) -> Verdict:
    """Return the verdict on a measured value, given the band of the paper's number.

    Raises:
        InputError: The band is reversed or contains NaN.
    """
    low, high = band
    if not low <= high:
        raise InputError(f"band {low} to {high}: give low <= high, without NaN")
    if measured.high < low or measured.low > high:
        return "differs"
    if low <= measured.value <= high and measured.high - measured.low <= high - low:
        return "agrees"
    return "undecided"


def is_bound(printed: str) -> bool:
    """Return whether the paper prints an upper bound, such as <1.2%."""
    return printed.startswith(BELOW)


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
