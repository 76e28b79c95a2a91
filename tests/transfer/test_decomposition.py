"""Transfer by what two networks have in common, on pairs whose truth is known."""

import itertools

import numpy as np
import pandas as pd
import pytest

from intriguing.figures.decomposition import decomposition_figure
from intriguing.stats.intervals import mean_interval
from intriguing.tables.tidy import COLUMNS, own_table
from intriguing.transfer.decomposition import (
    data_costs_more,
    decomposition_cells,
    kind_of,
    pair_mean,
    seed_difference,
    with_kinds,
)

TRAITS = {f"{a}@{split}": (a, split) for split in ("P1", "P2") for a in "AB"}
LENGTHS = ["times-1", "times-2", "matched-0.1"]
IMAGES = 500


def pairs_by(share, seeds=4, noise=0.02):
    """Make every ordered pair; ``share(source, target, kind)`` is fooled."""
    networks = list(itertools.product(TRAITS, range(seeds)))
    rows = []
    for (s, i), (t, j), length in itertools.product(networks, networks, LENGTHS):
        kind = kind_of(TRAITS[s], TRAITS[t], i == j)
        fooled = round(IMAGES * share((s, i), (t, j), kind))
        rows.append((s, i, t, j, length, IMAGES, fooled, round(IMAGES * noise)))
    ends = ["source", "source_seed", "target", "target_seed", "length"]
    counted = ["images", "fooled", "fooled_by_noise"]
    return with_kinds(pd.DataFrame(rows, columns=[*ends, *counted]), TRAITS)


FOOLED = {"other-seed": 0.4, "other-architecture": 0.35, "other-data": 0.2}


def known(_, __, kind):
    return FOOLED.get(kind.removesuffix("-same-seed"), 0.1)


@pytest.mark.parametrize(
    ("source", "target", "same_seed", "kind"),
    [
        ("A@P1", "A@P1", True, "itself"),
        ("A@P1", "A@P1", False, "other-seed"),
        ("A@P1", "B@P1", False, "other-architecture"),
        ("A@P1", "A@P2", False, "other-data"),
        ("A@P1", "B@P2", False, "other-both"),
        ("B@P2", "A@P2", True, "other-architecture-same-seed"),
        ("B@P2", "A@P1", True, "other-both-same-seed"),
    ],
)
def test_a_pair_is_named_after_what_differs(source, target, same_seed, kind):
    assert kind_of(TRAITS[source], TRAITS[target], same_seed) == kind


def test_every_cell_is_the_share_that_was_put_in():
    found = decomposition_cells(pairs_by(known), LENGTHS)
    for (row, _), interval in found.items():
        expected = 0.02 if row == "noise" else known(None, None, row)
        assert interval.value == pytest.approx(expected)
        assert interval.low <= expected <= interval.high
    assert {length for _, length in found} == set(LENGTHS)


def test_an_image_counts_once_however_many_networks_it_is_fed_to():
    pairs = pairs_by(known, seeds=4)
    own = pairs[(pairs["kind"] == "other-data") & (pairs["length"] == "times-1")]
    assert pair_mean(own).n == 4 * IMAGES
    assert pair_mean(own).seeds == 4
    assert pair_mean(own.iloc[:0]) is None


def pairs_of(ends, give, take):
    """Return pairs of seeds that fool 40 % and what their two networks add."""
    values = [(i, j, 0.4 + give[i] + take[j], 10**9) for i, j in ends]
    columns = ["source_seed", "target_seed", "share", "images"]
    return pd.DataFrame(values, columns=columns)


@pytest.mark.parametrize("seeds", [3, 6])
@pytest.mark.parametrize("same", [True, False])
def test_the_interval_covers_the_truth_where_networks_differ_as_source_and_target(
    seeds, same
):
    """Pairs share networks; an interval that took them for independent would miss."""
    generator, draws, covered, naive = np.random.default_rng(1), 400, 0, 0
    ends = list(itertools.permutations(range(seeds), 2))
    if same:
        ends = [(seed, seed) for seed in range(seeds)]
    for _ in range(draws):
        own = pairs_of(ends, *generator.normal(0, 0.05, (2, seeds)))
        found = pair_mean(own)
        covered += found.low <= 0.4 <= found.high
        half = 1.96 * own["share"].std() / len(own) ** 0.5
        naive += abs(own["share"].mean() - 0.4) <= half
    assert 0.925 * draws <= covered <= 0.985 * draws
    assert naive < 0.92 * draws


def test_where_one_end_has_one_seed_the_interval_is_students():
    give, ends = [0.0, 0.01, 0.05], [(0, 7), (1, 7), (2, 7)]
    found = pair_mean(pairs_of(ends, give, [0.0] * 8))
    expected = mean_interval([0.4 + np.array(give)[[seed]] for seed in range(3)])
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.seeds == 3


def test_a_difference_is_compared_seed_by_seed():
    """What a seed's images have in common falls out of the difference."""
    luck = np.random.default_rng(2).normal(0, 0.05, 4)
    pairs = pairs_by(lambda s, t, kind: known(s, t, kind) + luck[s[1]])
    own = pairs[pairs["length"] == "times-1"]
    first, second = (
        own[own["kind"] == k] for k in ("other-architecture", "other-data")
    )
    found = seed_difference(first, second)
    assert found.value == pytest.approx(0.15, abs=0.005)
    assert found.high - found.low < 0.02


@pytest.mark.parametrize("data", [0.2, 0.35, 0.5])
def test_the_finding_is_what_data_cost_beyond_architecture(data):
    luck = np.random.default_rng(3).normal(0, 0.02, (4, 4, 4, 4))
    place = {name: i for i, name in enumerate(TRAITS)}

    def share(source, target, kind):
        noise = luck[place[source[0]], source[1], place[target[0]], target[1]]
        means = FOOLED | {"other-data": data}
        return means.get(kind, 0.1) + noise

    claim = data_costs_more(pairs_by(share), "matched-0.1")
    truth = FOOLED["other-architecture"] - data
    assert claim.verdict == ""
    assert claim.low <= truth <= claim.high


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_or_two_seeds_decide_nothing_and_break_nothing(seeds):
    pairs = pairs_by(known, seeds=seeds)
    found = decomposition_cells(pairs, LENGTHS)
    assert (found["other-seed", "times-1"] is None) == (seeds == 1)
    assert found["other-data-same-seed", "times-1"].value == pytest.approx(0.2)
    claim = data_costs_more(pairs, "matched-0.1")
    assert claim.measured is None


def test_the_figure_shows_each_kind_in_both_panels_and_every_pair():
    pairs = pairs_by(known)
    table = own_table(decomposition_cells(pairs, LENGTHS))
    assert list(table) == COLUMNS
    left, right = decomposition_figure(table, pairs).axes
    assert len(left.lines) > 12
    drawn = {tuple(line.get_ydata()) for line in left.lines}
    assert (20.0, 20.0) in {tuple(np.round(y, 6)) for y in drawn if len(y) == 2}
    assert {tuple(line.get_xdata()) for line in right.lines} <= {(0.1,), ()}
