"""Our numbers beside printed ones: intervals, ratios and verdicts."""

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from intriguing.errors import InputError
from intriguing.stats.equivalence import (
    MARGIN,
    Printed,
    can_fail,
    compare,
    is_bound,
    printed_number,
    ratio_verdict,
    read_printed,
)
from intriguing.stats.intervals import Interval


def around(value, share):
    """Return an interval from a share below a value to as far above."""
    return Interval(value, value * (1 - share), value * (1 + share))


@pytest.mark.parametrize(
    ("printed", "value", "unit"),
    [
        ("6.25%", 0.0625, 0.0001),
        ("<1.2%", 0.012, 0.001),
        ("5.0%", 0.05, 0.001),
        ("100%", 1, 0.01),
        ("0.062", 0.062, 0.001),
        ("20", 20, 1),
        ("5·10^-5", 5e-5, 1e-5),
        ("10^-4", 1e-4, 1e-4),
    ],
)
def test_printed_numbers_have_a_value_and_a_last_digit(printed, value, unit):
    assert read_printed(printed) == (value, unit)


@pytest.mark.parametrize(
    "printed", ["", "N/A", "%", "1,5%", "-2", "6.7 %", ".", "1.2.3", "10%%", "<<1%"]
)
def test_what_is_not_printed_like_this_is_refused(printed):
    with pytest.raises(InputError, match="printed"):
        read_printed(printed)


def wilson_end(hits, sample, end):
    return getattr(binomtest(hits, sample).proportion_ci(0.95, "wilson"), end)


@pytest.mark.parametrize(
    ("value", "printed", "sample", "kind", "band"),
    [
        # Rounding or truncation.
        (0.382, "38.2%", None, "rate", (0.3815, 0.383)),
        # Wilson's interval at half a unit down and a unit up.
        (
            *(0.25, "25%", 1000, "rate"),
            (wilson_end(245, 1000, "low"), wilson_end(260, 1000, "high")),
        ),
        (2.75, "2.75", None, "number", (2.745, 2.755)),
        (2.75, "2.75", nan, "number", (2.745, 2.755)),
        # The distortions of the paper have two digits.
        (0.1, "0.1", None, "distortion", (0.095, 0.105)),
        (0.062, "0.062", None, "distortion", (0.0615, 0.0625)),
        # Rounding and sampling error.
        (0.062, "0.062", 256, "distortion", (0.0615 - 0.00245, 0.0625 + 0.00245)),
    ],
)
def test_intervals_are_those_of_the_rule(value, printed, sample, kind, band):
    found = printed_number(value, printed, sample, kind, spread=0.02).interval
    assert (found.low, found.high) == pytest.approx(band)


@given(share=st.integers(0, 1000), sample=st.integers(10, 10_000))
def test_interval_of_a_rate_holds_the_printed_value_and_shrinks_with_the_sample(
    share, sample
):
    value, printed = share / 1000, f"{share / 10:.1f}%"
    outer = printed_number(value, printed, sample, "rate").interval
    inner = printed_number(value, printed, 4 * sample, "rate").interval
    assert 0 <= outer.low <= inner.low <= value <= inner.high <= outer.high <= 1
    assert outer.low < outer.high
    assert value not in (0, 1) or value in (outer.low, outer.high)


@pytest.mark.parametrize(
    ("value", "printed", "sample", "kind", "spread", "told"),
    [
        *(
            (0.062, "0.062", 256, "distortion", x, "spread")
            for x in (None, nan, inf, -1.0)
        ),
        (0.0625, "6.3%", 256, "rate", None, r"0\.0625.*6\.3%"),
    ],
)
def test_numbers_without_an_interval_are_refused(
    value, printed, sample, kind, spread, told
):
    with pytest.raises(InputError, match=told):
        printed_number(value, printed, sample, kind, spread)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.92, 1.09, "agrees"),
        (1 / MARGIN, MARGIN, "agrees"),
        (0.9, 1.0, "undecided"),
        (1.0, 1.11, "undecided"),
        (0.5, 2.0, "undecided"),
        (1.11, 2.0, "differs"),
        (0.5, 0.9, "differs"),
    ],
)
def test_the_whole_interval_of_a_ratio_decides(low, high, verdict):
    assert ratio_verdict(Interval((low + high) / 2, low, high)) == verdict


def test_equal_numbers_are_undecided_where_a_sample_is_small():
    ours = around(0.2, 0.01)
    small, large = (printed_number(0.2, "20.0%", n, "rate") for n in (256, 60_000))
    assert compare(ours, small).verdict == "undecided"
    assert compare(ours, large).verdict == "agrees"


def test_a_comparison_has_difference_ratio_and_what_it_could_have_seen():
    found = compare(around(0.3, 0.1), Printed(around(0.2, 0.1), 0.01))
    assert found.difference.value == pytest.approx(0.1)
    assert found.ratio.value == pytest.approx(1.5)
    assert found.verdict == "differs"
    assert found.detectable == pytest.approx(MARGIN * 1.5 / found.ratio.low)
    exact = compare(Interval(2, 2, 2), Printed(Interval(2, 2, 2), 1))
    assert exact.detectable == pytest.approx(MARGIN)
    assert compare(Interval(0.1, 0, 1), Printed(around(1, 0), 1)).detectable == inf


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.0, 0.004, "agrees"),
        (0.0, 0.006, "undecided"),
        (0.001, 0.02, "undecided"),
        (0.02, 0.03, "differs"),
    ],
)
def test_a_printed_zero_has_no_ratio_but_is_rounded_to(low, high, verdict):
    printed = printed_number(0, "0%", None, "rate")
    found = compare(Interval((low + high) / 2, low, high), printed)
    assert (found.ratio, found.detectable) == (None, None)
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("row", "column", "sample", "can"),
    [
        ("FC10-1", "FC10-1", 256, False),
        ("amplified:FC10-1", "FC10-1", 256, True),
        ("noise-0.1", "distortion", nan, False),
        ("FC10-1", "distortion", 256, True),
        ("conv1", "stride", None, False),
        ("conv1", "upper-v4", None, True),
    ],
)
def test_settings_and_own_images_cannot_fail(row, column, sample, can):
    assert can_fail(row, column, sample) == can


def test_a_bound_is_told_from_a_number():
    assert is_bound("<1.2%")
    assert not is_bound("1.2%")
