"""Training with penalties on bounds, and what is compared at equal error."""

import numpy as np
import pandas as pd
import pytest
import torch
from bounds.small import small_network
from networks import images_of
from torch import nn

from intriguing.bounds import penalties
from intriguing.bounds.certify import certify
from intriguing.bounds.lipschitz import lipschitz
from intriguing.bounds.penalised import (
    ALLOWED,
    MEASURES,
    PARTS,
    best_at_equal_error,
    between_strengths,
    measured_gain,
    rank_correlation,
)
from intriguing.bounds.penalties import (
    METHODS,
    eclipse_bound,
    fit_with_penalty,
    product_of_norms,
    squared_weights,
)
from intriguing.bounds.table import PENALTY_KINDS, penalty_entries
from intriguing.figures.bounds import PENALTIES, penalties_figure
from intriguing.tables.tidy import frame_of
from intriguing.training.loop import AdamRecipe


def matrices(network):
    return [layer.weight for layer in network if isinstance(layer, nn.Linear)]


@pytest.mark.parametrize(
    ("penalty", "method"),
    [(product_of_norms, "product"), (eclipse_bound, "eclipse-fast")],
)
@pytest.mark.parametrize("sizes", [[9, 7, 3], [9, 5, 6, 3]])
def test_a_penalty_is_the_bound_that_is_reported(penalty, method, sizes):
    network = small_network(sizes).double()
    expected = lipschitz(network, method).upper
    assert float(penalty(matrices(network))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("penalty", [squared_weights, product_of_norms, eclipse_bound])
def test_the_gradient_of_a_penalty_is_that_of_differences(penalty):
    weights = matrices(small_network([4, 3, 3, 2]).double())
    inputs = [weight.detach().requires_grad_() for weight in weights]
    assert torch.autograd.gradcheck(lambda *given: penalty(given), inputs)


def trained(method, strength):
    images = images_of(200, 1, 2, 3)
    labels = (images.flatten(1)[:, 0] > 0.5).long()
    network = small_network([6, 8, 5, 2]).requires_grad_(True)
    return fit_with_penalty(network, images, labels, method, strength, seed=1)


@pytest.mark.parametrize("method", ["decay", "product", "eclipse"])
def test_a_stronger_penalty_leaves_a_smaller_one(method, monkeypatch):
    monkeypatch.setattr(penalties, "RECIPE", AdamRecipe(0.02, epochs=30, batch=20))
    penalty = METHODS[method].penalty
    weak, strong = (
        float(penalty(matrices(trained(method, strength)))) for strength in (1e-4, 0.1)
    )
    assert strong < 0.8 * weak


def test_norms_are_held_where_they_were_set():
    network = trained("spectral", 8.0)
    norms = [torch.linalg.matrix_norm(weight, 2) for weight in matrices(network)]
    np.testing.assert_allclose(norms, [2.0, 2.0, 2.0], rtol=1e-4)
    assert {*network.state_dict()} == {*small_network([6, 8, 5, 2]).state_dict()}


def test_without_a_penalty_all_methods_train_the_same_network():
    plain, other = trained("decay", 0.0), trained("product", 0.0)
    for first, second in zip(matrices(plain), matrices(other), strict=True):
        assert torch.equal(first, second)


def test_gains_are_measured_on_images_that_are_classified_correctly():
    network, images = trained("decay", 1e-4), images_of(40, 1, 2, 3)
    labels = network(images).argmax(1)
    labels[0] = 1 - labels[0]
    found = measured_gain(network, images, labels, attacked=10, certified=5)
    assert set(found) == set(MEASURES)
    assert found["error"] == pytest.approx(1 / 40)
    proved = certify(network, images[:5], labels[:5], method="crown").radius
    assert found["certified"] == pytest.approx(proved.mean())
    assert proved[0] == 0 < proved[1]
    assert found["eclipse"] <= found["product"]


# One seed, two methods: the furthest network errs too much to take part.
RECORDS = pd.DataFrame(
    [
        ("decay", 0.0, 0, 0.030, 1.0, 0.2, 40.0, 30.0),
        ("decay", 1.0, 0, 0.031, 2.0, 0.5, 20.0, 15.0),
        ("decay", 2.0, 0, 0.040, 3.0, 0.9, 10.0, 8.0),
        ("product", 1.0, 0, 0.030 + ALLOWED, 1.5, 0.4, 5.0, 4.0),
        ("product", 2.0, 0, 0.029, 1.2, 0.3, 9.0, 7.0),
    ],
    columns=["method", "strength", "seed", *MEASURES],
)


def test_the_best_at_equal_error_is_compared_with_weight_decay():
    found = best_at_equal_error(RECORDS).set_index("method")
    assert found.loc["decay", "distance"] == 2.0
    assert found.loc["product", "distance over decay"] == pytest.approx(0.75)
    assert found.loc["product", "certified over decay"] == pytest.approx(0.8)
    assert np.isnan(found.loc["eclipse", "distance"])


def test_numbers_between_strengths_are_on_straight_lines():
    found = between_strengths(RECORDS)
    own = found[(found["method"] == "product") & (found["seed"] == 0)]
    for column in MEASURES:
        weak, strong = RECORDS[RECORDS["method"] == "product"][column]
        line = np.interp(own["strength"], [1.0, 2.0], [weak, strong])
        np.testing.assert_allclose(own[column], line)
    assert len(own) == PARTS + 1
    # From decay 1 to 2 the error reaches the level at a share of 1.5 / 9.
    best = best_at_equal_error(found).set_index("method").loc["decay", "distance"]
    assert best == pytest.approx(2 + 1.5 / 9, abs=1 / PARTS)


def test_rows_have_means_and_methods_without_a_fair_network_have_none():
    table = frame_of(penalty_entries(RECORDS)).set_index(["row", "column"])["value"]
    assert table["product", "distance"] == pytest.approx(1.5)
    assert ("eclipse", "distance") not in table.index
    expected = rank_correlation(RECORDS, "product")
    assert table["all networks", "rank of product"] == pytest.approx(expected)
    assert set(PENALTY_KINDS) >= set(table.index.get_level_values("column"))


def test_the_figure_has_a_line_for_each_method():
    records = pd.concat(
        [
            RECORDS.assign(method=method, seed=seed)
            for method in METHODS
            for seed in (0, 1)
        ]
    )
    figure = penalties_figure(records)
    for axes, across in zip(figure.axes, ("error", "product"), strict=True):
        assert len(axes.containers) == len(PENALTIES) == len(METHODS)
        assert axes.get_xlabel()
        shown = axes.containers[0].lines[0].get_xdata().astype(float)
        factor = 100 if across == "error" else 1
        expected = RECORDS.groupby("strength", sort=False)[across].mean() * factor
        np.testing.assert_allclose(shown, expected)
