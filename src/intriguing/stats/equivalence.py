"""Whether our number equals one that the paper prints, within a margin.

A printed number is an interval of its own: every true value that the paper may have
printed in this way. It allows for two errors:

- Rounding: half a unit of the last printed digit on both sides. A percentage reaches a
  full unit upwards, because only truncation explains some cells of Table 2 (98 of 256
  is printed as 38.2%). Distortions have two digits at least, as the others in their
  column do: 0.1 stands for 0.10.
- Sampling at the 95 % level: Wilson's interval of a rate, or 1.96 standard errors of a
  mean, both at the paper's sample size. The paper prints no standard deviation over
  images; ours takes its place.

The ratio of our number to the printed one has an interval that combines both numbers'
intervals. With a margin of `MARGIN`, the paper's number

- is reproduced within the margin (``agrees``) if the whole interval of the ratio lies
  between 1 / `MARGIN` and `MARGIN`;
- ``differs`` if the whole interval lies outside;
- is ``undecided`` otherwise, because one of the two samples is too small.

A printed zero has no ratio. It is reproduced if our whole interval rounds to it, and
our number differs if the two intervals have no point in common.

Numbers that could not come out otherwise have no verdict (`can_fail`).

The paper trained one network of each kind. The variation between its initialisations is
unknown, and the interval of a printed number leaves it out. ``differs`` therefore says
that the paper's network is not an average one of ours. It does not say that either of
them is wrong.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from math import floor, inf, isfinite, isnan, log10, sqrt
from typing import Literal, NamedTuple

from intriguing.errors import InputError
from intriguing.stats.agreement import Verdict
from intriguing.stats.intervals import (
    Interval,
    difference_interval,
    ratio_interval,
    wilson,
)

MARGIN = 1.1
"""Two numbers are equal if their ratio lies between the reciprocal of this and this."""
DISTORTION_DIGITS = 2
"""Significant digits that a printed distortion has at least."""
PRINTED = re.compile(r"(?:(\d+(?:\.\d+)?)·)?10\^(-?\d+)|(\d+(?:\.\d+)?)(%?)", re.ASCII)
BELOW = "<"
"""Prefix of a printed number that is an upper bound."""
STANDARD_ERRORS = 1.96
SETTINGS = ("distortion", "in-channels", "kernel", "out-channels", "stride")
"""Columns whose numbers are settings where they have no sample."""


class Printed(NamedTuple):
    """The interval that a printed number stands for, and the unit of its last digit."""

    interval: Interval
    unit: float


@dataclass(frozen=True)
class Comparison:
    """Our number beside a printed one.

    Attributes:
        difference: Ours less the paper's.
        ratio: Ours over the paper's; ``None`` for a printed zero.
        verdict: By the rule of this module.
        detectable: The smallest ratio above the margin that would have been seen to
            differ; ``None`` for a printed zero.
    """

    difference: Interval
    ratio: Interval | None
    verdict: Verdict
    detectable: float | None


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


def is_bound(printed: str) -> bool:
    """Return whether the paper prints an upper bound, such as <1.2%."""
    return printed.startswith(BELOW)


def printed_number(
    value: float,
    printed: str,
    sample: float | None,
    kind: Literal["rate", "distortion", "number"],
    spread: float | None = None,
) -> Printed:
    """Return the true values that a printed number stands for.

    Args:
        value: The number, rates as fractions.
        printed: The number as the paper prints it.
        sample: Number of images behind it; ``None`` or NaN for a number without
            sampling error, such as the norm of a layer.
        kind: ``rate`` for a share of images, ``distortion`` for a mean length,
            ``number`` for anything else.
        spread: Standard deviation over images; a mean with a sample needs it.

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
        if images:
            low, high = wilson(low, images)[0], wilson(high, images)[1]
        return Printed(Interval(value, low, high), unit)
    if kind == "distortion" and value > 0:
        unit = min(unit, 10.0 ** (floor(log10(value)) + 1 - DISTORTION_DIGITS))
    reach = unit / 2
    if images:
        if spread is None or not (isfinite(spread) and spread >= 0):
            told = f"mean {value} of {images:g} images: spread is {spread}; give ours"
            raise InputError(told)
        reach += STANDARD_ERRORS * spread / sqrt(images)
    return Printed(Interval(value, max(value - reach, 0.0), value + reach), unit)


def compare(measured: Interval, printed: Printed) -> Comparison:
    """Return our number beside a printed one."""
    difference = difference_interval(measured, printed.interval)
    if printed.interval.value == 0:
        return Comparison(difference, None, _verdict_on_zero(measured, printed), None)
    ratio = ratio_interval(measured, printed.interval)
    seen = MARGIN * ratio.value / ratio.low if ratio.low > 0 else inf
    return Comparison(difference, ratio, ratio_verdict(ratio), seen)


def ratio_verdict(ratio: Interval) -> Verdict:
    """Return the verdict on a ratio: its interval against the margin."""
    if ratio.low > MARGIN or ratio.high < 1 / MARGIN:
        return "differs"
    return "agrees" if ratio.low >= 1 / MARGIN and ratio.high <= MARGIN else "undecided"


def can_fail(row: str, column: str, sample: float | None) -> bool:
    """Return whether a number of the paper could come out otherwise.

    Without a sample, a distortion or a size of a layer is a setting. A network's own
    adversarial images have been selected because they fool it.
    """
    setting = column in SETTINGS and (sample is None or isnan(sample))
    return row != column and not setting


def _verdict_on_zero(measured: Interval, printed: Printed) -> Verdict:
    if measured.low > printed.interval.high:
        return "differs"
    return "agrees" if measured.high < printed.unit / 2 else "undecided"
