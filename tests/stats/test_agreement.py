"""The rule of agreement, at its edges."""

import json
from dataclasses import asdict, replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from intriguing.errors import InputError
from intriguing.stats.agreement import (
    Claim,
    directional_claim,
    directional_verdict,
    finding,
    is_bound,
    published_band,
    read_printed,
    to_json,
    verdict_against_band,
)
from intriguing.stats.intervals import Interval

numbers = st.floats(-10, 10)


def sorted_three():
    return st.tuples(numbers, numbers, numbers).map(sorted)


CLAIM = Claim(
    "transfer", "Images fool another", 0.2, 0.25, 0.2, 0.3, "agrees", "tables/cross"
)


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
        (2.75, "2.75", None, "mean", (2.745, 2.755)),
        (2.75, "2.75", nan, "mean", (2.745, 2.755)),
        # Rounding and sampling error.
        (0.062, "0.062", 256, "mean", (0.0615 - 0.00245, 0.0625 + 0.00245)),
    ],
)
def test_bands_are_those_of_the_rule(value, printed, sample, kind, band):
    found = published_band(value, printed, sample, kind, spread=0.02)
    assert found == pytest.approx(band)


@given(share=st.integers(0, 1000), sample=st.integers(10, 10_000))
def test_band_of_a_rate_holds_the_printed_value_and_shrinks_with_the_sample(
    share, sample
):
    value, printed = share / 1000, f"{share / 10:.1f}%"
    low, high = published_band(value, printed, sample, "rate")
    inner_low, inner_high = published_band(value, printed, 4 * sample, "rate")
    assert 0 <= low <= inner_low <= value <= inner_high <= high <= 1
    assert low < high
    assert value not in (0, 1) or value in (low, high)


@pytest.mark.parametrize(
    ("value", "printed", "sample", "kind", "spread", "told"),
    [
        *((0.062, "0.062", 256, "mean", x, "spread") for x in (None, nan, inf, -1.0)),
        (0.0625, "6.3%", 256, "rate", None, r"0\.0625.*6\.3%"),
    ],
)
def test_numbers_without_a_band_are_refused(value, printed, sample, kind, spread, told):
    with pytest.raises(InputError, match=told):
        published_band(value, printed, sample, kind, spread)


@pytest.mark.parametrize(
    ("low", "value", "high", "verdict"),
    [
        (0.25, 0.375, 0.5, "agrees"),
        (0.25, 0.25, 0.5, "agrees"),
        (0.0, 0.25, 0.25, "agrees"),
        (0.25, 0.5, 0.75, "undecided"),
        (0.375, 0.5, 0.625, "agrees"),
        (0.375, 0.5, 0.75, "undecided"),
        (0.5, 0.625, 0.75, "undecided"),
        (0.5, 0.5, 0.5, "agrees"),
        (0.53125, 0.625, 0.75, "differs"),
        (0.0, 0.125, 0.21875, "differs"),
        (0.0, 0.1875, 0.25, "undecided"),
        (0.0, 0.375, 1.0, "undecided"),
    ],
)
def test_verdicts_at_the_edges_of_the_band_a_quarter_to_a_half(
    low, value, high, verdict
):
    assert verdict_against_band(Interval(value, low, high), (0.25, 0.5)) == verdict


@given(ours=sorted_three(), band=st.tuples(numbers, numbers).map(sorted))
def test_verdict_follows_from_its_definition(ours, band):
    low, value, high = ours
    verdict = verdict_against_band(Interval(value, low, high), tuple(band))
    assert (verdict == "differs") == (max(low, band[0]) > min(high, band[1]))
    if verdict == "agrees":
        assert band[0] <= value <= band[1]
        assert high - low <= band[1] - band[0]


@pytest.mark.parametrize("band", [(0.5, 0.25), (nan, 1), (0, nan)])
def test_reversed_or_nan_bands_are_refused(band):
    with pytest.raises(InputError, match="band"):
        verdict_against_band(Interval(0.3, 0.2, 0.4), band)


@pytest.mark.parametrize(
    ("low", "high", "above", "below"),
    [
        (0.1, 0.3, "agrees", "differs"),
        (-0.3, -0.1, "differs", "agrees"),
        (-0.1, 0.1, "undecided", "undecided"),
        (0.0, 0.1, "undecided", "undecided"),
        (-0.1, 0.0, "undecided", "undecided"),
    ],
)
def test_direction_is_decided_by_the_whole_interval(low, high, above, below):
    measured = Interval((low + high) / 2, low, high)
    for side, verdict in (("above", above), ("below", below)):
        found = directional_claim("id", "A exceeds B", measured, "here", side=side)
        assert found.verdict == verdict
        assert (found.measured, found.low, found.high) == (measured.value, low, high)


def test_a_claim_may_test_another_interval_or_another_threshold_or_nothing():
    measured, tested = Interval(0.2, 0.1, 0.3), Interval(-0.2, -0.3, -0.1)
    found = directional_claim("id", "A exceeds B", measured, "here", tested=tested)
    assert (found.measured, found.low, found.high) == (0.2, 0.1, 0.3)
    assert found.verdict == "differs"
    below = directional_claim("id", "", measured, "", side="below", threshold=0.5)
    assert below.verdict == "agrees"
    nothing = directional_claim("id", "A exceeds B", None, "here")
    assert (nothing.measured, nothing.verdict) == (None, "undecided")


def test_json_has_all_fields_with_six_digits_and_null_for_what_is_no_number():
    other = replace(CLAIM, id="other")
    text = to_json([replace(CLAIM, measured=1 / 3, low=nan, high=inf), other])
    first, second = json.loads(text)
    assert list(first) == list(asdict(CLAIM))
    assert [first[key] for key in ("measured", "low", "high")] == [0.333333, None, None]
    assert second == asdict(other)
    with pytest.raises(InputError, match="transfer"):
        to_json([CLAIM, CLAIM])


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.010, 0.0119, "agrees"),
        (0.0121, 0.02, "differs"),
        (0.011, 0.013, "undecided"),
        (0.011, 0.012, "undecided"),
    ],
)
def test_a_printed_bound_is_a_claim_of_the_whole_interval(low, high, verdict):
    assert is_bound("<1.2%") and not is_bound("1.2%")
    measured = Interval((low + high) / 2, low, high)
    assert directional_verdict(measured, 0.012, "below") == verdict


def test_a_finding_of_ours_has_numbers_and_no_verdict():
    found = finding("name", "What was measured.", Interval(0.2, 0.1, 0.3), "table")
    assert (found.measured, found.low, found.high) == (0.2, 0.1, 0.3)
    assert (found.verdict, found.published) == ("", None)
