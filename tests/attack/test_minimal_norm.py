"""Minimum-norm perturbations compared with those of the paper's method."""

import numpy as np
import pandas as pd
import pytest

from intriguing.attack import minimal_norm
from intriguing.attack.never_longer import require_never_longer


def test_lengths_that_rounding_makes_longer_pass():
    paper = np.array([0.1, 0.2, np.inf])
    require_never_longer(np.array([0.1 + 5e-7, 0.1, np.inf]), paper)


@pytest.mark.parametrize("worst", [0.2 * 1.0001, np.inf])
def test_a_longer_one_is_refused_in_one_line_that_says_which(worst):
    paper = np.array([0.1, 0.2, 0.3])
    with pytest.raises(RuntimeError, match=r"1 of 3 .* number 1: ") as refused:
        require_never_longer(np.array([0.1, worst, 0.2]), paper)
    assert "\n" not in str(refused.value)


def records_of(lengths, starts, tied):
    return pd.DataFrame(
        {"distortion": lengths, "start": starts, "tied": tied}
        | {"reached": True, "converged": True}
    )


@pytest.fixture(scope="module")
def cells():
    new = [
        records_of([0.10, 0.10, 0.05], [-1, -2, 2], [1, 2, 3]),
        records_of([0.20, 0.20, 0.20], [0, 0, 0], [1, 1, 1]),
    ]
    old = [
        records_of([0.10, 0.125, 0.10], 0, 0),
        records_of([0.20, 0.20, 0.200001], 0, 0),
    ]
    return minimal_norm.length_cells("net", new, old)


def test_ratios_are_image_by_image_and_both_mean_lengths_are_there(cells):
    expected = np.mean([np.mean([1, 0.8, 0.5]), 1])
    assert cells["net", "ratio"].value == pytest.approx(expected, abs=1e-5)
    assert cells["net", "distortion-lbfgs"].value == pytest.approx(0.15416683)
    assert cells["net", "distortion-minimal"].value == pytest.approx(0.14166667)


@pytest.mark.parametrize(
    ("column", "images"),
    [
        ("shorter", 2),
        ("ties", 2),
        ("won-by-clean", 3),
        ("won-by-smoothed", 1),
        ("won-by-start-image", 1),
        ("won-by-paper", 1),
        ("unconverged", 0),
    ],
)
def test_shares_are_of_all_images_of_all_seeds(cells, column, images):
    found = cells["net", column]
    assert (found.value, found.n, found.seeds) == (pytest.approx(images / 6), 6, 2)
