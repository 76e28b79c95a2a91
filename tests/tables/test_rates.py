"""From predictions for single images to the cells of tables."""

import numpy as np
import pandas as pd
import pytest
from synthetic import first_wrong

from intriguing.tables import rates


def test_a_cell_is_the_share_of_misclassified_images_over_seeds():
    cells = rates.error_rates(
        first_wrong({("a", "b"): [10, 30], ("a", "a"): [100, 100]})
    )
    found = cells["a", "b"]
    assert (found.value, found.n, found.seeds) == (pytest.approx(0.2), 200, 2)
    assert found.low < 0.1 < 0.3 < found.high
    assert cells["a", "a"].value == 1


def test_fooling_counts_images_correct_when_clean_and_distortions_the_fooled():
    predictions = first_wrong({("clean", "b"): [20], ("a", "b"): [50]})
    cells = rates.fooling_rates(predictions)
    assert cells["a", "b"].value == pytest.approx(30 / 80)
    assert cells["clean", "b"].value == 0
    found = {"reached": [True, False, True], "distortion": [0.1, 0.0, 0.3]}
    assert rates.distortions([pd.DataFrame(found)])[0].tolist() == [0.1, 0.3]


def test_distortions_are_counted_once_a_seed_and_averaged_over_pixels_or_images():
    predictions = first_wrong({("a", "b"): [1, 2], ("a", "c"): [3, 4]})
    per_seed = rates.distortions_by_row(predictions)["a"]
    assert [len(seed) for seed in per_seed] == [100, 100]
    assert [seed[0] for seed in per_seed] == pytest.approx([0.1, 0.2])
    cells = rates.distortion_cells("a", [np.array([0.1, 0.3]), np.array([0.2, 0.2])])
    assert cells["a", "distortion"].value == pytest.approx(0.045**0.5)
    assert cells["a", rates.MEAN_DISTORTION].value == pytest.approx(0.2)


def test_errors_are_pooled_over_seeds():
    counts = [
        {"train": {"wrong": a, "images": 100}, "test": {"wrong": b, "images": 50}}
        for a, b in ((1, 4), (3, 6))
    ]
    cells = rates.error_cells("net", counts)
    assert cells["net", "train-error"].value == pytest.approx(0.02)
    assert cells["net", "test-error"].value == pytest.approx(0.1)
