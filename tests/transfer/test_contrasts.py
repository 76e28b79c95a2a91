"""Sums of rates over cells that share images and networks."""

import itertools

import numpy as np
import pytest
from synthetic import predictions_with

from intriguing.transfer.contrasts import contrast_interval, mean_of_pairs

GENERATOR = np.random.default_rng(0)
NETWORKS = ("a", "b", "c", "d", "e")
PAIRS = list(itertools.permutations(NETWORKS, 2))


def hits_with(wrong):
    predictions = predictions_with(wrong)
    return predictions.assign(hit=predictions["prediction"] == 1)


def random_hits(chance, images=300, seeds=3):
    """Return hits of independent images with a chance for each pair."""
    return {
        pair: [GENERATOR.random(images) < chance(pair) for _ in range(seeds)]
        for pair in PAIRS
    }


def test_the_value_is_the_weighted_sum_of_the_rates():
    hits = hits_with(
        {("a", "b"): [np.arange(100) < 30], ("b", "a"): [np.arange(100) < 10]}
    )
    found = contrast_interval(hits, {("a", "b"): 1.0, ("b", "a"): -1.0})
    assert found.value == pytest.approx(0.2)
    # Of each image once: 20 of 100 have the difference one.
    assert found.high - found.value == pytest.approx(
        1.984 * (0.16 / 99) ** 0.5, rel=1e-3
    )


def test_pairs_that_share_all_images_are_worth_one():
    same = [GENERATOR.random(300) < 0.3 for _ in range(3)]
    alone = contrast_interval(hits_with({PAIRS[0]: same}), {PAIRS[0]: 1.0})
    copies = hits_with(dict.fromkeys(PAIRS, same))
    found = contrast_interval(copies, mean_of_pairs(PAIRS))
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))


def test_networks_that_differ_widen_the_interval():
    easy = random_hits(lambda pair: 0.6 if "a" in pair else 0.1)
    hits, weights = hits_with(easy), mean_of_pairs(PAIRS)
    those, any_network = (
        contrast_interval(hits, weights, networks) for networks in ((), NETWORKS)
    )
    assert those.value == any_network.value
    assert any_network.high - any_network.low > 3 * (those.high - those.low)


def test_a_jackknife_over_networks_leaves_out_their_noise_too():
    wrong = random_hits(lambda _: 0.3)
    wrong |= {(f"matched:{s}", t): hits for (s, t), hits in wrong.items()}
    pairs = mean_of_pairs(PAIRS)
    matched = mean_of_pairs([(f"matched:{s}", t) for s, t in PAIRS], -1.0)
    found = contrast_interval(hits_with(wrong), pairs | matched, NETWORKS)
    assert (found.low, found.value, found.high) == pytest.approx((0, 0, 0), abs=1e-12)
