"""Full-batch training: gradients against autograd, and the optimum of a convex case."""

import pytest
import torch
from networks import images_of, random_perceptron

from intriguing.models.perceptron import linear_layers
from intriguing.training import full_batch
from intriguing.training.full_batch import (
    LbfgsRecipe,
    convergence,
    fit_full_batch,
    loss_and_gradients,
)
from intriguing.training.softmax import fit_softmax

LABELS = torch.arange(60) % 3
DECAYS = (1e-2, 1e-3)


@pytest.fixture
def pixels() -> torch.Tensor:
    """Twelve pixels, of which the last is 0 in all images."""
    images = images_of(60, 12)
    images[:, -1] = 0
    images[LABELS == 1, :4] += 1
    return images


@pytest.mark.parametrize("piece", [7, 60, 3000])
def test_gradients_are_those_of_autograd(pixels, monkeypatch, piece):
    monkeypatch.setattr(full_batch, "PIECE", piece)
    network = random_perceptron([12, 5, 4, 3], [False] * 3)
    weights = [layer.weight for layer in linear_layers(network)]
    expected = torch.nn.functional.cross_entropy(network(pixels), LABELS)
    autograd = torch.autograd.grad(expected, weights)
    with torch.no_grad():
        loss, gradients = loss_and_gradients(
            [weight.detach() for weight in weights], pixels, LABELS
        )
    assert loss == pytest.approx(expected.item())
    for ours, theirs in zip(gradients, autograd, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_softmax_regression_reaches_its_only_minimum(pixels):
    network = random_perceptron([12, 3], [False])
    fit_full_batch(network, pixels, LABELS, [1e-2], LbfgsRecipe(300, 30))
    minimum = fit_softmax(pixels.double().numpy(), LABELS, 1e-2, 1e-9)
    torch.testing.assert_close(network[1].weight.data, minimum, rtol=1e-3, atol=1e-4)


def test_a_sigmoid_network_ends_where_the_gradient_is_small(pixels):
    network = random_perceptron([12, 5, 3], [False] * 2)
    before = convergence(network, pixels, LABELS, DECAYS)
    fit_full_batch(network, pixels, LABELS, DECAYS, LbfgsRecipe(400, 30))
    after = convergence(network, pixels, LABELS, DECAYS)
    assert after["objective"] < 0.5 * before["objective"]
    assert after["gradient"] < 1e-4
    # The weights of a pixel that is always 0 have only their decay in the gradient.
    limit = 1.01 * after["gradient"] / DECAYS[0]
    assert network[1].weight[:, -1].abs().max() < limit
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())


def test_progress_has_a_step_for_each_iteration(pixels):
    seen = []

    def track(iterations):
        for iteration in iterations:
            seen.append(iteration)
            yield iteration

    network = random_perceptron([12, 5, 3], [False] * 2)
    fit_full_batch(network, pixels, LABELS, DECAYS, LbfgsRecipe(10, 5), track)
    assert seen == list(range(10))


def test_the_same_weights_train_to_the_same_bytes(pixels):
    first, second = (
        fit_full_batch(
            random_perceptron([12, 5, 3], [False] * 2),
            *(pixels, LABELS, DECAYS, LbfgsRecipe(20, 30)),
        )
        for _ in range(2)
    )
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
