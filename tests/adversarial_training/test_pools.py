"""Adversarial pools, and the networks that are trained with them."""

import pytest
import torch
from networks import images_of, random_perceptron, seeded
from torch import nn
from torch.nn import functional

from intriguing.adversarial_training.fit import (
    Variant,
    dropout,
    fit_variant,
    variant_loss,
)
from intriguing.adversarial_training.pools import (
    Pools,
    adversarial_perturbations,
    perturbed,
    stages,
)
from intriguing.models.perceptron import linear_layers
from intriguing.training.loop import AdamRecipe
from intriguing.training.perceptron import fit_sigmoid

SIZES = [12, 9, 8, 4]
DECAYS = (1e-4, 1e-4, 1e-5)
ALL = {0: 0.3, 1: 0.2, 2: 0.1}
RECIPE = AdamRecipe(learning_rate=1e-2, epochs=2, batch=20)


@pytest.fixture
def network():
    return random_perceptron(SIZES, [False] * 3)


@pytest.fixture
def images():
    pixels = images_of(100, SIZES[0], seed=1)
    return pixels, torch.arange(100) % SIZES[-1]


def variant(lengths, weight=1.0, dropout=(0.0, 0.0, 0.0)):
    return Variant(DECAYS, dropout, lengths, weight, renewed=0.5)


PLAIN = variant((None, None, None), 0.0)


def above(network, layer):
    """Return what follows a layer's output."""
    return nn.Sequential(*stages(network)[layer:])


def outputs_of(network, layer, pixels):
    return nn.Sequential(*stages(network)[:layer])(pixels).detach()


def margins(logits, labels):
    own = logits.gather(1, labels[:, None])[:, 0]
    return own - logits.scatter(1, labels[:, None], -torch.inf).amax(1)


def test_the_stages_compose_the_network(network):
    pixels = images_of(5, SIZES[0])
    first = torch.sigmoid(linear_layers(network)[0](pixels))
    torch.testing.assert_close(outputs_of(network, 1, pixels), first)
    torch.testing.assert_close(above(network, 0)(pixels), network(pixels))
    assert len(stages(network)) == 3


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_an_example_has_its_length_and_lies_nearer_to_a_wrong_class(network, layer):
    pixels = images_of(30, SIZES[0], seed=2)
    labels = network(pixels).argmax(1)
    shifts = adversarial_perturbations(network, pixels, labels, {layer: 0.05})[layer]
    torch.testing.assert_close(
        shifts.norm(dim=1), torch.full((30,), 0.05), rtol=1e-3, atol=0
    )
    outputs = outputs_of(network, layer, pixels)
    after = margins(above(network, layer)(outputs + shifts), labels)
    assert (after < margins(network(pixels), labels)).all()


def test_above_the_last_layer_the_step_is_straight_to_the_boundary(network):
    """There the logits are linear: the steepest way is known in closed form."""
    pixels = images_of(20, SIZES[0], seed=3)
    labels, strongest = network(pixels).topk(2, dim=1).indices.T
    found = adversarial_perturbations(network, pixels, labels, {2: 0.01})[2]
    weights = linear_layers(network)[2].weight
    normal = weights[strongest] - weights[labels]
    expected = 0.01 * normal / normal.norm(dim=1, keepdim=True)
    torch.testing.assert_close(found, expected.detach(), rtol=0, atol=1e-6)


def test_misclassified_images_are_not_perturbed(network):
    pixels = images_of(60, SIZES[0], seed=9)
    predictions = network(pixels).argmax(1)
    is_correct = torch.arange(60) < 30
    labels = torch.where(is_correct, predictions, (predictions + 1) % SIZES[-1])
    for shifts in adversarial_perturbations(network, pixels, labels, ALL).values():
        assert torch.equal((shifts != 0).any(1), is_correct)


def test_all_layers_at_once_give_what_each_gives_alone(network):
    pixels = images_of(10, SIZES[0], seed=10)
    labels = network(pixels).argmax(1)
    together = adversarial_perturbations(network, pixels, labels, ALL)
    for layer, length in ALL.items():
        alone = adversarial_perturbations(network, pixels, labels, {layer: length})
        torch.testing.assert_close(together[layer], alone[layer])


def test_examples_stay_in_the_box_and_only_those_asked_for_are_replaced(network):
    outputs = images_of(50, SIZES[0], seed=4).round()
    found = perturbed(outputs, torch.randn(50, SIZES[0], generator=seeded(5)))
    assert 0 <= found.min() <= found.max() <= 1
    assert not torch.equal(found, outputs)
    pools, pixels = Pools(8, SIZES, ALL), images_of(2, SIZES[0])
    labels, rows = network(pixels).argmax(1), torch.tensor([6, 3])
    pools.update(network, pixels, labels, rows)
    for layer, made in adversarial_perturbations(network, pixels, labels, ALL).items():
        torch.testing.assert_close(pools.perturbations[layer][rows], made)
        assert pools.perturbations[layer][[0, 1, 2, 4, 5, 7]].count_nonzero() == 0


def test_images_without_examples_and_a_share_of_the_others_are_due(network):
    pools, generator = Pools(3000, SIZES, ALL), seeded(5)
    rows = torch.arange(1000, 3000)
    assert torch.equal(pools.due(rows, 0.2, generator), rows)
    some = torch.rand(len(rows), SIZES[0], generator=generator)
    pools.update(network, some, torch.zeros(len(rows), dtype=torch.int64), rows)
    later = pools.due(torch.arange(3000), 0.2, generator)
    assert torch.equal(later[:1000], torch.arange(1000))
    # Five standard deviations.
    assert (len(later) - 1000) / len(rows) == pytest.approx(0.2, abs=0.045)


@pytest.mark.parametrize(
    ("lengths", "trained"),
    [
        ((0.3, None, None), [True, True, True]),
        ((None, 0.3, None), [False, True, True]),
        ((None, None, 0.3), [False, False, True]),
    ],
)
def test_a_pool_trains_the_layers_above_it_only(network, images, lengths, trained):
    gradients = []
    for weight in (0.0, 1.0):
        network.zero_grad()
        loss = variant_loss(network, *images, variant(lengths, weight), seeded(5))
        (loss(torch.arange(60)) * (1 + weight)).backward()
        gradients.append([w.grad.clone() for w in network.parameters()])
    changed = [not torch.allclose(a, b) for a, b in zip(*gradients, strict=True)]
    assert changed == trained


def test_the_loss_is_that_of_images_and_examples_one_by_one(network, images):
    pixels, labels = images
    rows = torch.arange(0, 100, 4)
    one = variant((0.3, 0.2, 0.1), weight=2.0)
    found = variant_loss(network, pixels, labels, one, seeded(6))(rows)
    total = functional.cross_entropy(network(pixels[rows]), labels[rows])
    lengths = dict(enumerate(one.lengths))
    made = adversarial_perturbations(network, pixels[rows], labels[rows], lengths)
    for layer, shifts in made.items():
        examples = perturbed(outputs_of(network, layer, pixels[rows]), shifts)
        logits = above(network, layer)(examples)
        total = total + 2 * functional.cross_entropy(logits, labels[rows])
    torch.testing.assert_close(found, total / 7)


def test_without_pools_and_dropout_training_is_that_of_the_other_networks(images):
    pixels, labels = images
    ours = fit_variant(pixels, labels, SIZES[1:3], PLAIN, RECIPE, seed=3)
    other = fit_sigmoid(pixels, labels, SIZES[1:3], DECAYS, RECIPE, seed=3)
    for a, b in zip(ours.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_dropout_leaves_out_its_share_and_keeps_the_mean():
    values = dropout(torch.full((4000, 12), 0.7), 0.4, seeded(6))
    assert float((values == 0).float().mean()) == pytest.approx(0.4, abs=0.02)
    assert float(values.mean()) == pytest.approx(0.7, abs=0.02)
    assert torch.equal(dropout(values, 0.0, seeded(6)), values)


@pytest.mark.parametrize(
    "one",
    [
        variant((None, None, None), 0.0, (0.2, 0.1, 0.1)),
        variant((0.5, None, None)),
        variant((0.5, 0.2, 0.2)),
    ],
    ids=["dropout", "input-pool", "layer-pools"],
)
def test_the_same_seed_gives_the_same_network_and_another_another(images, one):
    def weights(seed):
        made = fit_variant(*images, SIZES[1:3], one, RECIPE, seed)
        assert not made.training
        return torch.cat([w.flatten() for w in made.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_a_pool_of_images_makes_a_network_harder_to_fool(images):
    """Two clouds that plain training may part anywhere between them."""
    signs = torch.randint(0, 2, (300,), generator=seeded(7))
    pixels = images_of(300, SIZES[0], seed=8) * 0.4 + 0.3
    pixels[:, 0] = 0.35 + 0.3 * signs
    pixels[:, 1:] = 0.5 + 0.3 * (pixels[:, 1:] - 0.5)
    recipe = AdamRecipe(2e-2, 40, 30)

    def errors(one):
        network = fit_variant(pixels, signs, SIZES[1:3], one, recipe, seed=0)
        shifts = adversarial_perturbations(network, pixels, signs, {0: 0.12})[0]
        return (network(perturbed(pixels, shifts)).argmax(1) != signs).float().mean()

    assert errors(variant((0.12, None, None))) <= errors(PLAIN)
