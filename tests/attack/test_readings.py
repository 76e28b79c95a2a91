"""Readings of the paper: averages in closed form, and a reading that is planted."""

import numpy as np
import pytest

from intriguing.attack.readings import (
    averaged,
    bootstrap_counts,
    bootstrap_interval,
    log_ratio_size,
    posterior,
)


def test_averages_are_those_of_the_definition():
    values, counts = np.array([1.0, 2.0, np.nan, 4.0]), np.ones((1, 4))
    assert averaged(values, counts, "mean") == pytest.approx(7 / 3)
    assert averaged(values, counts, "pooled") == pytest.approx(np.sqrt(21 / 3))
    drawn = np.array([[3.0, 0, 1, 1]])
    assert averaged(values, drawn, "mean") == pytest.approx(7 / 4)


def test_the_bootstrap_s_interval_is_that_of_a_mean():
    values = np.random.default_rng(1).normal(5, 2, 400)
    found = bootstrap_interval(averaged(values, bootstrap_counts(400), "mean"))
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_the_size_of_log_ratios_of_equal_factors_is_their_logarithm():
    measured = {"a": np.array([1.0]), "b": np.array([2.0]), "other": np.array([9.0])}
    size = log_ratio_size(measured, {"a": 1.1, "b": 2 / 1.1, "other": 1.0}, ["a", "b"])
    assert size == pytest.approx(np.log(1.1))


def test_the_planted_reading_is_found_and_equal_ones_are_equally_probable():
    rng = np.random.default_rng(0)
    samples = {
        name: rng.gamma(3, size, 256) for name, size in {"a": 1, "b": 2, "c": 3}.items()
    }
    printed = {n: float(np.sqrt((v**2).mean())) * 1.01 for n, v in samples.items()}
    counts = bootstrap_counts(256)
    sizes = [
        log_ratio_size(
            {name: averaged(one, counts, average) for name, one in samples.items()},
            printed,
            list("abc"),
        )
        for average in ("mean", "pooled")
    ]
    shares = posterior(np.stack(sizes), 3)
    assert shares.sum() == pytest.approx(1)
    assert shares[1] > 0.95
    assert posterior(np.full((4, 3), 0.1), 3) == pytest.approx([0.25] * 4)
