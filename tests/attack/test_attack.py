"""The batched attack against closed forms, SciPy, and its own promises."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import images_of, seeded
from torch import nn

from intriguing.attack import find_adversarial
from intriguing.attack.exact import linear_optima
from intriguing.attack.lbfgs import Accuracy, search
from intriguing.attack.objective import (
    PENALTIES,
    SQUARED,
    evaluate,
    free_pixels,
    safe_margins,
    target_loss,
    target_margin,
    target_mask_of,
)
from intriguing.attack.scipy_lbfgs import minimise_penalised
from intriguing.attack.weights import Refinement
from intriguing.errors import InputError
from intriguing.models.perceptron import perceptron

EXACT = {"tolerance": 1e-4, "decrease": 0.0, "boundary_share": 0.0, "iterations": 1000}
TIGHT = Accuracy(**EXACT)


def gaussian(network: nn.Module, seed: int, deviation: float = 1.0) -> nn.Module:
    """Draw all weights, and freeze them."""
    generator = seeded(seed)
    for weights in network.parameters():
        weights.data = deviation * torch.randn(weights.shape, generator=generator)
    return network.eval().requires_grad_(False)


def linear_classifier(classes: int, width: int, seed: int) -> nn.Module:
    return gaussian(perceptron([width, classes], [False]), seed)


def sigmoid_network(seed: int, width: int = 20) -> nn.Module:
    return gaussian(perceptron([width, 16, 5], [True, True]), seed, 1.5)


def wrong_classes(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    logits = model(images)
    return (logits.argmax(1) + 1) % logits.shape[1]


@pytest.mark.parametrize("seed", range(5))
def test_two_classes_are_left_by_the_projection_on_the_boundary_and_the_box(seed):
    model, clean = linear_classifier(2, 30, seed), images_of(8, 30, seed=seed)
    targets = wrong_classes(model, clean)
    found = find_adversarial(model, clean, targets, **EXACT)
    optima = linear_optima(model, clean, target_mask_of(2, targets, None))
    ratio = found.distortion * 30**0.5 / optima.length
    assert found.reached.all()
    # Nothing is shorter than the exact optimum; the search stops just above it.
    assert ratio.min() > 1 - 1e-5
    assert ratio.mean() <= 1.001
    assert ratio.max() <= 1.003


@pytest.mark.parametrize("norm", ["squared", "plain"])
def test_at_one_weight_the_batch_ends_where_scipy_does(norm):
    model, clean = linear_classifier(5, 20, 3), images_of(12, 20, seed=4)
    target_mask = target_mask_of(5, wrong_classes(model, clean), None)
    weights, penalty = torch.full((12,), 0.7), PENALTIES[norm]
    least, once = safe_margins(model, clean), Refinement(max_weights=1)
    found = search(model, clean, target_mask, least, penalty, once, weights, TIGHT)

    def objective(images: torch.Tensor) -> torch.Tensor:
        length = (images - clean).double().norm(dim=1)
        return 0.7 * penalty.value(length) + evaluate(model, images, target_mask).loss

    rows = zip(clean.split(1), target_mask.split(1), strict=True)
    # SciPy starts off the clean image, where the plain norm is not differentiable.
    starts = (clean + 0.05).clamp(0, 1).double().numpy()
    best = [
        minimise_penalised(model, *row, 0.7, start, penalty)[0]
        for row, start in zip(rows, starts, strict=True)
    ]
    theirs = objective(torch.from_numpy(np.stack(best)).float())[found.success]
    assert (objective(found.image)[found.success] <= theirs * (1 + 1e-5)).all()
    assert found.success.sum() > 3


def test_it_is_as_short_as_scipys_search_on_a_linear_network():
    model, clean = linear_classifier(10, 40, 0), images_of(24, 40, seed=1)
    targets = wrong_classes(model, clean)
    ours = find_adversarial(model, clean, targets)
    theirs = find_adversarial(model, clean, targets, method="scipy")
    assert ours.reached.all()
    assert theirs.reached.all()
    ratio = ours.distortion / theirs.distortion
    assert ratio.mean() <= 1.001
    assert ratio.max() <= 1.003


def test_more_starts_are_never_longer_and_cost_less_than_apart():
    model, clean = sigmoid_network(1), images_of(64, 20, seed=2)
    targets = wrong_classes(model, clean)
    both = find_adversarial(model, clean, targets, starts=2)
    apart = [
        find_adversarial(model, clean, targets, first_weights=[s]) for s in (1.0, 0.1)
    ]
    first = apart[0]
    assert (both.distortion[first.reached] <= first.distortion[first.reached]).all()
    assert set(both.start.tolist()) == {0, 1}
    kept = both.start == 0
    assert torch.equal(both.images[kept], first.images[kept])
    shortest = torch.stack(
        [run.distortion.masked_fill(~run.reached, torch.inf) for run in apart]
    ).amin(0)
    assert torch.equal(both.reached, first.reached | apart[1].reached)
    # A search that ends early may miss a third minimum.
    assert (both.distortion / shortest)[both.reached].quantile(0.9) <= 1.003
    assert both.evaluations.sum() < sum(run.evaluations.sum() for run in apart)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 12))
def test_images_stay_in_the_box_and_reach_what_is_said(seed, count):
    model, clean = sigmoid_network(seed), images_of(count, 20, seed=seed + 1)
    targets = wrong_classes(model, clean)
    found = find_adversarial(model, clean, targets)
    assert ((found.images >= 0) & (found.images <= 1)).all()
    assert torch.equal(found.reached, model(found.images).argmax(1) == targets)
    expected = (found.images - clean).square().mean(1).sqrt()
    torch.testing.assert_close(found.distortion, expected)


@pytest.mark.parametrize("seed", range(4))
def test_results_do_not_depend_on_the_batch(seed):
    model, clean = sigmoid_network(seed), images_of(40, 20, seed=seed)
    targets = wrong_classes(model, clean)
    whole = find_adversarial(model, clean, targets)
    order = torch.randperm(40, generator=seeded(seed))
    shuffled = find_adversarial(model, clean[order], targets[order])
    parts = [
        find_adversarial(model, clean[i : i + 7], targets[i : i + 7])
        for i in range(0, 40, 7)
    ]
    alone = torch.cat([part.distortion for part in parts])
    assert torch.equal(whole.prediction[order], shuffled.prediction)
    # Rounding differs with the batch, and may decide between two minima.
    for other in (shuffled.distortion[order.argsort()], alone):
        change = (other / whole.distortion - 1).abs()
        assert change.quantile(0.9) < 1e-3
        assert change.max() < 0.1


def test_untargeted_ends_at_the_nearest_of_all_targets_or_close_to_it():
    model, clean = linear_classifier(4, 25, 7), images_of(16, 25, seed=8)
    labels = model(clean).argmax(1)
    free = find_adversarial(model, clean, labels=labels)
    assert (free.prediction != labels).all()
    each = []
    for shift in (1, 2, 3):
        targeted = find_adversarial(model, clean, (labels + shift) % 4)
        each.append(targeted.distortion.masked_fill(~targeted.reached, torch.inf))
    nearest = torch.stack(each).amin(0)
    # The loss sums all wrong classes, and may lead to another than the nearest.
    ratio = free.distortion / nearest
    assert ratio.min() > 0.997
    assert ratio.median() < 1.02


def test_a_failed_attack_is_reported_and_returns_the_clean_image():
    class Constant(nn.Module):
        def forward(self, x):
            return torch.stack([1 + 0 * x.sum(1), 0.1 * x.mean(1)], 1)

    clean = images_of(3, 6, seed=0)
    found = find_adversarial(Constant(), clean, torch.ones(3, dtype=torch.int64))
    assert not found.reached.any()
    assert torch.equal(found.images, clean)
    assert (found.evaluations > 0).all()


def test_weights_that_are_nan_are_refused_with_the_image():
    model, clean = linear_classifier(3, 4, 0), images_of(3, 4)
    model[1].weight.data[0, 0] = torch.nan
    with pytest.raises(InputError, match=r"model returns NaN .* image 0"):
        find_adversarial(model, clean, torch.tensor([0, 1, 2]))


def test_minimisation_ends_where_the_objective_has_stalled():
    layers = [nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 5)]
    model = gaussian(nn.Sequential(nn.Flatten(), *layers), 1)
    clean = images_of(512, 20, seed=2)
    target_mask = target_mask_of(5, wrong_classes(model, clean), None)
    problem = model, clean, target_mask, safe_margins(model, clean)
    patient, quick = (
        search(*problem, SQUARED, Refinement(), accuracy=accuracy)
        for accuracy in (Accuracy(decrease=0.0), Accuracy())
    )
    assert quick.evaluations.sum() < 0.6 * patient.evaluations.sum()
    assert torch.equal(quick.success, patient.success)
    lengths = [(run.image - clean).norm(dim=1) for run in (quick, patient)]
    # Rounding decides which minimum is found from a nonsmooth point; the shorter one is
    # as likely. The early end costs less than that.
    longer = lengths[0] > 1.003 * lengths[1]
    assert longer.float().mean() < 0.1
    assert lengths[0].mean() < 1.003 * lengths[1].mean()


@given(seed=st.integers(0, 1000))
def test_loss_and_margin_agree_with_cross_entropy_and_the_prediction(seed):
    generator = seeded(seed)
    logits = 5 * torch.randn(6, 4, generator=generator)
    targets = torch.randint(4, (6,), generator=generator)
    target_mask = target_mask_of(4, targets, None)
    expected = nn.functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(target_loss(logits, target_mask), expected)
    assert torch.equal(
        target_margin(logits, target_mask) > 0, logits.argmax(1) == targets
    )
    others = target_mask_of(4, None, targets)
    probability = 1 - logits.double().softmax(1).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(target_loss(logits.double(), others), -probability.log())
    assert torch.equal(target_margin(logits, others) > 0, logits.argmax(1) != targets)


def test_pixels_are_free_unless_the_box_stops_them():
    image = torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.5]])
    gradient = torch.tensor([[1.0, -1.0, 1.0, -1.0, 3.0]])
    assert free_pixels(image, gradient).tolist() == [[0, 1, 1, 0, 1]]
