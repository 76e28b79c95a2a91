"""Bases of a layer: a planted basis is found, and nothing else counts as special."""

import numpy as np
import pytest
import torch
from networks import images_of, seeded
from torch import nn

from intriguing.models.architecture import build
from intriguing.stats.selectivity import TOP
from intriguing.training.convolutional import Augmentation, fit_convolutional
from intriguing.training.loop import AdamRecipe
from intriguing.training.perceptron import Sparsity, fit_autoencoder, fit_sigmoid
from intriguing.training.rectified import fit_classifier, rectified_architecture
from intriguing.training.untrained import untrained_twin
from intriguing.units.bases import (
    AXES,
    principal_axes,
    random_axes,
    random_rotation,
    rotation_path,
)
from intriguing.units.measure import hidden_layers, measure_layer
from intriguing.units.networks import (
    ISOTROPIC,
    ROTATED,
    IsotropicTanh,
    RotatedReLU,
    control_network,
    rotated_bases,
)
from intriguing.units.table import against_rotations

UNITS = 20


@pytest.fixture(scope="module")
def planted():
    """Return activations of independent units, each of which has one class."""
    labels = torch.arange(2000) % UNITS
    activations = torch.rand(2000, UNITS, generator=seeded())
    return activations + 1.05 * torch.eye(UNITS)[labels], labels


def gains(activations, labels, others):
    rows = measure_layer(activations, labels, others, 30, (0.0, 0.5, 1.0), seed=0)
    facts = {"network": "planted", "trained": True, "layer": 1, "seed": 0}
    compared = against_rotations(rows.assign(**facts)).set_index("basis")
    return compared, rows[rows["basis"] == "path"]


def test_a_planted_basis_has_the_advantage_and_loses_it_on_the_path(planted):
    compared, path = gains(*planted, {})
    neurons = compared.loc["neurons"]
    assert neurons["purity"] == 1
    assert neurons["gain-purity"] > 0.3
    assert neurons["gain-entropy"] < -0.5
    assert neurons["gain-kurtosis"] > 1
    assert neurons["as-extreme-purity"] == 1 / 31
    assert path["purity"].is_monotonic_decreasing
    assert path["kurtosis"].is_monotonic_decreasing


def test_the_advantage_moves_with_the_planted_basis(planted):
    activations, labels = planted
    rotation = random_rotation(UNITS, 3)
    compared, _ = gains(activations @ rotation, labels, {"rotated": rotation})
    assert compared.loc["rotated", "purity"] == 1
    assert abs(compared.loc["neurons", "gain-purity"]) < 0.1
    assert abs(compared.loc["neurons", "gain-kurtosis"]) < 0.2


def test_no_basis_of_isotropic_activations_is_special():
    activations = torch.randn(2000, UNITS, generator=seeded(4))
    labels = torch.randint(0, 10, (2000,), generator=seeded(5))
    compared, _ = gains(activations, labels, {})
    for measure in ("purity", "entropy", "eta2", "auc", "kurtosis"):
        assert compared.loc["neurons", f"as-extreme-{measure}"] > 1 / 31


def test_directions_that_few_images_activate_are_left_out(planted):
    activations, labels = planted
    silent = torch.zeros(2000, 1)
    silent[: TOP - 1] = 1
    rows = measure_layer(torch.cat([activations, silent], 1), labels, {}, 2, (), 0)
    assert rows.loc[rows["basis"] == "neurons", "purity"].item() == 1


@pytest.mark.parametrize("units", [7, AXES + 50])
def test_random_axes_are_orthonormal_and_at_most_so_many(units):
    axes = random_axes(units, seeded())
    assert len(axes) == min(units, AXES)
    torch.testing.assert_close(axes @ axes.T, torch.eye(len(axes)), atol=1e-5, rtol=0)


def test_the_path_leads_from_the_units_to_a_rotation():
    start, middle, end = rotation_path(9, (0, 0.5, 1), seed=2)
    eye = torch.eye(9)
    torch.testing.assert_close(start, eye)
    torch.testing.assert_close(end, random_rotation(9, 2), atol=1e-5, rtol=0)
    torch.testing.assert_close(middle @ middle, end, atol=1e-5, rtol=0)
    torch.testing.assert_close(middle @ middle.T, eye, atol=1e-5, rtol=0)
    assert np.linalg.det(random_rotation(9, 2).double()) == pytest.approx(1)


def test_principal_axes_hold_nearly_all_variance_in_both_directions():
    scales = torch.tensor([10.0, 3.0, 0.1])
    values = torch.randn(500, 3, generator=seeded()) * scales
    axes = principal_axes(values)
    assert axes.shape == (4, 3)
    torch.testing.assert_close(axes[:2], -axes[2:])
    np.testing.assert_allclose(axes[:2, :2].abs(), np.eye(2), atol=0.05)


def test_a_rotated_network_is_an_ordinary_one_in_other_coordinates():
    rotation, inputs = random_rotation(6, 0), torch.randn(5, 6, generator=seeded())
    rotated = RotatedReLU(rotation)(inputs @ rotation)
    torch.testing.assert_close(rotated @ rotation.T, inputs.relu())
    bases = rotated_bases(control_network(ROTATED, 1))
    assert list(bases) == ["2", "4"] == hidden_layers(control_network(ROTATED, 1))
    (end,) = rotation_path(100, (1,), seed=1)
    torch.testing.assert_close(bases["2"], end, atol=1e-5, rtol=0)


def test_an_isotropic_nonlinearity_has_no_basis():
    rotation, inputs = random_rotation(6, 0), 3 * torch.randn(5, 6, generator=seeded())
    outputs = IsotropicTanh()(inputs)
    torch.testing.assert_close(IsotropicTanh()(inputs @ rotation), outputs @ rotation)
    assert (outputs.norm(dim=1) < 1).all()
    assert rotated_bases(control_network(ISOTROPIC, 1)) == {}


RECIPE = AdamRecipe(1e-2, epochs=0, batch=10)


def weights(network: nn.Module) -> list[torch.Tensor]:
    return [layer.weight for layer in network.modules() if hasattr(layer, "weight")]


def test_the_untrained_twin_has_the_weights_from_before_training():
    pixels, labels = images_of(30, 12), torch.arange(30) % 3
    sigmoid = fit_sigmoid(pixels, labels, [5, 4], [0, 0, 0], RECIPE, seed=7)
    torch.testing.assert_close(weights(untrained_twin(sigmoid, 7)), weights(sigmoid))
    sparsity = Sparsity(0.05, 0.05, 0)
    coded = fit_autoencoder(pixels, labels, 6, 1e-3, sparsity, RECIPE, seed=7)
    twin = untrained_twin(coded, 7)
    torch.testing.assert_close(weights(twin)[0], weights(coded)[0])
    layers = [{"layer": "conv", "in_channels": 2, "out_channels": 3, "kernel_size": 3}]
    layers += [{"layer": "flatten"}]
    layers += [{"layer": "linear", "in_features": 12, "out_features": 3}]
    images = (255 * images_of(30, 2, 4, 4)).to(torch.uint8)
    how = {"kind": "sequential", "layers": layers}, images, labels, RECIPE
    convolutional = fit_convolutional(*how, 0, Augmentation(), 7)
    twin = untrained_twin(convolutional, 7)
    torch.testing.assert_close(weights(twin), weights(convolutional))


def test_a_rectified_network_learns_and_depends_on_its_seed():
    pixels, labels = images_of(8000, 6), torch.arange(8000) % 2
    pixels[:, 0] = labels
    first, again, other = (
        fit_classifier(build(rectified_architecture([6, 8, 2])), pixels, labels, seed)
        for seed in (1, 1, 2)
    )
    assert (first(pixels).argmax(1) == labels).float().mean() > 0.95
    torch.testing.assert_close(weights(first), weights(again), rtol=0, atol=0)
    assert not torch.equal(weights(first)[0], weights(other)[0])
