"""Both measures of superposition on codes and networks with a known answer."""

import numpy as np
import pandas as pd
import pytest
import torch
from networks import images_of

from intriguing.figures.superposition import superposition_figure
from intriguing.sae import superposition
from intriguing.sae.code import SparseCode, top_k
from intriguing.sae.superposition import (
    effective_features,
    fit_against_perturbations,
    measured_superposition,
    superposition_entries,
)
from intriguing.tables.tidy import entries_of, frame_of
from intriguing.training.loop import AdamRecipe


def planted_code(units, k):
    """Return a code whose latents are the units themselves."""
    code = SparseCode(torch.eye(units), units, top_k(k), torch.Generator())
    code.centre, code.scale = torch.zeros(units), torch.tensor(1.0)
    code.encoder.data, code.decoder.data = torch.eye(units), torch.eye(units)
    return code


def test_latents_count_as_the_exponential_of_the_entropy_of_their_shares():
    assert effective_features(planted_code(6, 2), torch.eye(6)) == pytest.approx(6)
    rows = torch.eye(6)[[2, 2, 2]]
    assert effective_features(planted_code(6, 2), rows) == pytest.approx(1)
    rows = torch.diag(torch.tensor([3.0, 1.0]))
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert effective_features(planted_code(2, 1), rows) == pytest.approx(expected)


def test_a_network_trained_against_perturbations_withstands_longer_ones(monkeypatch):
    recipe = AdamRecipe(learning_rate=1e-2, epochs=40, batch=50)
    monkeypatch.setattr(superposition, "RECIPE", recipe)
    images = images_of(400, 1, 3, 3)
    labels = (images.flatten(1).mean(1) > 0.5).long()
    found = {
        radius: measured_superposition(
            fit_against_perturbations(images, labels, 12, radius, 0),
            images,
            (images, labels),
            attacked=50,
            epochs=1,
            seed=0,
        )
        for radius in (0.0, 0.3)
    }
    assert found[0.3]["distance"] > found[0.0]["distance"]
    for facts in found.values():
        assert set(facts) == {
            *("error", "distance", "fvu-1", "features-1", "fvu-2", "features-2")
        }


RECORDS = pd.DataFrame(
    [
        {"width": width, "radius": radius, "seed": seed, "fvu-2": 0.1 * width / 20}
        | {"features-2": width / 100 * (1 + radius) + seed / 10}
        | dict.fromkeys(("error", "distance", "fvu-1", "features-1"), 0.5)
        for width in (20, 40)
        for radius in (0.0, 0.5, 1.0)
        for seed in (0, 1)
    ]
)


def test_changes_are_paired_by_seed():
    cells = entries_of(frame_of(superposition_entries(RECORDS)))
    assert cells["20:0.5", "features-2"].value == pytest.approx(0.35)
    ratio = cells["20:change", "features-2 ratio"]
    assert ratio.value == pytest.approx(np.sqrt(0.4 / 0.2 * 0.5 / 0.3))
    assert ratio.low > 0
    assert cells["40:change", "fvu-2 ratio"].value == pytest.approx(1)


def test_each_width_has_a_line_in_both_panels():
    figure = superposition_figure(RECORDS)
    for axes, factor in zip(figure.axes, (100, 1), strict=True):
        assert len(axes.containers) == 2
        column = "fvu-2" if factor == 100 else "features-2"
        own = RECORDS[RECORDS["width"] == 20].groupby("radius")[column].mean()
        shown = axes.containers[0].lines[0].get_ydata()
        np.testing.assert_allclose(shown.astype(float), factor * own)
