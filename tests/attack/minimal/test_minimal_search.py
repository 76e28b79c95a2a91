"""The minimal attack against exact optima, closed forms, and its own promises."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from minimal_cases import (
    convolution,
    images_of,
    lengths,
    linear_classifier,
    reaches,
    seeded,
    sigmoid_network,
    targeted,
    untargeted,
)
from torch import nn

from intriguing.attack import exact, find_adversarial, minimal
from intriguing.attack.objective import target_mask_of
from intriguing.errors import InputError


@pytest.mark.parametrize("goal", [targeted, untargeted])
@pytest.mark.parametrize("seed", range(3))
def test_a_linear_classifier_is_solved_to_its_exact_optimum(goal, seed):
    model, images = linear_classifier(10, 60, seed), images_of(40, 60, seed + 50)
    target_mask = goal(model, images)
    found = minimal.search(model, images, target_mask)
    optimum = exact.linear_optima(model, images, target_mask)
    assert (1 - optimum.lower / optimum.length).abs().max() < 1e-6
    assert found.success.all()
    assert reaches(model, found.image, target_mask).all()
    gap = lengths(found, images) - optimum.length
    assert gap.min() > -1e-6
    assert (gap < 2e-5 + 2e-5 * optimum.length).all()


def test_corners_where_several_classes_tie_are_counted():
    model, images = linear_classifier(10, 60, 0), images_of(60, 60, 1)
    target_mask = targeted(model, images)
    found = minimal.search(model, images, target_mask)
    optimum = exact.linear_optima(model, images, target_mask)
    logits = optimum.image.float() @ model[1].weight.T + model[1].bias
    goal = target_mask.int().argmax(1)
    gaps = logits.gather(1, goal[:, None]) - logits.masked_fill(target_mask, -torch.inf)
    tied = (gaps.abs() < 1e-4).sum(1)
    assert (found.tied == tied).float().mean() > 0.95
    assert (found.tied > 1).float().mean() > 0.3


class Sphere(nn.Module):
    """Class 1 outside the sphere of radius 1/2 around the middle of the box."""

    def forward(self, x):
        radius = (x - 0.5).square().sum(1)
        return torch.stack([0.25 - radius, radius - 0.25], 1)


def test_a_sphere_is_left_along_the_radius():
    directions = torch.randn(30, 8, generator=seeded(0))
    directions /= directions.norm(dim=1, keepdim=True)
    radius = 0.05 + 0.4 * torch.rand(30, 1, generator=seeded(1))
    images = 0.5 + radius * directions
    found = minimal.search(Sphere(), images, untargeted(Sphere(), images))
    # The sphere touches the box only on the axes: the box never holds a pixel here.
    nearest = 0.5 + 0.5 * directions
    inside = ((nearest > 0) & (nearest < 1)).all(1)
    assert inside.all()
    assert found.success.all()
    torch.testing.assert_close(
        lengths(found, images).float(), 0.5 - radius[:, 0], rtol=1e-3, atol=1e-4
    )


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000), count=st.integers(1, 9), starts=st.sampled_from([1, 3])
)
def test_results_are_in_the_box_reached_and_no_longer_than_what_was_known(
    seed, count, starts
):
    model, images = sigmoid_network(seed), images_of(count, 40, seed + 1)
    others = images_of(50, 40, seed + 2)
    target_mask = untargeted(model, images)
    rows = target_mask.gather(1, model(others).argmax(1)[None].expand(count, -1))
    if not rows.any(1).all():
        return
    known = others[rows.int().argmax(1)]
    found = minimal.search(
        model, images, target_mask, starts=starts, start_images=others, known=known
    )
    assert ((found.image >= 0) & (found.image <= 1)).all()
    assert found.success.all()
    assert reaches(model, found.image, target_mask).all()
    longest = (known - images).double().norm(dim=1)
    assert (lengths(found, images) <= longest * (1 + 1e-6)).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), goal=st.sampled_from([targeted, untargeted]))
def test_neither_order_nor_size_of_the_batch_matters(seed, goal):
    model, images = sigmoid_network(seed), images_of(24, 40, seed + 1)
    others, target_mask = images_of(60, 40, seed + 2), goal(model, images)

    def run(rows, slots=None):
        return minimal.search(
            model,
            images[rows],
            target_mask[rows],
            starts=3,
            start_images=others,
            slots=slots,
        )

    whole = run(torch.arange(24))
    order = torch.randperm(24, generator=seeded(seed))
    back = order.argsort()
    shuffled, few = run(order), run(torch.arange(24), slots=5)
    alone = run(torch.tensor([7]))
    for image, same in (
        (shuffled.image[back], slice(None)),
        (few.image, slice(None)),
        (alone.image, [7]),
    ):
        assert torch.equal(model(image).argmax(1), model(whole.image[same]).argmax(1))
        length = (image - images[same]).norm(dim=1)
        expected = (whole.image[same] - images[same]).norm(dim=1)
        torch.testing.assert_close(length, expected, rtol=1e-4, atol=0)
    assert torch.equal(whole.start[order], shuffled.start)


@pytest.mark.parametrize("goal", [targeted, untargeted])
@pytest.mark.parametrize("starts", [1, 4])
def test_in_double_precision_tensors_find_what_the_compiled_search_finds(goal, starts):
    model, images = sigmoid_network(5, scale=0.5), images_of(48, 40, 6)
    target_mask, others = goal(model, images), images_of(200, 40, 7)
    given = {"starts": starts, "start_images": others}
    compiled = minimal.search(model, images, target_mask, **given)
    given["start_images"] = others.double()
    plain = minimal.search(model.double(), images.double(), target_mask, **given)
    assert plain.image.dtype == torch.float64
    assert plain.success.all() and plain.converged.all()
    assert compiled.success.all() and compiled.converged.all()
    torch.testing.assert_close(
        lengths(plain, images), lengths(compiled, images), rtol=1e-4, atol=0
    )


@pytest.mark.gpu
@pytest.mark.parametrize("goal", [targeted, untargeted])
def test_on_a_gpu_the_images_are_the_same(goal):
    model, images = sigmoid_network(5, scale=0.5), images_of(48, 40, 6)
    target_mask = goal(model, images)
    here = minimal.search(model, images, target_mask)
    there = minimal.search(model.cuda(), images.cuda(), target_mask.cuda())
    there = minimal.MinimalResult(*(part.cpu() for part in there))
    model.cpu()
    assert torch.equal(there.success, here.success)
    assert torch.equal(model(there.image).argmax(1), model(here.image).argmax(1))
    torch.testing.assert_close(
        lengths(there, images), lengths(here, images), rtol=1e-4, atol=0
    )


def test_untargeted_is_the_nearest_of_all_targets():
    model, images = sigmoid_network(3, scale=0.5), images_of(30, 40, 4)
    free = minimal.search(model, images, untargeted(model, images))
    each = []
    for shift in range(1, 6):
        target_mask = targeted(model, images, shift)
        found = minimal.search(model, images, target_mask)
        each.append(lengths(found, images).masked_fill(~found.success, torch.inf))
    nearest = torch.stack(each).amin(0)
    ratio = lengths(free, images) / nearest
    assert ratio.max() < 1.001
    assert ratio.quantile(0.1) > 0.999


@pytest.mark.parametrize("starts", [1, 4])
def test_nonsmooth_points_and_convolutions_are_no_obstacle(starts):
    model, images = convolution(8, 0), images_of(40, 64, 1)
    target_mask, others = untargeted(model, images), images_of(200, 64, 2)
    given = {"starts": starts, "start_images": others}
    found = minimal.search(model, images, target_mask, **given)
    assert found.success.all() and found.converged.all()
    assert reaches(model, found.image, target_mask).all()
    # A minimum, also a nonsmooth one, is left by going back to the clean image.
    way = torch.lerp(images, found.image, 0.99)
    assert reaches(model, way, target_mask).float().mean() <= 0.05


def test_an_image_that_has_the_class_already_stays_as_it_is():
    model, images = sigmoid_network(1), images_of(20, 40, 2)
    target_mask = target_mask_of(6, model(images).argmax(1), None)
    found = minimal.search(model, images, target_mask)
    assert found.success.all()
    assert lengths(found, images).max() < 1e-4


def test_a_class_out_of_reach_is_reported_and_the_clean_image_kept():
    class Stubborn(nn.Module):
        def forward(self, x):
            return torch.stack([1 + 0 * x.sum(1), 0.1 * x.mean(1)], 1)

    images = images_of(3, 6, 0)
    target_mask = target_mask_of(2, torch.ones(3, dtype=torch.int64), None)
    found = minimal.search(Stubborn(), images, target_mask)
    assert not found.success.any()
    assert torch.equal(found.image, images)
    assert (found.evaluations > 0).all()


def test_several_starts_without_start_images_are_refused():
    model, images = sigmoid_network(1), images_of(2, 40, 2)
    with pytest.raises(InputError, match="start_images"):
        minimal.search(model, images, targeted(model, images), starts=8)


def test_find_adversarial_hands_the_goal_on_and_judges_the_outcome():
    model, images = sigmoid_network(2), images_of(12, 40, 3)
    labels = model(images).argmax(1)
    for goal, target_mask in (
        ({"targets": (labels + 1) % 6}, targeted(model, images)),
        ({"labels": labels}, untargeted(model, images)),
    ):
        found = find_adversarial(model, images, method="minimal", **goal)
        expected = minimal.search(model, images, target_mask)
        assert torch.equal(found.images, expected.image)
        assert torch.equal(found.start, expected.start)
        assert found.reached.all()


def test_the_first_start_wins_where_there_is_one_minimum():
    """Later ones find the same, and may come out shorter by rounding."""
    model, images = linear_classifier(5, 30, 3), images_of(20, 30, 4)
    target_mask, others = targeted(model, images), images_of(200, 30, 5)
    several = {"starts": 4, "start_images": others}
    plain = minimal.search(model, images, target_mask, **several)
    assert plain.success.all() and (plain.start == 0).all()
    again = minimal.search(model, images, target_mask, known=plain.image, **several)
    assert (again.start == -1).all()


class LowestPlane(nn.Module):
    """The second class leads by the lowest of many planes: all minima are nonsmooth."""

    def __init__(self, planes: int, width: int, seed: int) -> None:
        super().__init__()
        self.normals = torch.randn(planes, width, generator=seeded(seed))
        self.offsets = torch.rand(planes, generator=seeded(seed + 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        margin = (images.flatten(1) @ self.normals.T - self.offsets).amin(1)
        return torch.stack([torch.zeros_like(margin), margin], 1)


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_where_many_planes_meet_it_is_the_exact_optimum(precision):
    model, images = LowestPlane(30, 60, 1), images_of(30, 60, 2)
    planes = model.normals.double().numpy(), model.offsets.double().numpy()
    nearest = [exact.project(*planes, one) for one in images.double().numpy()]
    assert all(one.violation < exact.FEASIBLE for one in nearest)
    model.normals, model.offsets = (
        part.to(precision) for part in (model.normals, model.offsets)
    )
    target_mask = torch.tensor([[False, True]]).expand(len(images), 2)
    found = minimal.search(model, images.to(precision), target_mask)
    assert found.success.all() and found.converged.all()
    ratio = lengths(found, images) / torch.tensor([one.length for one in nearest])
    assert ratio.max() < 1 + 1e-4
