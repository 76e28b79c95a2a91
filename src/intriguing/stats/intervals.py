"""Confidence intervals of rates and means over several seeds and many images.

The images of one seed share a network, so they are not independent. Each interval below
is therefore the wider of two: one from the variation between images, and one from the
variation between seeds with its few degrees of freedom. The seeds must sample their
images independently. What all seeds share, such as one fixed sample of images, does not
appear in the variation between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot, inf, isfinite, sqrt

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import binom, norm, t

from intriguing.errors import InputError

TAIL = (1 - 0.95) / 2
"""Probability on each side of a 95 % interval."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        value: The estimate, between ``low`` and ``high``.
        low: Lower end.
        high: Upper end.
        n: Number of images, ``None`` where it does not apply.
        seeds: Number of seeds, ``None`` where it does not apply.
        spread: Standard deviation over images within seeds, of a mean over images.
    """

    value: float
    low: float
    high: float
    n: int | None = None
    seeds: int | None = None
    spread: float | None = None

    def __post_init__(self) -> None:
        """Check the order of the three numbers.

        Raises:
            InputError: A number is NaN, or the order is not low, value, high.
        """
        if not self.low <= self.value <= self.high:
            raise InputError(
                f"not an interval around its value: low {self.low}, value {self.value},"
                f" high {self.high}; give low <= value <= high, without NaN"
            )

    def scaled(self, factor: float) -> "Interval":
        """Return the interval times a positive factor; the spread is dropped."""
        ends = (factor * end for end in (self.value, self.low, self.high))
        return Interval(*ends, n=self.n, seeds=self.seeds)

    def within(self, least: float, most: float) -> "Interval":
        """Return the interval cut at the ends of what the quantity can be."""
        return replace(self, low=max(self.low, least), high=min(self.high, most))


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share, inside [0, 1] and around the share.

    The number of trials may be an effective number.

    Raises:
        InputError: ``share`` is outside [0, 1] or ``n`` is not positive.
    """
    if not (0 <= share <= 1 and n > 0):
        raise InputError(f"share {share} of {n} trials: needs a share in [0, 1], n > 0")
    z2 = float(norm.isf(TAIL)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = sqrt(z2 * share * (1 - share) / n + (z2 / (2 * n)) ** 2) / (1 + z2 / n)
    # The exact ends are 0 and 1 there; rounding must not move an end past the share.
    low = 0.0 if share == 0 else min(max(centre - half, 0.0), share)
    high = 1.0 if share == 1 else max(min(centre + half, 1.0), share)
    return low, high


def rate_interval(hits: Sequence[int], totals: Sequence[int]) -> Interval:
    """Return the pooled share of hits, with a Wilson interval corrected for seeds.

    The number of images is divided by the design effect times ``(t / z)^2``, as in Korn
    and Graubard (1998) with S - 1 degrees of freedom. The divisor is at least 1, so the
    interval is never narrower than that of the images alone. Seeds may have different
    numbers of images.

    Raises:
        InputError: A seed has no images, or more hits than images.
    """
    hit, total = np.asarray(hits), np.asarray(totals)
    if hit.shape != total.shape or hit.ndim != 1 or hit.size == 0:
        raise InputError("hits and totals: give one number of each for every seed")
    if not (np.all(hit >= 0) and np.all(hit <= total) and np.all(total > 0)):
        raise InputError(f"hits {hits} of {totals}: give 0 <= hits <= totals, totals>0")
    n, seeds = int(total.sum()), len(hit)
    share = float(hit.sum() / n)
    few_seeds = (t.isf(TAIL, seeds - 1) / norm.isf(TAIL)) ** 2 if seeds > 1 else 1.0
    shrink = max(1.0, design_effect(hits, totals) * float(few_seeds))
    return Interval(share, *wilson(share, n / shrink), n=n, seeds=seeds)


def share_interval(hits: Sequence[Bool[np.ndarray, "..."]]) -> Interval:
    """Return the pooled share of true entries, given one array for each seed."""
    return rate_interval([int(one.sum()) for one in hits], [len(one) for one in hits])


def design_effect(hits: Sequence[int], totals: Sequence[int]) -> float:
    """Return the variance of the pooled share between seeds over the binomial variance.

    With equal totals this is the variance of the seeds' rates over the binomial
    variance of one seed. With unequal totals the residuals of the seeds replace their
    rates. It is 1 where it cannot be estimated: for one seed, or a share of 0 or 1.
    """
    hit, total = np.asarray(hits, float), np.asarray(totals, float)
    seeds, n = len(hit), total.sum()
    share = hit.sum() / n
    if seeds == 1 or share in (0.0, 1.0):
        return 1.0
    residuals = hit - share * total
    between = seeds / (seeds - 1) * float(residuals @ residuals) / n**2
    return float(between / (share * (1 - share) / n))


def mean_interval(values_per_seed: Sequence[Float[np.ndarray, "..."]]) -> Interval:
    """Return the mean of the seeds' means, with Student's interval.

    Half of its width is the larger of two: the standard error between seeds times the t
    quantile with S - 1 degrees of freedom, and the standard error within seeds times
    the t quantile with the degrees of freedom of the images. With one seed it is the
    second.

    Each seed has an array of values, such as the distortions of its images. One value
    for each of several seeds is enough.

    Raises:
        InputError: There are fewer than two values, or one is not finite.
    """
    values = [np.asarray(seed, float) for seed in values_per_seed]
    _check_values(values)
    means = np.array([seed.mean() for seed in values])
    sizes = np.array([seed.size for seed in values])
    count, n, half, spread = len(values), int(sizes.sum()), 0.0, None
    if count > 1:
        half = float(t.isf(TAIL, count - 1)) * means.std(ddof=1) / sqrt(count)
    if n > count:
        squares = sum(float(((seed - seed.mean()) ** 2).sum()) for seed in values)
        spread = sqrt(squares / (n - count))
        error = spread * sqrt((1 / sizes).sum()) / count
        half = max(half, float(t.isf(TAIL, n - count)) * error)
    mean = float(means.mean())
    return Interval(mean, float(mean - half), float(mean + half), n, count, spread)


def median_interval(values: Float[np.ndarray, " n"]) -> Interval:
    """Return the median, between the order statistics that contain it with 95 %.

    Fewer than six values do not contain it with 95 %: the ends are then infinite.
    """
    ordered, count = np.sort(values), len(values)
    rank = int(binom.ppf(TAIL, count, 0.5))
    ends = (-inf, inf)
    if rank > 0:
        ends = float(ordered[rank - 1]), float(ordered[count - rank])
    return Interval(float(np.median(ordered)), *ends, count)


def over_seeds(values: Sequence[float]) -> Interval | None:
    """Return the mean of one value a seed, with Student's interval.

    Args:
        values: Of each seed; those that are NaN do not count.

    Returns:
        The interval, or None for fewer than two values.
    """
    known = [np.array([value]) for value in values if isfinite(value)]
    return mean_interval(known) if len(known) > 1 else None


def _check_values(values: Sequence[Float[np.ndarray, "..."]]) -> None:
    if any(seed.ndim != 1 or seed.size == 0 for seed in values):
        raise InputError("give a flat array with at least one value for every seed")
    if sum(seed.size for seed in values) < 2:
        raise InputError("an interval needs at least two values: add images or seeds")
    if not all(np.isfinite(seed).all() for seed in values):
        raise InputError("values are NaN or infinite: leave out images without result")


def average(intervals: Sequence[Interval]) -> Interval:
    """Return the mean of independent measurements.

    The distances of the ends from the values are combined by the root sum of squares.

    Raises:
        InputError: There are no measurements.
    """
    if not intervals:
        raise InputError("there are no intervals to average")
    count = len(intervals)
    value = sum(one.value for one in intervals) / count
    below = hypot(*(one.value - one.low for one in intervals)) / count
    above = hypot(*(one.high - one.value for one in intervals)) / count
    return Interval(value, value - below, value + above)


def difference_interval(first: Interval, second: Interval) -> Interval:
    """Return ``first - second`` for independent measurements, by Newcombe's method 10.

    Asymmetric intervals such as Wilson's keep their shape. For measurements that share
    images or networks, give the differences of the seeds to `mean_interval` instead.
    """
    value = first.value - second.value
    below = hypot(first.value - first.low, second.high - second.value)
    above = hypot(first.high - first.value, second.value - second.low)
    return Interval(value, value - below, value + above)


def ratio_interval(first: Interval, second: Interval) -> Interval:
    """Return ``first / second`` for independent measurements of positive quantities.

    The method is that of Donner and Zou (2012), which recovers variances from the two
    intervals as `difference_interval` does. An end below zero counts as zero. The upper
    end is infinite where the second interval reaches zero.

    Raises:
        InputError: The first value is negative, or the second is not positive.
    """
    a, b = first.value, second.value
    if not (a >= 0 and b > 0):
        raise InputError(f"ratio {a} / {b}: needs a value >= 0 over one > 0")
    lower, below = _mirrored(first, first.low), _mirrored(second, second.low)
    upper, above = _mirrored(first, first.high), _mirrored(second, second.high)
    # As a quotient, the lower end stays finite where the usual form is 0 / 0.
    root = sqrt(max((a * b) ** 2 - lower * above, 0.0))
    low = lower / (a * b + root) if lower > 0 else 0.0
    root = sqrt(max((a * b) ** 2 - upper * below, 0.0))
    high = (a * b + root) / below if below > 0 else inf
    return Interval(a / b, min(low, a / b), max(high, a / b), first.n, first.seeds)


def _mirrored(one: Interval, end: float) -> float:
    """Return an end times its mirror image in the value."""
    return max(end, 0.0) * (2 * one.value - max(end, 0.0))
