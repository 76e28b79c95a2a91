"""Training of perceptrons: optimality, seeds, decay, sparsity."""

import pytest
import torch
from networks import seeded
from scipy import sparse
from torch import nn

from intriguing.models.perceptron import linear_layers
from intriguing.training import perceptron as training
from intriguing.training.loop import AdamRecipe
from intriguing.training.perceptron import Sparsity
from intriguing.training.softmax import fit_linear, fit_softmax


@pytest.fixture(scope="module")
def blobs() -> tuple[torch.Tensor, torch.Tensor]:
    """Three overlapping classes of 12 pixels in [0, 1]."""
    generator = seeded()
    labels = torch.arange(300) % 3
    centres = torch.rand(3, 12, generator=generator)
    noise = 0.3 * torch.randn(300, 12, generator=generator)
    return (centres[labels] + noise).clamp(0, 1), labels


@pytest.mark.parametrize("decay", [1e-4, 1e-2, 1.0])
def test_the_linear_network_is_the_minimum_of_the_papers_loss(blobs, decay):
    pixels, labels = blobs
    network = fit_linear(pixels, labels, decay)
    weights = linear_layers(network)[0].weight.detach().double().requires_grad_(True)
    logits = pixels.double() @ weights.T
    loss = (
        nn.functional.cross_entropy(logits, labels) + decay / 2 * weights.square().sum()
    )
    (gradient,) = torch.autograd.grad(loss, weights)
    assert gradient.abs().max() < 2e-5
    assert linear_layers(network)[0].bias is None


def test_dense_and_sparse_features_give_the_same_classifier(blobs):
    pixels, labels = blobs
    dense = pixels.double().numpy()
    one = fit_softmax(dense, labels, 1e-2, 1e-8)
    two = fit_softmax(sparse.csr_matrix(dense), labels, 1e-2, 1e-8)
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def fit(seed, blobs, **changes):
    settings = {"hidden": [8], "decays": [1e-5, 1e-6]} | changes
    recipe = AdamRecipe(0.02, 20, 30)
    return training.fit_sigmoid(*blobs, recipe=recipe, seed=seed, **settings)


def test_a_seed_decides_every_bit_and_training_lowers_the_error(blobs):
    first, again, other = (fit(seed, blobs) for seed in (1, 1, 2))
    for one, same in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, same)
    assert not torch.equal(first[1].weight, other[1].weight)
    pixels, labels = blobs
    assert (first(pixels).argmax(1) != labels).float().mean() < 0.2


def test_decay_shrinks_the_weights_of_its_own_layer_only(blobs):
    free = linear_layers(fit(0, blobs, decays=[0.0, 0.0]))
    held = linear_layers(fit(0, blobs, decays=[0.3, 0.0]))
    assert held[0].weight.norm() < 0.5 * free[0].weight.norm()
    assert held[1].weight.norm() > 0.5 * free[1].weight.norm()


@pytest.mark.parametrize("mean", [0.01, 0.05, 0.4])
def test_the_divergence_is_zero_at_the_target_and_positive_elsewhere(mean):
    value = training.kl_divergence(0.05, torch.tensor([mean]))
    assert value == pytest.approx(0, abs=1e-7) if mean == 0.05 else value > 0


def test_a_sparsity_penalty_makes_the_codes_sparser(blobs):
    pixels, _ = blobs
    recipe = AdamRecipe(0.02, 40, 30)
    means = []
    for weight in (0.0, 1.0):
        sparsity = Sparsity(target=0.05, weight=weight, decay=1e-4)
        encoder = training.fit_encoder(pixels, 10, sparsity, recipe, seed=0)
        means.append(float(encoder(pixels).mean()))
    assert means[1] < 0.5 * means[0]


def test_the_classifier_on_codes_leaves_the_encoder_as_it_was(blobs):
    pixels, labels = blobs
    sparsity, recipe = Sparsity(0.05, 0.05, 1e-3), AdamRecipe(0.02, 10, 30)
    network = training.fit_autoencoder(
        pixels, labels, 10, 1e-4, sparsity, recipe, seed=3
    )
    encoder = training.fit_encoder(pixels, 10, sparsity, recipe, seed=3)
    assert torch.equal(network[1].weight, encoder[1].weight)
    assert torch.equal(network[1].bias, encoder[1].bias)
    assert (network(pixels).argmax(1) != labels).float().mean() < 0.3
