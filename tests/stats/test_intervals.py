"""Intervals of rates and means."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest, t

from intriguing.errors import InputError
from intriguing.stats.intervals import (
    Interval,
    average,
    design_effect,
    difference_interval,
    mean_interval,
    median_interval,
    rate_interval,
    ratio_interval,
    wilson,
)

seed_counts = st.lists(
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=6,
)
finite = st.floats(-100, 100, allow_subnormal=False)


@given(n=st.integers(1, 2000), part=st.floats(0, 1))
def test_wilson_equals_scipy_at_whole_numbers(n, part):
    hits = round(part * n)
    expected = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits / n, n) == pytest.approx(tuple(expected), abs=1e-12)


@given(share=st.floats(0, 1), n=st.floats(0.1, 1e6))
def test_wilson_lies_around_the_share_inside_zero_and_one(share, n):
    low, high = wilson(share, n)
    assert 0 <= low <= share <= high <= 1


@given(counts=seed_counts)
def test_rate_interval_is_pooled_and_never_narrower_than_the_images_give(counts):
    hits, totals = zip(*counts, strict=True)
    found = rate_interval(hits, totals)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.value == sum(hits) / sum(totals)
    assert (found.n, found.seeds) == (sum(totals), len(counts))
    low, high = wilson(found.value, found.n)
    assert found.low <= low + 1e-12
    assert found.high >= high - 1e-12


@pytest.mark.parametrize("hits", [[30], [30, 30, 30]])
def test_one_seed_or_seeds_that_agree_have_the_wilson_interval(hits):
    found = rate_interval(hits, [256] * len(hits))
    pooled = binomtest(sum(hits), 256 * len(hits))
    expected = pooled.proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-12)


@pytest.mark.parametrize("hits", [256, 0])
def test_all_or_none_ends_exactly_there(hits):
    found = rate_interval([hits] * 5, [256] * 5)
    assert found.value == hits / 256
    assert found.value in (found.low, found.high)
    assert found.low < found.high


def test_the_design_effect_is_the_ratio_of_variances_and_zero_at_one_rate():
    hits = np.array([20, 45, 31, 60])
    rates, share = hits / 256, hits.sum() / 1024
    expected = rates.var(ddof=1) / (share * (1 - share) / 256)
    assert design_effect(hits.tolist(), [256] * 4) == pytest.approx(expected)
    assert design_effect([10, 40, 25], [100, 400, 250]) == 0


def test_seeds_far_apart_give_students_interval_of_their_rates():
    """Wilson's interval of many images is symmetric: Student's over the seeds."""
    totals = [10**8] * 4
    rates = np.array([0.3, 0.3001, 0.2999, 0.30005])
    found = rate_interval(np.round(rates * 1e8).astype(int).tolist(), totals)
    half = t.isf(0.025, 3) * rates.std(ddof=1) / 2
    assert found.high - found.low == pytest.approx(2 * half, rel=0.05)


def test_intervals_cover_the_truth_of_seeds_that_differ():
    """Beta-binomial seeds: a rate of each seed around 0.3, then 256 images."""
    rng = np.random.default_rng(20131221)
    rates = rng.beta(0.3 * 60, 0.7 * 60, size=(2000, 5))
    hits = rng.binomial(256, rates)
    found = [rate_interval(row, [256] * 5) for row in hits.tolist()]
    covered = np.mean([one.low <= 0.3 <= one.high for one in found])
    assert 0.92 <= covered <= 0.99
    rng = np.random.default_rng(13126199)
    effects = rng.normal(0, 0.1, size=(2000, 5, 1))
    values = 1 + effects + rng.normal(0, 1, size=(2000, 5, 100))
    found = [mean_interval(list(one)) for one in values]
    covered = np.mean([one.low <= 1 <= one.high for one in found])
    assert 0.92 <= covered <= 0.99


def test_mean_of_one_seed_has_students_interval_of_its_images():
    values = np.array([0.05, 0.06, 0.08, 0.05])
    found = mean_interval([values])
    expected = t.interval(0.95, 3, values.mean(), values.std(ddof=1) / 2)
    assert (found.low, found.high) == pytest.approx(expected)
    assert (found.n, found.seeds) == (4, 1)


def test_single_values_of_seeds_have_students_interval_of_the_seeds():
    values = np.array([0.1, 0.3, 0.2])
    found = mean_interval(list(values[:, None]))
    expected = t.interval(0.95, 2, values.mean(), values.std(ddof=1) / np.sqrt(3))
    assert (found.low, found.high) == pytest.approx(expected)


def test_seeds_count_alike_and_images_widen_the_interval_where_they_agree():
    images = np.array([0.0, 1.0, 2.0, 3.0])
    found = mean_interval([images, images, images])
    half = t.isf(0.025, 9) * images.std(ddof=1) / np.sqrt(12)
    assert (found.low, found.high) == pytest.approx((1.5 - half, 1.5 + half))
    found = mean_interval([np.zeros(10), np.ones(30)])
    assert found.value == 0.5


@given(
    values=st.lists(arrays(float, st.integers(2, 20), elements=finite), min_size=1),
    scale=st.sampled_from([0.25, 2.0]),
)
def test_mean_interval_is_ordered_and_scales_with_the_unit(values, scale):
    found = mean_interval(values)
    assert found.low <= found.value <= found.high
    scaled = mean_interval([scale * seed for seed in values])
    expected = [scale * found.low, scale * found.value, scale * found.high]
    assert [scaled.low, scaled.value, scaled.high] == pytest.approx(expected, abs=1e-9)


def test_spread_is_the_standard_deviation_within_seeds():
    seed = np.array([1.0, 2.0, 4.0])
    for values in ([seed], [seed, seed + 10]):
        assert mean_interval(values).spread == pytest.approx(seed.std(ddof=1))
    assert mean_interval([np.array([1.0]), np.array([2.0])]).spread is None


def test_differences_are_newcombes_and_add_the_squares_of_symmetric_intervals():
    """Newcombe (1998), table II: 56 of 70 against 48 of 80, method 10."""
    found = difference_interval(rate_interval([56], [70]), rate_interval([48], [80]))
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    found = difference_interval(Interval(5, 2, 8), Interval(1, -3, 5))
    assert (found.value, found.low, found.high) == (4, -1, 9)


@given(
    values=st.tuples(st.floats(0.1, 9), st.floats(0.1, 9)),
    halves=st.tuples(st.floats(0, 0.9), st.floats(0, 0.9)),
)
def test_ratio_of_symmetric_intervals_is_fiellers(values, halves):
    a, b = values
    h, k = a * halves[0], b * halves[1]
    ours, other = Interval(a, a - h, a + h), Interval(b, b - k, b + k)
    found = ratio_interval(ours, other)
    root = max((a * b) ** 2 - (a * a - h * h) * (b * b - k * k), 0) ** 0.5
    ends = [(a * b + sign * root) / (b * b - k * k) for sign in (-1, 1)]
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-6, abs=1e-9)


def test_a_ratio_has_no_upper_end_where_the_divisor_may_be_zero():
    found = ratio_interval(Interval(1, 0.5, 2), Interval(1, 0, 2))
    assert 0 < found.low < found.value == 1
    assert found.high == inf
    nothing = ratio_interval(Interval(0, 0, 0.5), Interval(1, 0.5, 1.5))
    assert (nothing.value, nothing.low) == (0, 0)
    with pytest.raises(InputError, match="ratio"):
        ratio_interval(Interval(1, 1, 1), Interval(0, 0, 0))


@pytest.mark.parametrize(
    "numbers", [(1, 2, 3), (1, 3, 0), (nan, 0, 1), (0.5, nan, 1), (0.5, 0, nan)]
)
def test_what_is_no_interval_is_refused(numbers):
    with pytest.raises(InputError, match="low <= value <= high"):
        Interval(*numbers)


@pytest.mark.parametrize(
    ("hits", "totals"), [([], []), ([1], [1, 2]), ([3], [2]), ([-1], [2]), ([0], [0])]
)
def test_impossible_counts_are_refused(hits, totals):
    with pytest.raises(InputError, match="give"):
        rate_interval(hits, totals)


@pytest.mark.parametrize(
    "values", [[], [[]], [[1.0]], [[1.0, nan]], [[1.0, inf]], [[[1.0, 2.0]]]]
)
def test_values_without_a_mean_or_an_interval_are_refused(values):
    with pytest.raises(InputError):
        mean_interval([np.array(seed) for seed in values])


@pytest.mark.parametrize(("share", "n"), [(-0.1, 10), (1.1, 10), (nan, 10), (0.5, 0)])
def test_wilson_refuses_what_is_no_share(share, n):
    with pytest.raises(InputError, match="share"):
        wilson(share, n)


def test_the_average_of_equal_measurements_is_as_much_narrower_as_there_are():
    one = Interval(0.4, 0.3, 0.6)
    four = average([one] * 4)
    assert four.value == pytest.approx(0.4)
    assert four.low == pytest.approx(0.35)
    assert four.high == pytest.approx(0.5)
    assert average([one]) == one
    with pytest.raises(InputError, match="no intervals"):
        average([])


@given(st.lists(st.floats(0, 1), min_size=6, max_size=60))
def test_the_median_lies_in_its_interval_of_order_statistics(values):
    found = median_interval(np.array(values))
    assert found.value == pytest.approx(np.median(values))
    assert found.low in values and found.high in values


@pytest.mark.parametrize(("count", "at_most"), [(5, 1), (6, 0.98), (101, 0.98)])
def test_the_interval_of_a_median_covers_it_as_often_as_it_says(count, at_most):
    draws = np.random.default_rng(0).standard_normal((1000, count))
    found = [median_interval(row) for row in draws]
    covered = np.mean([one.low <= 0 <= one.high for one in found])
    assert 0.94 < covered <= at_most
