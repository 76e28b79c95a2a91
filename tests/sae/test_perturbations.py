"""Perturbations through a code, where the answer is known."""

import pytest
import torch
from networks import images_of, seeded
from torch import nn

from intriguing.sae.attacked import attack_both
from intriguing.sae.code import SparseCode, top_k
from intriguing.sae.measure import (
    ALL,
    CODE,
    CodeSettings,
    Layer,
    layers_of,
    leading_energy,
    measure_network,
    perturbation_rows,
)
from intriguing.sae.perturbations import (
    ADVERSARIAL,
    NATURAL,
    RANDOM,
    SIGNS,
    Attacked,
    Background,
    alignments,
    code_changes,
    margin_changes,
    perturbations_of,
)
from intriguing.stats.components import principal_components
from intriguing.training.loop import AdamRecipe
from intriguing.training.perceptron import fit_sigmoid

UNITS = 6
HEAD = nn.Linear(UNITS, 3, bias=False).requires_grad_(False)
HEAD.weight.data = torch.randn(3, UNITS, generator=seeded(4))
LABELS, TARGETS = torch.tensor([0, 0, 1, 2]), torch.tensor([1, 2, 2, 0])


def planted_code(kept: int) -> SparseCode:
    """Return a code that represents the first coordinates, of both signs, exactly."""
    code = SparseCode(torch.zeros(2, UNITS), 2 * kept, top_k(kept), seeded())
    axes = torch.eye(UNITS)[:kept]
    code.encoder.data = torch.cat([axes, -axes])
    code.decoder.data = code.encoder.data.T.clone()
    code.scale.fill_(1.0)
    return code.requires_grad_(False)


@pytest.fixture
def states():
    before = torch.randn(4, UNITS, generator=seeded(1))
    return before, before + torch.randn(4, UNITS, generator=seeded(2))


def attacked_of(before):
    return Attacked(before, LABELS, TARGETS, torch.zeros_like(before))


def test_a_complete_code_carries_the_whole_change(states):
    before, after = states
    how = planted_code(UNITS), HEAD, before, after, attacked_of(before)
    change, carried = margin_changes(*how)
    torch.testing.assert_close(carried, change)


def test_what_a_code_does_not_represent_it_does_not_carry(states):
    before, after = states
    kept, rows = 2, torch.arange(4)
    how = planted_code(kept), HEAD, before, after, attacked_of(before)
    change, carried = margin_changes(*how)
    gradient = HEAD.weight[TARGETS] - HEAD.weight[LABELS]
    torch.testing.assert_close(change, ((after - before) * gradient).sum(1))
    known = ((after - before) * gradient)[rows, :kept].sum(1)
    torch.testing.assert_close(carried, known)
    nothing = before.clone()
    nothing[:, kept:] += 1
    assert margin_changes(*how[:3], nothing, how[4])[1].abs().max() < 1e-6


def test_rows_state_the_share_that_is_not_carried():
    pixels = torch.randn(4, UNITS, generator=seeded(1))
    layer = Layer(1, nn.Sequential(nn.Identity()), nn.Sequential(HEAD))
    steps = torch.zeros(4, UNITS)
    steps[:, 0], steps[:, UNITS - 1] = 1.0, 2.0
    training = torch.randn(30, UNITS, generator=seeded(3)), torch.arange(30) % 3
    code, attacked = planted_code(2), attacked_of(pixels)
    (row,) = perturbation_rows(layer, code, attacked, {"step": steps}, *training)
    gradient = HEAD.weight[TARGETS] - HEAD.weight[LABELS]
    missed, all_of_it = gradient[:, -1] * 2, gradient[:, 0] + gradient[:, -1] * 2
    expected = float(missed.sum() / all_of_it.sum())
    assert row["uncarried"] == pytest.approx(expected, abs=1e-5)
    size = float(missed.abs().sum() / all_of_it.abs().sum())
    assert row["uncarried-size"] == pytest.approx(size, abs=1e-5)


def test_switched_latents_are_counted():
    code = planted_code(UNITS)
    before = torch.ones(1, UNITS)
    after = before.clone()
    after[0, :2] = torch.tensor([-1.0, 3.0])
    found = code_changes(code, before, after)
    assert found["switched"].item() == 2  # one off, its opposite on
    assert found["jaccard"].item() == pytest.approx(5 / 7)
    # Changes of 1, 1 and 2: (1 + 1 + 2)^2 / (1 + 1 + 4).
    assert found["participation"].item() == pytest.approx(16 / 6)


def test_a_change_along_a_direction_is_aligned_with_it_only():
    latents = torch.eye(UNITS)[:, :3]
    components, _ = torch.linalg.qr(torch.randn(UNITS, UNITS, generator=seeded()))
    change = 2 * torch.eye(UNITS)[:1]
    found = alignments(change, latents, components, -change)
    assert found["cos-latent"].item() == pytest.approx(1)
    assert found["cos-neuron"].item() == pytest.approx(1)
    expected = components[0].abs().max().item()
    assert found["cos-component"].item() == pytest.approx(expected)
    assert found["cos-means"].item() == pytest.approx(-1)


@pytest.fixture(scope="module")
def background():
    pixels = torch.rand(200, 16, generator=seeded(5)) * torch.linspace(0.1, 1, 16)
    return Background(pixels, torch.arange(200) % 3)


@pytest.fixture(scope="module")
def controls(background):
    r = torch.randn(4, 16, generator=seeded(6))
    attacked = Attacked(background.pixels[:4], LABELS, TARGETS, r)
    other = torch.randn(4, 16, generator=seeded(7))
    return r, perturbations_of(attacked, other, background, seeded())


def test_perturbations_have_the_norm_of_r_and_random_signs_its_components(
    controls, background
):
    r, found = controls
    assert torch.equal(found[ADVERSARIAL], r)
    for one in found.values():
        torch.testing.assert_close(one.norm(dim=1), r.norm(dim=1))
    r, found = controls
    _, axes = principal_components(background.pixels)
    torch.testing.assert_close(
        (found[SIGNS] @ axes).abs(), (r @ axes).abs(), atol=1e-4, rtol=1e-3
    )


def test_a_natural_difference_points_to_an_image_of_the_target_class(
    controls, background
):
    _, found = controls
    pixels = background.pixels
    for i, target in enumerate(TARGETS):
        towards = pixels[background.labels == target] - pixels[i]
        cosines = nn.functional.cosine_similarity(towards, found[NATURAL][i : i + 1])
        assert cosines.max().item() == pytest.approx(1, abs=1e-5)


def test_energy_is_that_in_the_components_that_hold_most_variance():
    pixels = torch.randn(3000, 4, generator=seeded()) * torch.tensor([9.0, 3, 0.1, 0.1])
    steps = {"along": torch.eye(4)[:1], "off": torch.eye(4)[2:3]}
    found = leading_energy(steps, pixels)
    assert found["along"] == pytest.approx(1, abs=0.01)
    assert found["off"] == pytest.approx(0, abs=0.01)


@pytest.fixture(scope="module")
def learned():
    """Return images whose class is their brightest of three pixels, and networks."""
    images = images_of(300, 1, 4, 4)
    labels = images.flatten(1)[:, :3].argmax(1)
    recipe = AdamRecipe(5e-2, epochs=40, batch=50)
    how = images.flatten(1), labels, [8, 8], [0, 0, 0], recipe
    return images, labels, tuple(fit_sigmoid(*how, seed) for seed in (0, 1))


def test_a_network_is_measured_layer_by_layer(learned):
    *digits, networks = learned
    sets = tuple(digits), tuple(digits)
    how = CodeSettings(2, 3, 1), ALL, 30, 0
    qualities, changes = measure_network(networks, *sets, *how)
    assert set(zip(qualities["layer"], qualities["code"], strict=True)) == {
        (layer, code) for layer in (1, 2) for code in ALL
    }
    assert len(changes) == 2 * len(ALL) * 6
    r = changes[(changes["perturbation"] == ADVERSARIAL) & (changes["code"] == CODE)]
    noise = changes[changes["perturbation"] == RANDOM]
    assert (r["change"] > 3 * noise["change"].abs().max()).all()
    assert [layer.number for layer in layers_of(networks[0])] == [1, 2]


def test_the_same_images_and_targets_are_attacked_for_both_networks(learned):
    images, labels, networks = learned
    some = images[:40], labels[:40]
    attacked, other = attack_both(*networks, *some, images, seed=0)
    assert len(attacked.pixels) > 30
    for network, r in zip(networks, (attacked.perturbations, other), strict=True):
        found = network(attacked.pixels + r).argmax(1)
        assert (found == attacked.targets).float().mean() > 0.9
    assert torch.equal(attacked.labels, networks[0](attacked.pixels).argmax(1))
