"""Verdicts on claims, at their edges."""

import json
from dataclasses import asdict, replace
from math import inf, nan

import pytest

from intriguing.errors import InputError
from intriguing.stats.agreement import (
    Claim,
    directional_claim,
    directional_verdict,
    finding,
    to_json,
)
from intriguing.stats.intervals import Interval

CLAIM = Claim(
    "transfer", "Images fool another", 0.2, 0.25, 0.2, 0.3, "agrees", "tables/cross"
)


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
    measured = Interval((low + high) / 2, low, high)
    assert directional_verdict(measured, 0.012, "below") == verdict


def test_a_finding_of_ours_has_numbers_and_no_verdict():
    found = finding("name", "What was measured.", Interval(0.2, 0.1, 0.3), "table")
    assert (found.measured, found.low, found.high) == (0.2, 0.1, 0.3)
    assert (found.verdict, found.published) == ("", None)
