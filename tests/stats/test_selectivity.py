"""Measures of selectivity, on cases with a known answer and against SciPy."""

import numpy as np
import pytest
import torch
from networks import seeded
from scipy.stats import entropy, kurtosis, mannwhitneyu

from intriguing.stats.selectivity import TOP, selectivity, top_shares

LABELS = torch.arange(1000) % 10


def test_a_direction_that_is_one_class_is_perfectly_selective():
    scores = (LABELS == 3).double()[None] + torch.linspace(0, 1e-9, 1000)
    found = selectivity(scores, LABELS)
    p = 0.1
    assert float(found.entropy) == pytest.approx(0, abs=1e-12)
    assert float(found.purity) == 1
    assert float(found.eta2) == pytest.approx(1, abs=1e-6)
    assert float(found.auc) == 1
    bernoulli = (1 - 6 * p * (1 - p)) / (p * (1 - p))
    assert float(found.kurtosis) == pytest.approx(bernoulli, rel=1e-6)


def test_a_direction_that_ignores_the_classes_is_not_selective():
    scores = torch.arange(1000, dtype=torch.float64)[None]  # every class in turn
    found = selectivity(scores, LABELS)
    assert float(found.entropy) == pytest.approx(np.log2(10))
    assert float(found.purity) == pytest.approx(0.1)
    assert float(found.eta2) < 1e-3
    # Image i of the last class beats images 0 to i of each other class: 1275 of 2500.
    assert float(found.auc) == pytest.approx(0.51)


def test_measures_agree_with_scipy():
    scores = torch.randn(4, 1000, generator=seeded(), dtype=torch.float64)
    scores += 0.3 * (LABELS == 7) * torch.arange(4)[:, None]
    found = selectivity(scores, LABELS, ranked=1000)
    np.testing.assert_allclose(found.kurtosis, kurtosis(scores, axis=1), rtol=1e-10)
    shares = top_shares(scores, LABELS).numpy()
    np.testing.assert_allclose(found.entropy, entropy(shares, base=2, axis=1))
    for row, measured in zip(scores.numpy(), found.auc, strict=True):
        areas = [
            mannwhitneyu(row[c == LABELS], row[c != LABELS]).statistic / (100 * 900)
            for c in range(10)
        ]
        assert float(measured) == pytest.approx(max(areas))


def test_the_share_of_variance_between_classes_is_that_of_the_class_means():
    scores = torch.randn(3, 1000, generator=seeded(1), dtype=torch.float64)
    means = torch.stack([scores[:, c == LABELS].mean(1) for c in range(10)])
    expected = means.var(0, correction=0) / scores.var(1, correction=0)
    torch.testing.assert_close(selectivity(scores, LABELS).eta2, expected)


def test_only_the_top_images_count():
    scores = torch.arange(1000, dtype=torch.float64)[None]
    labels = (torch.arange(1000) >= 1000 - TOP // 2).long()
    assert top_shares(scores, labels)[0].tolist() == [0.5, 0.5]
