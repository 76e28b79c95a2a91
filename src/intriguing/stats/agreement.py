"""The rule of agreement between the paper's numbers and ours, fixed before the run.

A printed number stands for a band: all true values that may lie behind it, given

- its rounding: half a unit of the last printed digit to both sides. Percentages reach a
  full unit upwards, because some cells of Table 2 are only explained by truncation
  (98 of 256 is printed as 38.2%). A digit that is not printed counts as not known:
  0.1 may be 0.05 to 0.15. A bound, <1.2%, is not rounded and reaches down to 0.
- the paper's sampling error at the 95 % level: Wilson's interval for a rate, 1.96
  standard errors for a mean distortion, both at the sample size of the paper. The
  paper prints no standard deviation over images; ours stands in.

Our measurement is a value with a 95 % interval. It

- ``differs`` if its interval and the band have no point in common;
- ``agrees`` if its value lies in the band and its interval is no wider than the band: a
  vaguer measurement could not have contradicted the paper and may not count for it;
- is ``undecided`` otherwise.

The paper trained one network of each kind. How far its numbers would move with another
initialisation is not known, so the band leaves it out: `differs` says that the paper's
network is not an average one of ours, not that either is wrong.

A claim of direction (A exceeds B) agrees if the whole interval of the difference lies
on the claimed side of the threshold, differs if it lies wholly on the other side.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import isfinite, isnan, sqrt
from typing import Literal, get_args

from intriguing.errors import InputError
from intriguing.stats.intervals import Interval, wilson

Verdict = Literal["agrees", "differs", "undecided"]
Band = tuple[float, float]

PRINTED = re.compile(
    r"(?:(\d+(?:\.\d+)?)·)?10\^(-?\d+)|(\d+(?:\.\d+)?)(%?)",
    re.ASCII,
)
BELOW = "<"
"""Printed before a number that is an upper bound."""
STANDARD_ERRORS = 1.96


@dataclass(frozen=True)
class Claim:
    """One statement of the paper and what we found.

    Attributes:
        id: Short unique name.
        statement: What the paper says, in our words.
        published: Its number, or ``None`` where it gives none.
        measured: Our number, or ``None`` where it is not available.
        low: Lower end of our 95 % interval.
        high: Upper end of it.
        verdict: ``agrees``, ``differs`` or ``undecided``.
        evidence: The file, or the row of a table, that holds the numbers.
    """

    id: str
    statement: str
    published: float | None
    measured: float | None
    low: float | None
    high: float | None
    verdict: str
    evidence: str

    def __post_init__(self) -> None:
        """Refuse a verdict that the rule does not know.

        Raises:
            InputError: The verdict is not one of the three.
        """
        if self.verdict not in get_args(Verdict):
            known = ", ".join(get_args(Verdict))
            raise InputError(f"claim {self.id}: verdict {self.verdict!r}; use {known}")


def read_printed(printed: str) -> tuple[float, float]:
    """Value of a printed number and the unit of its last digit.

    ``6.25%`` gives 0.0625 and 0.0001; ``5·10^-5`` gives 5e-5 and 1e-5; ``<1.2%`` gives
    what 1.2% does.

    Raises:
        InputError: It is not a number as the paper prints them.
    """
    match = PRINTED.fullmatch(printed.removeprefix(BELOW))
    if match is None:
        raise InputError(f"printed {printed!r}: write it as 6.7%, 0.062 or 5·10^-5")
    mantissa, exponent, plain, percent = match.groups()
    shift = int(exponent or 0) - (2 if percent else 0)
    number = Decimal(plain or mantissa or "1")
    unit = Decimal((0, (1,), number.as_tuple().exponent))
    return float(number.scaleb(shift)), float(unit.scaleb(shift))


def published_band(
    value: float,
    printed: str,
    sample: float | None,
    kind: Literal["rate", "mean"],
    spread: float | None = None,
) -> Band:
    """All true values that may stand behind a printed number.

    Args:
        value: The number, rates as fractions.
        printed: The same as the paper prints it.
        sample: Number of images behind it; ``None`` or NaN for a number that has no
            sampling error, such as a setting or the norm of a layer.
        kind: ``rate`` for a share of images, ``mean`` for anything else.
        spread: Standard deviation over images; a ``mean`` with a sample needs it.

    Returns:
        Lower and upper end; of a rate inside [0, 1].

    Raises:
        InputError: ``printed`` says something else than ``value``, it bounds a mean, or
            the spread of a sampled mean is missing.
    """
    said, unit = read_printed(printed)
    if abs(said - value) > unit / 1000:
        raise InputError(
            f"value {value} is printed as {printed!r}; correct one of them"
        )
    images = None if sample is None or isnan(sample) else sample
    if printed.startswith(BELOW):
        return 0.0, _upper_bound(value, images, kind)
    if kind == "rate":
        return _rate_band(value, unit, images)
    return _mean_band(value, unit, images, spread)


def _upper_bound(value: float, sample: float | None, kind: str) -> float:
    if kind != "rate":
        raise InputError(f"{BELOW}{value}: only a rate may be printed as a bound")
    return value if sample is None else wilson(value, sample)[1]


def _rate_band(value: float, unit: float, sample: float | None) -> Band:
    low, high = max(value - unit / 2, 0.0), min(value + unit, 1.0)
    if sample is None:
        return low, high
    return wilson(low, sample)[0], wilson(high, sample)[1]


def _mean_band(
    value: float, unit: float, sample: float | None, spread: float | None
) -> Band:
    if sample is None:
        return value - unit / 2, value + unit / 2
    if spread is None or not (isfinite(spread) and spread >= 0):
        raise InputError(
            f"mean {value} of {sample:g} images: spread is {spread}; give ours"
        )
    reach = unit / 2 + STANDARD_ERRORS * spread / sqrt(sample)
    return max(value - reach, 0.0), value + reach


def judge(measured: Interval, band: Band) -> Verdict:
    """Compare our interval with the paper's band, by the rule above.

    Raises:
        InputError: The band is reversed or holds NaN.
    """
    low, high = band
    if not low <= high:
        raise InputError(f"band {low} to {high}: give low <= high, without NaN")
    if measured.high < low or measured.low > high:
        return "differs"
    if low <= measured.value <= high and measured.high - measured.low <= high - low:
        return "agrees"
    return "undecided"


def judge_direction(measured: Interval, threshold: float, side: str) -> Verdict:
    """Say whether an interval lies on the claimed side of a threshold.

    Args:
        measured: A number, or a difference or ratio of two.
        threshold: Where the sides meet: 0 for a difference, 1 for a ratio. An interval
            that touches it decides nothing.
        side: Where the paper says that the number is.

    Raises:
        InputError: The threshold is NaN or the side unknown.
    """
    if side not in ("above", "below") or isnan(threshold):
        raise InputError(f"{side} {threshold}: give above or below, and a number")
    if measured.low > threshold:
        return "agrees" if side == "above" else "differs"
    if measured.high < threshold:
        return "agrees" if side == "below" else "differs"
    return "undecided"


def to_json(claims: Sequence[Claim]) -> str:
    """JSON list of the claims, in their order; what is not a number becomes null.

    Raises:
        InputError: Two claims share an id.
    """
    ids = [claim.id for claim in claims]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise InputError(f"claims share the id {', '.join(repeated)}; rename one")
    records = [
        {key: _plain(entry) for key, entry in asdict(claim).items()} for claim in claims
    ]
    return json.dumps(records, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(entry: object) -> object:
    """Six significant digits are more than any number here deserves."""
    if isinstance(entry, str) or entry is None:
        return entry
    number = float(entry)
    return float(f"{number:.6g}") if isfinite(number) else None
