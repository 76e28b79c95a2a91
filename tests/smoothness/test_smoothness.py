"""The experiment on smoothness: design, batches, shares, limit, planted problem."""

from itertools import combinations
from math import prod

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import t
from torch import nn

from intriguing.errors import InputError
from intriguing.smoothness.design import (
    FACTORS,
    Setting,
    contrasts,
    curves,
    factorial,
    settings,
    terms,
)
from intriguing.smoothness.effects import (
    UNEXPLAINED,
    adjusted,
    effect_table,
    grouped,
    jackknifed,
    share_table,
    shares,
)
from intriguing.smoothness.measures import (
    Digits,
    margins,
    nearest_other_class,
    product_of_norms,
)
from intriguing.smoothness.planted import (
    DIMENSIONS,
    SCALE,
    Clusters,
    NormalisedPower,
    clusters,
    distances,
    trained,
)
from intriguing.smoothness.stack import EPSILON
from intriguing.smoothness.subspaces import (
    ANYWHERE,
    compared_subspaces,
    mean_log_distances,
)
from intriguing.smoothness.table import curve_cells
from intriguing.smoothness.training import Member, initial, relabelled, train
from intriguing.smoothness.trend import log_factor, tenfold
from intriguing.stats.intervals import mean_interval

SIGNS = [signs for _, signs in factorial((10, 20))]
COLUMNS = contrasts(SIGNS)


def digits(count=60, size=12):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 10
    images = torch.randint(0, 256, (count, size), generator=generator)
    return images.to(torch.uint8), labels


def resolution(signs):
    """Return the least number of factors whose product is constant in a design."""
    for count in range(1, len(FACTORS) + 1):
        for chosen in combinations(FACTORS, count):
            if len({prod(row[factor] for factor in chosen) for row in signs}) == 1:
                return count
    raise AssertionError("the design is a full factorial")


def test_no_two_main_effects_or_interactions_are_aliased():
    assert np.allclose(COLUMNS.T @ COLUMNS, len(COLUMNS) * np.eye(len(terms())))


def test_the_design_has_resolution_five():
    assert resolution(SIGNS) == 5


def test_aliasing_is_found_where_there_is_some():
    confounded = [{**signs, "decay": signs["images"]} for signs in SIGNS]
    columns = contrasts(confounded)
    one, other = (terms().index((name,)) for name in ("images", "decay"))
    assert columns[:, one] @ columns[:, other] == len(columns)
    assert resolution(confounded) == 2


def test_every_setting_is_trained_once_and_is_in_the_list():
    every = settings((10, 20, 40), (10, 20))
    assert len(every) == len(set(every))
    assert {one for one, _ in factorial((10, 20))} <= set(every)
    assert {one for curve in curves((10, 20, 40), 20).values() for one in curve} <= set(
        every
    )


@pytest.mark.parametrize("radius", [0.0, 0.5])
def test_a_network_in_a_batch_is_the_network_alone(radius):
    images, labels = digits()
    one = Member(Setting(40, noise=0.2, width=8, decay=1e-3, radius=radius), 3)
    other = Member(Setting(50, width=8, scale=0.5, radius=radius), 4)
    alone = train([one], images, labels, 30)
    batch = train([other, one], images, labels, 30)
    for single, both in zip(alone.weights, batch.weights, strict=True):
        torch.testing.assert_close(single[0], both[1], rtol=1e-4, atol=1e-5)


def test_a_stack_gives_the_logits_of_its_networks():
    images, labels = digits()
    members = [Member(Setting(60, width=8, activation="tanh"), s) for s in (0, 1)]
    stack = train(members, images, labels, 5)
    pixels = images.float() / 255
    together = stack.logits(pixels.expand(2, -1, -1))
    for place in range(2):
        torch.testing.assert_close(stack.network(place)(pixels), together[place])


def test_a_batch_is_normalised_as_by_torch():
    """Against torch's layers in training mode, with gains and shifts of their own."""
    member = Member(Setting(60, width=8, batch_norm=True), 0)
    stack = initial([member], 12, 10)
    layers, generator = [], torch.Generator().manual_seed(1)
    with torch.no_grad():
        for gain, bias in zip(stack.gains, stack.biases, strict=False):
            gain.copy_(torch.rand(gain.shape, generator=generator) + 0.5)
            bias.copy_(torch.randn(bias.shape, generator=generator))
    for weight, bias, gain in zip(
        stack.weights, stack.biases, stack.gains, strict=False
    ):
        linear = nn.Linear(len(weight[0]), len(weight[0, 0]), bias=False)
        normal = nn.BatchNorm1d(len(weight[0, 0]), eps=EPSILON)
        linear.weight.data, normal.weight.data = weight[0].T, gain[0, 0]
        normal.bias.data = bias[0, 0]
        layers += [linear, normal, nn.ReLU()]
    pixels = torch.rand(1, 30, 12, generator=generator)
    expected = nn.Sequential(*layers)(pixels[0]) @ stack.weights[-1][0]
    expected = expected + stack.biases[-1][0]
    torch.testing.assert_close(stack.logits(pixels)[0], expected)
    torch.testing.assert_close(stack.folded(pixels).network(0)(pixels[0]), expected)


def test_a_trained_network_has_its_normalisation_folded_in():
    images, labels = digits(200)
    images = images // 4 + 192 * nn.functional.one_hot(labels, 12).to(torch.uint8)
    member = Member(Setting(200, width=16, batch_norm=True), 0)
    stack = train([member], images, labels, 200)
    assert not stack.gains
    right = stack.network(0)(images.float() / 255).argmax(1) == labels
    assert right.float().mean() > 0.9


def test_decay_is_the_gradient_of_the_penalty():
    """Against Adam on the penalised loss of one network in torch's own layers."""
    images, labels = digits()
    setting = Setting(60, width=8, decay=0.1)
    start, end = (
        train([Member(setting, 0)], images, labels, steps).network(0)
        for steps in (0, 1)
    )
    plain = train([Member(setting._replace(decay=0.0), 0)], images, labels, 1)
    without = plain.network(0)
    layers = zip(start, end, without, strict=True)
    linear = [each for each in layers if isinstance(each[0], nn.Linear)]
    for before, after, unpenalised in linear:
        # The first step of Adam is the sign of the gradient times the learning rate.
        slope = before.weight - unpenalised.weight
        changed = (before.weight - after.weight).sign() != slope.sign()
        weights = before.weight[changed]
        assert changed.any()
        assert torch.equal(
            (before.weight - after.weight)[changed].sign(), weights.sign()
        )


def test_lbfgs_ends_at_the_minimum_of_the_objective():
    """A convex case: a linear model with a strong penalty has a zero gradient there."""
    images, labels = digits()
    setting = Setting(60, depth=0, decay=0.1, optimiser="lbfgs")
    stack = train([Member(setting, 0), Member(setting, 1)], images, labels, 1)
    for weight in stack.weights:
        torch.testing.assert_close(weight[0], weight[1], atol=1e-3, rtol=1e-2)
    network = stack.network(0).requires_grad_(True)
    loss = nn.functional.cross_entropy(network(images.float()[:, None] / 255), labels)
    (loss + 0.05 * network[1].weight.square().sum()).backward()
    assert max(float(one.grad.abs().max()) for one in network.parameters()) < 1e-4


@pytest.mark.parametrize("change", [{"radius": 0.5}, {"batch_norm": True}])
def test_what_lbfgs_cannot_train_is_refused(change):
    member = Member(Setting(60, optimiser="lbfgs", **change), 0)
    with pytest.raises(InputError, match="optimiser lbfgs"):
        train([member], *digits(), 1)


def test_squares_are_units_of_the_stack_and_of_its_network():
    images, labels = digits()
    stack = train([Member(Setting(60, activation="squares"), 0)], images, labels, 3)
    assert stack.activation == "squares"
    pixels = images.float() / 255
    by_hand = pixels
    for layer, (weight, bias) in enumerate(
        zip(stack.weights, stack.biases, strict=True)
    ):
        by_hand = (by_hand.clamp(min=0) ** 2 if layer else by_hand) @ weight[0] + bias[
            0
        ]
    torch.testing.assert_close(stack.network(0)(pixels[:, None]), by_hand)


def test_curves_of_names_have_a_ratio_for_each_name():
    rows = [
        {**setting._asdict(), "seed": seed, "log-distance": value}
        for setting, value in (
            *((one, 0.0) for one in settings((10, 20), (10, 20))),
            (Setting(20, optimiser="lbfgs"), np.log(2)),
            (Setting(20, activation="tanh"), np.log(3)),
        )
        for seed in range(3)
    ]
    last = pd.DataFrame(rows).drop_duplicates([*Setting._fields, "seed"], keep="last")
    cells = curve_cells(last, (10, 20), 20)
    assert cells["optimiser: adam to lbfgs", "ratio"].value == pytest.approx(2)
    assert cells["activation: relu to tanh", "ratio"].value == pytest.approx(3)
    assert cells["activation: relu to squares", "ratio"].value == pytest.approx(1)
    assert cells["images: 10 to 20", "ratio"].value == pytest.approx(1)


def test_parts_of_digits_keep_their_digit():
    images, labels = digits(200)
    assert torch.equal(relabelled(images, labels, 30) % 10, labels)
    assert set(relabelled(images, labels, 5).tolist()) == set(range(5))


def test_the_network_on_parts_adds_their_probabilities():
    logits = torch.randn(4, 30)
    shares_of = logits.softmax(1).reshape(4, 3, 10).sum(1)
    model = Digits(nn.Flatten())
    images = logits.reshape(4, 1, 5, 6)
    torch.testing.assert_close(model(images).softmax(1), shares_of)


def test_planted_effects_are_found():
    """One main effect, one interaction and noise between seeds, of known variances."""
    generator = np.random.default_rng(0)
    width = FACTORS.index("width")
    across = terms().index(("images", "decay"))
    truth = 3 * COLUMNS[:, width] + 1 * COLUMNS[:, across]
    values = truth + generator.normal(0, 1e-3, (5, len(COLUMNS)))
    found = grouped(shares(values, COLUMNS))
    assert found["width"] == pytest.approx(0.9, abs=1e-3)
    assert found["architecture"] == pytest.approx(0.9, abs=1e-3)
    assert found["interactions"] == pytest.approx(0.1, abs=1e-3)
    assert found[UNEXPLAINED] == pytest.approx(0, abs=1e-3)
    assert effect_table(values, SIGNS)["width"].value == pytest.approx(6, abs=1e-3)


def test_shares_add_up_to_one():
    values = np.random.default_rng(1).normal(size=(5, len(COLUMNS)))
    found = share_table(values, SIGNS)
    parts = ("data", "architecture", "training", "interactions", UNEXPLAINED)
    assert sum(found[part].value for part in parts) == pytest.approx(1)


def test_an_effect_through_the_covariate_alone_is_gone_at_equal_covariate():
    generator = np.random.default_rng(2)
    covariate = COLUMNS[:, 0] + generator.normal(0, 1, (5, len(COLUMNS)))
    values = 2 * covariate + generator.normal(0, 0.01, (5, len(COLUMNS)))
    equal = adjusted(values, covariate, COLUMNS)
    assert grouped(shares(values, COLUMNS))["images"] > 0.2
    assert np.abs(equal.mean(0) @ COLUMNS[:, 0] / len(COLUMNS)) < 0.01


def test_the_jackknife_of_a_mean_is_students_interval():
    sample = np.array([1.0, 2.0, 4.0, 8.0])
    found = jackknifed(lambda rows: {"mean": sample[rows].mean()}, 4)["mean"]
    reach = t.ppf(0.975, 3) * sample.std(ddof=1) / 2
    assert (found.low, found.high) == pytest.approx((3.75 - reach, 3.75 + reach))


def test_the_trend_of_a_power_law_is_found():
    images = np.array([600.0, 3000, 10_000, 30_000, 60_000])
    exponents = np.array([0.1, 0.2, 0.3])
    values = exponents[:, None] * np.log(images)
    values[:, :2] += 1
    assert log_factor(images, values[0]) == pytest.approx(0.1 * np.log(10))
    found, expected = tenfold(images, values), mean_interval(list(exponents[:, None]))
    ends = np.log(10) * np.array([expected.low, expected.value, expected.high])
    assert [found.low, found.value, found.high] == pytest.approx(ends)


def test_margins_of_a_linear_network():
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    model[1].weight.data = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    margin, slope = margins(model, torch.tensor([[[[1.0, 0.5]]]]), torch.tensor([0]))
    assert margin.tolist() == [1.0]
    assert slope.tolist() == [5.0]
    assert product_of_norms(model, "relu") == pytest.approx(4.0)


def test_the_nearest_image_of_another_class():
    images = torch.tensor([[0.0], [10.0]])
    found = nearest_other_class(
        images, torch.tensor([0, 1]), torch.tensor([[1.0], [4.0]]), torch.tensor([0, 1])
    )
    assert found.tolist() == [4.0, 9.0]


@pytest.mark.parametrize("count", [2, 4, 8])
def test_minimal_meets_the_optimum_of_the_planted_problem(count):
    centres = clusters(count, count, seed=0).centres
    images = (centres / SCALE + 0.5)[:, None, None]
    data = Clusters(centres, images, torch.arange(count))
    nearest = nn.Sequential(nn.Flatten(), nn.Linear(DIMENSIONS, count))
    nearest[1].weight.data = SCALE * centres
    nearest[1].bias.data = -SCALE / 2 * centres.sum(1)
    found = distances(nearest, data, starts=8)
    assert found.tolist() == pytest.approx([(DIMENSIONS / 2) ** 0.5] * count, rel=1e-4)


def test_units_to_a_power_are_homogeneous_of_degree_one_in_their_weights():
    linear = nn.Linear(4, 3)
    units, inputs = NormalisedPower(linear, 3), torch.randn(5, 4)
    before = units(inputs)
    expected = torch.relu(linear(inputs)) ** 3 / linear.weight.norm(dim=1) ** 2
    torch.testing.assert_close(before, expected)
    with torch.no_grad():
        linear.weight.mul_(2)
        linear.bias.mul_(2)
    torch.testing.assert_close(units(inputs), 2 * before)


def test_finer_labels_or_cubes_find_the_more_robust_classifier():
    data = clusters(16, 64, seed=0)
    classes = data.cluster % 2
    plain = trained(data, classes, 0)
    for labels, power in ((data.cluster, 1), (classes, 3)):
        other = trained(data, labels, 0, power)
        found, less = (distances(one, data, 1).median() for one in (other, plain))
        assert found > 2 * less


def test_a_linear_network_is_further_by_the_cosine_with_the_subspace():
    """|w| over the length of its part in the subspace."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    network[1].weight.data = torch.tensor([[2.0, 1, 0, 0], [0.0, 0, 0, 0]])
    images = torch.tensor([[[[0.9, 0.2, 0.4, 0.1]]]])
    subspaces = compared_subspaces(torch.eye(4)[:, :1], seed=0)
    found = mean_log_distances(network, images, torch.tensor([0]), subspaces)
    length = 5**0.5
    expected = np.log(2.0 / length)
    assert found[ANYWHERE] == pytest.approx(expected, abs=1e-3)
    ratio = {name: np.exp(found[name] - expected) for name in found}
    assert ratio["within the components"] == pytest.approx(length / 2, rel=1e-3)
    assert ratio["orthogonal to the components"] == pytest.approx(length, rel=1e-3)
