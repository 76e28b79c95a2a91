"""The minimal attack against exact optima, closed forms, and its own promises."""

import os
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from intriguing.attack import exact, find_adversarial, minimal
from intriguing.attack.minimal import subproblem
from intriguing.attack.minimal.ending import enter
from intriguing.attack.minimal.live import empty, place
from intriguing.attack.minimal.network import network_of
from intriguing.attack.minimal.problem import next_runs, pose
from intriguing.attack.minimal.starts import SHARE
from intriguing.attack.objective import target_mask_of
from intriguing.errors import InputError
from intriguing.models.perceptron import linear_layers, perceptron


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear_classifier(classes: int, width: int, seed: int) -> nn.Sequential:
    network = perceptron([width, classes], [True])
    for weights in network.parameters():
        weights.data = torch.randn(weights.shape, generator=seeded(seed))
    return network.eval().requires_grad_(False)


def sigmoid_network(seed: int, width: int = 40, scale: float = 1.0) -> nn.Sequential:
    """Random weights, and biases such that grey images lie in the middle."""
    network = perceptron([width, 24, 16, 6], [True, True, True])
    generator = seeded(seed)
    for layer in linear_layers(network):
        shape = layer.weight.shape
        size = scale * 6 / shape[1] ** 0.5
        layer.weight.data = size * torch.randn(shape, generator=generator)
        layer.bias.data = -0.5 * layer.weight.sum(1)
    return network.eval().requires_grad_(False)


def images_of(count: int, width: int, seed: int) -> torch.Tensor:
    """Images with many pixels at the ends of the box, as digits have."""
    raw = torch.rand(count, width, generator=seeded(seed))
    return (1.6 * raw - 0.3).clamp(0, 1)


def targeted(model: nn.Module, images: torch.Tensor, shift: int = 1) -> torch.Tensor:
    logits = model(images)
    classes = logits.shape[1]
    return target_mask_of(classes, (logits.argmax(1) + shift) % classes, None)


def untargeted(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    logits = model(images)
    return target_mask_of(logits.shape[1], None, logits.argmax(1))


def lengths(found: minimal.Found, images: torch.Tensor) -> torch.Tensor:
    return (found.image - images.flatten(1)).double().norm(dim=1)


def reached(model: nn.Module, found: minimal.Found, images, wanted) -> torch.Tensor:
    answers = model(found.image.reshape(images.shape)).argmax(1)
    return wanted.gather(1, answers[:, None])[:, 0]


@pytest.mark.parametrize("goal", [targeted, untargeted])
@pytest.mark.parametrize("seed", range(3))
def test_a_linear_classifier_is_solved_to_its_exact_optimum(goal, seed):
    model, images = linear_classifier(10, 60, seed), images_of(40, 60, seed + 50)
    wanted = goal(model, images)
    found = minimal.search(model, images, wanted)
    optimum = exact.linear_optima(model, images, wanted)
    assert (1 - optimum.lower / optimum.length).abs().max() < 1e-6
    assert found.success.all()
    assert reached(model, found, images, wanted).all()
    gap = lengths(found, images) - optimum.length
    assert gap.min() > -1e-6
    assert (gap < 2e-5 + 2e-5 * optimum.length).all()


def test_corners_where_several_classes_tie_are_counted():
    model, images = linear_classifier(10, 60, 0), images_of(60, 60, 1)
    wanted = targeted(model, images)
    found = minimal.search(model, images, wanted)
    optimum = exact.linear_optima(model, images, wanted)
    logits = optimum.image.float() @ model[1].weight.T + model[1].bias
    goal = wanted.int().argmax(1)
    gaps = logits.gather(1, goal[:, None]) - logits.masked_fill(wanted, -torch.inf)
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
    wanted = untargeted(model, images)
    rows = wanted.gather(1, model(others).argmax(1)[None].expand(count, -1))
    if not rows.any(1).all():
        return
    known = others[rows.int().argmax(1)]
    found = minimal.search(
        model, images, wanted, starts=starts, start_images=others, known=known
    )
    assert ((found.image >= 0) & (found.image <= 1)).all()
    assert found.success.all()
    assert reached(model, found, images, wanted).all()
    longest = (known - images).double().norm(dim=1)
    assert (lengths(found, images) <= longest * (1 + 1e-6)).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), goal=st.sampled_from([targeted, untargeted]))
def test_neither_order_nor_size_of_the_batch_matters(seed, goal):
    model, images = sigmoid_network(seed), images_of(24, 40, seed + 1)
    others, wanted = images_of(60, 40, seed + 2), goal(model, images)

    def run(rows, slots=None):
        return minimal.search(
            model,
            images[rows],
            wanted[rows],
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
def test_with_and_without_numba_the_images_are_the_same(goal, monkeypatch):
    pytest.importorskip("numba")
    model, images = sigmoid_network(5, scale=0.5), images_of(48, 40, 6)
    wanted = goal(model, images)
    compiled = minimal.search(model, images, wanted)
    monkeypatch.setattr(subproblem, "fused", None)
    plain = minimal.search(model, images, wanted)
    assert compiled.success.all()
    assert torch.equal(plain.success, compiled.success)
    assert torch.equal(model(plain.image).argmax(1), model(compiled.image).argmax(1))
    torch.testing.assert_close(
        lengths(plain, images), lengths(compiled, images), rtol=1e-4, atol=0
    )


@pytest.mark.gpu
@pytest.mark.parametrize("goal", [targeted, untargeted])
def test_on_a_gpu_the_images_are_the_same(goal):
    model, images = sigmoid_network(5, scale=0.5), images_of(48, 40, 6)
    wanted = goal(model, images)
    here = minimal.search(model, images, wanted)
    there = minimal.search(model.cuda(), images.cuda(), wanted.cuda())
    there = minimal.Found(*(part.cpu() for part in there))
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
        wanted = targeted(model, images, shift)
        found = minimal.search(model, images, wanted)
        each.append(lengths(found, images).masked_fill(~found.success, torch.inf))
    nearest = torch.stack(each).amin(0)
    ratio = lengths(free, images) / nearest
    assert ratio.max() < 1.001
    assert ratio.quantile(0.1) > 0.999


class Convolutional(nn.Module):
    """Two convolutions with kinks and pooling, seeded."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32, 5),
        )
        for weights in self.parameters():
            weights.data = torch.randn(weights.shape, generator=seeded(seed))
            weights.data /= weights[0].numel() ** 0.5
        self.eval().requires_grad_(False)

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize("starts", [1, 4])
def test_kinks_and_convolutions_are_no_obstacle(starts):
    model = Convolutional(0)
    images = images_of(40, 64, 1).reshape(40, 1, 8, 8)
    others = images_of(200, 64, 2).reshape(200, 1, 8, 8)
    wanted = untargeted(model, images)
    found = minimal.search(model, images, wanted, starts=starts, start_images=others)
    assert found.success.all()
    assert reached(model, found, images, wanted).all()
    # A minimum, also one on a kink, is left by going back towards the clean image.
    way = torch.lerp(images.flatten(1), found.image, 0.99).reshape(images.shape)
    nearer = wanted.gather(1, model(way).argmax(1)[:, None])[:, 0]
    assert nearer.float().mean() <= 0.05


def test_an_image_that_has_the_class_already_stays_as_it_is():
    model, images = sigmoid_network(1), images_of(20, 40, 2)
    wanted = target_mask_of(6, model(images).argmax(1), None)
    found = minimal.search(model, images, wanted)
    assert found.success.all()
    assert lengths(found, images).max() < 1e-4


def test_a_class_out_of_reach_is_reported_and_the_clean_image_kept():
    class Stubborn(nn.Module):
        def forward(self, x):
            return torch.stack([1 + 0 * x.sum(1), 0.1 * x.mean(1)], 1)

    images = images_of(3, 6, 0)
    wanted = target_mask_of(2, torch.ones(3, dtype=torch.int64), None)
    found = minimal.search(Stubborn(), images, wanted)
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
    for goal, wanted in (
        ({"targets": (labels + 1) % 6}, targeted(model, images)),
        ({"labels": labels}, untargeted(model, images)),
    ):
        found = find_adversarial(model, images, method="minimal", **goal)
        expected = minimal.search(model, images, wanted)
        assert torch.equal(found.images, expected.image)
        assert torch.equal(found.start, expected.start)
        assert found.reached.all()


def test_the_first_start_wins_where_there_is_one_minimum():
    """Later ones find the same, and may come out shorter by rounding."""
    model, images = linear_classifier(5, 30, 3), images_of(20, 30, 4)
    wanted, others = targeted(model, images), images_of(200, 30, 5)
    several = {"starts": 4, "start_images": others}
    plain = minimal.search(model, images, wanted, **several)
    assert plain.success.all() and (plain.start == 0).all()
    again = minimal.search(model, images, wanted, known=plain.image, **several)
    assert (again.start == -1).all()


class LowestPlane(nn.Module):
    """The second class leads by the lowest of many planes: nothing but kinks."""

    def __init__(self, planes: int, width: int, seed: int) -> None:
        super().__init__()
        self.normals = torch.randn(planes, width, generator=seeded(seed))
        self.offsets = torch.rand(planes, generator=seeded(seed + 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        margin = (images.flatten(1) @ self.normals.T - self.offsets).amin(1)
        return torch.stack([torch.zeros_like(margin), margin], 1)


@pytest.mark.parametrize("compiled", [True, False])
def test_where_many_kinks_meet_it_is_the_exact_optimum(compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr(subproblem, "fused", None)
    model, images = LowestPlane(30, 60, 1), images_of(30, 60, 2)
    planes = model.normals.double().numpy(), model.offsets.double().numpy()
    nearest = [exact.project(*planes, one) for one in images.double().numpy()]
    assert all(one.violation < exact.FEASIBLE for one in nearest)
    lengths = torch.tensor([one.length for one in nearest])
    wanted = torch.tensor([[False, True]]).expand(len(images), 2)
    found = minimal.search(model, images, wanted)
    assert found.success.all() and found.converged.all()
    ratio = (found.image - images).double().norm(dim=1) / lengths
    assert ratio.max() < 1 + 1e-4


def test_a_known_image_is_no_hit_but_the_starts_that_follow_are():
    """It may lie in a poor basin: the others must not stop short because of it."""
    model, images = linear_classifier(3, 30, 3), images_of(4, 30, 4)
    wanted, others = targeted(model, images), images_of(200, 30, 5)
    network = network_of(model, images.shape[1:])
    problem, tally = pose(network, images, wanted, 3, others, others[:4])
    live, rows = empty(problem, 4, 2, 1), torch.arange(4)
    for start, hits in ((-1, 0), (0, 1), (1, 2)):
        run = next_runs(problem, tally, rows)
        place(live, rows, run, problem)
        assert (run.start == start).all()
        enter(tally, live, rows, torch.ones(4), torch.ones(4).bool())
        assert (tally.hits == hits).all()
        assert (tally.start == -1).all()


def test_untargeted_start_images_are_of_the_class_that_came_out_nearest():
    model, images = linear_classifier(4, 30, 3), images_of(5, 30, 4)
    others = images_of(200, 30, 5)
    model[-1].bias.data -= model(others).mean(0)
    wanted, network = untargeted(model, images), network_of(model, images.shape[1:])
    problem, tally = pose(network, images, wanted, 3, others, None)
    assert problem.pool.count.all()
    live, rows = empty(problem, 5, 2, 1), torch.arange(5)
    for length in (2.0, 1.0, 3.0):  # of the three wrong classes in turn
        place(live, rows, next_runs(problem, tally, rows), problem)
        enter(tally, live, rows, torch.full((5,), length), torch.ones(5).bool())
    nearest = problem.goals[:, 1]
    run = next_runs(problem, tally, rows)
    assert (run.start == 1).all() and not run.walking.any()
    assert torch.equal(run.goal, nearest)
    shift = (run.begin - images) / SHARE
    assert torch.equal(model(images + shift).argmax(1), nearest)


ONCE = """
import torch
from intriguing.attack import minimal
from intriguing.attack.minimal import fused
from intriguing.models.perceptron import perceptron
network = perceptron([4, 3], [True]).eval().requires_grad_(False)
images, goals = torch.rand(20, 4), torch.arange(20) % 3
minimal.search(network, images, torch.nn.functional.one_hot(goals, 3).bool())
functions = (fused.take_turns, fused.solve, fused.aim)
print(*(sum(one.stats.cache_misses.values()) for one in functions))
"""


def test_of_processes_that_begin_at_once_one_compiles(tmp_path):
    pytest.importorskip("numba")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    pipe = {"env": environment, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", ONCE], **pipe) for _ in range(2)]
    misses = [one.communicate(timeout=280)[0].split() for one in both]
    assert sorted(misses) == [["0"] * 3, ["1"] * 3]
