"""Norms presumed from moments, against closed forms, quadrature and sampling."""

import numpy as np
import pandas as pd
import pytest
import torch
from bounds.small import small_network
from networks import images_of
from scipy.stats import multivariate_normal, norm
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from intriguing.bounds.gradients import norms_of
from intriguing.bounds.heuristics import heuristic_errors, moments_of, normal_tail
from intriguing.bounds.network import ACTIVATIONS, Network, fully_connected
from intriguing.bounds.presumed import (
    Moments,
    dependent,
    gaussian_layer,
    independent,
    mean_squared_norm,
    operations_of_one_image,
    propagated,
    uncorrelated_squared_norm,
)
from intriguing.bounds.table import HEURISTIC_KINDS, heuristic_entries
from intriguing.tables.tidy import frame_of

PAIR = Moments(np.array([0.4, -0.7]), np.array([[1.0, 0.6], [0.6, 2.0]]))


def test_two_rectifiers_are_active_together_with_the_orthant_probability():
    found = gaussian_layer(nn.ReLU, PAIR).gates[0, 1]
    expected = multivariate_normal(-PAIR.mean, PAIR.covariance).cdf([0.0, 0.0])
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", [nn.ReLU, nn.Sigmoid, nn.Tanh])
def test_moments_of_a_layer_are_those_of_many_draws(kind):
    draws = np.random.default_rng(0).multivariate_normal(*PAIR, size=400_000)
    values, slopes = (f(draws) for f in ACTIVATIONS[kind][:2])
    layer = gaussian_layer(kind, PAIR)
    np.testing.assert_allclose(layer.after.mean, values.mean(0), atol=4e-3)
    np.testing.assert_allclose(layer.after.covariance, np.cov(values.T), atol=6e-3)
    np.testing.assert_allclose(layer.gates, slopes.T @ slopes / len(slopes), atol=4e-3)


@pytest.mark.parametrize("kind", [nn.ReLU, nn.Sigmoid])
def test_one_layer_of_gaussian_inputs_leaves_only_the_sampling_error(kind):
    """With Gaussian inputs and one hidden layer nothing is presumed."""
    network = fully_connected(small_network([5, 8, 3], kind))
    inputs = Moments(np.linspace(-1, 1, 5), np.diag(np.linspace(0.5, 2, 5)))
    draws = np.random.default_rng(0).multivariate_normal(*inputs, size=100_000)
    found = mean_squared_norm(network, propagated(network, inputs, dependent))
    assert found == pytest.approx(norms_of(network, draws).squared.mean(), rel=0.01)


def test_units_that_are_independent_need_no_covariance():
    """Diagonal matrices: every unit sees a pixel of its own."""
    weights = [np.diag([1.0, 2.0, -1.5]), np.diag([0.5, 1.0, 3.0])]
    network = Network(tuple(weights), (np.full(3, 0.2), np.zeros(3)), nn.ReLU)
    inputs = Moments(np.zeros(3), np.eye(3))
    found = [
        mean_squared_norm(network, propagated(network, inputs, keep))
        for keep in (independent, dependent)
    ]
    squares = np.diag(weights[1] @ weights[0]) ** 2
    active = norm.cdf(0.2 / np.abs(np.diag(weights[0])))
    np.testing.assert_allclose(found, squares @ active, rtol=1e-9)


def test_matrices_without_common_directions_multiply():
    """Orthogonal matrices times a number have no direction of their own."""
    generator = np.random.default_rng(1)
    turns = [np.linalg.qr(generator.normal(size=(6, 6)))[0] for _ in range(3)]
    weights = tuple(
        turn * scale for turn, scale in zip(turns, (2, 3, 0.5), strict=True)
    )
    network = Network(weights, (np.zeros(6),) * 3, nn.ReLU)
    layers = propagated(network, Moments(np.zeros(6), np.eye(6)), independent)
    rates = [np.diag(layer.gates).mean() for layer in layers]
    assert rates[0] == pytest.approx(0.5)
    expected = 4 * 9 * 0.25 * 6 * np.prod(rates)
    assert uncorrelated_squared_norm(network, layers) == pytest.approx(expected)


def test_the_probability_beyond_a_level_is_that_of_logarithms():
    norms = np.exp(np.random.default_rng(0).normal(1, 0.5, size=20_000))
    assert normal_tail(norms, np.exp(2.5)) == pytest.approx(norm.sf(3), rel=0.1)


def test_operations_of_an_image_are_those_that_torch_counts():
    sizes = [40, 12, 9, 5]
    first = torch.randn(12, 40)
    maps = [first, torch.randn(9, 12), torch.randn(5, 9)]
    root = torch.randn(12, 12)
    with FlopCounterMode(display=False) as counter:
        values = torch.randn(1, 40)
        for weight in maps:
            values = values @ weight.T
        jacobian = torch.eye(5) * 1.0
        for weight in maps[:0:-1]:
            jacobian = jacobian @ weight
        jacobian = jacobian @ root
    counted = counter.get_total_flops()
    # The product of the last matrix with the identity is none.
    assert operations_of_one_image(sizes) == counted - 2 * 5 * 5 * 9


def test_facts_of_a_network_become_rows():
    network = fully_connected(small_network([6, 7, 5, 3]))
    points = images_of(300, 6).double().numpy().reshape(300, 6)
    labels = np.arange(300) % 3
    facts = heuristic_errors(network, (points, labels), points, 3000, 0)
    assert facts == heuristic_errors(network, (points, labels), points, 3000, 0)
    assert set(facts) == set(HEURISTIC_KINDS)
    assert 0.8 < facts["classes"] < 1.25
    assert 0.8 < facts["99 % inputs"] < 1.25
    rows = pd.DataFrame([{"network": "net", **facts}, {"network": "net", **facts}])
    table = frame_of(heuristic_entries(rows))
    assert list(table["column"]) == list(HEURISTIC_KINDS)
    assert (table["seeds"] == 2).all()


def test_moments_are_those_of_numpy():
    points = np.random.default_rng(0).normal(size=(50, 4))
    found = moments_of(points)
    np.testing.assert_allclose(found.covariance, np.cov(points.T) * 49 / 50)
