"""The two directions of transfer, on pairs whose truth is known."""

import itertools

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from intriguing.transfer.asymmetry import (
    both_directions,
    longer_transfers_further,
    slope,
    slope_interval,
)
from intriguing.transfer.decomposition import with_kinds
from intriguing.workflow.tabling import read_published

ONE, OTHER, DISJOINT = "FC100-100-10@P1", "FC123-456-10@P1", "FC100-100-10@P2"
TRAITS = {ONE: ("A", "P1"), OTHER: ("B", "P1"), DISJOINT: ("A", "P2")}
IMAGES = 100_000
TRUE = 0.5
PUBLISHED = read_published(ROOT / "data/published.tsv")


def pairs_with(seeds, generator, slope=TRUE, luck=0.0):
    """Make networks whose transfer follows their distortions, and some luck."""
    networks = list(itertools.product(TRAITS, range(seeds)))
    length = {n: 0.06 * np.exp(generator.normal(0, 0.05)) for n in networks}
    give, take = ({n: generator.normal(0, luck) for n in networks} for _ in range(2))
    rows = []
    for s, t in itertools.product(networks, networks):
        share = 0.3 + slope / 2 * np.log(length[s] / length[t]) + give[s] + take[t]
        rows.append((*s, *t, "times-1", length[s], IMAGES, round(IMAGES * share), 0))
    ends = ["source", "source_seed", "target", "target_seed", "length", "distortion"]
    counted = ["images", "fooled", "fooled_by_noise"]
    return with_kinds(pd.DataFrame(rows, columns=[*ends, *counted]), TRAITS)


def test_pairs_of_the_same_data_give_the_true_slope_whichever_comes_first():
    both = both_directions(pairs_with(3, np.random.default_rng(0)))
    on_p1, on_p2 = 6 * 5 / 2, 3 * 2 / 2
    assert len(both) == on_p1 + on_p2
    assert slope(both) == pytest.approx(TRUE, abs=1e-3)
    both = both_directions(pairs_with(3, np.random.default_rng(2), luck=0.02))
    turned = both.copy()
    turned.loc[::2, ["log_ratio", "difference"]] *= -1
    assert slope(turned) == pytest.approx(slope(both))


def test_the_interval_covers_the_truth_where_networks_have_luck_of_their_own():
    """Pairs share networks: errors that took them for independent would miss."""
    covered, naive, draws = 0, 0, 150
    for seed in range(draws):
        both = both_directions(pairs_with(5, np.random.default_rng(seed), luck=0.02))
        found = slope_interval(both)
        covered += found.low <= TRUE <= found.high
        left = both["difference"] - slope(both) * both["log_ratio"]
        error = left.std() / both["log_ratio"].pow(2).sum() ** 0.5
        naive += abs(slope(both) - TRUE) <= 1.96 * error
    assert covered >= 0.9 * draws > naive


@pytest.mark.parametrize("put_in", [0.5, 0.0, -0.5])
def test_the_finding_is_the_slope_without_a_verdict(put_in):
    pairs = pairs_with(5, np.random.default_rng(3), slope=put_in, luck=0.002)
    claim = longer_transfers_further(pairs, TRAITS, PUBLISHED)
    assert claim.verdict == ""
    assert claim.measured == pytest.approx(put_in / 100, abs=1e-3)


def test_the_evidence_compares_the_slope_with_the_paper_s_own_pair():
    pairs = pairs_with(5, np.random.default_rng(4))
    text = longer_transfers_further(pairs, TRAITS, PUBLISHED).evidence
    assert "of FC100-100-10@P1 (0.062) and FC123-456-10@P1 (0.059)" in text
    assert f"difference of {TRUE * np.log(0.062 / 0.059):.3f}" in text
    assert text.endswith(f"paper has {0.262 - 0.0625:.3f}")


@pytest.mark.parametrize("seeds", [0, 1, 2])
def test_fewer_than_three_seeds_give_no_slope(seeds):
    pairs = pairs_with(max(seeds, 1), np.random.default_rng(5))[: None if seeds else 0]
    claim = longer_transfers_further(pairs, TRAITS, PUBLISHED)
    assert claim.measured is None
