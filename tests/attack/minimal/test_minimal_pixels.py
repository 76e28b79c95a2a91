"""The work on pixels: compiled and in torch, against each other and exact solutions."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from minimal_cases import convolution, images_of, seeded, some_classes, stack, targeted
from torch import nn

from intriguing.attack.compilation import SUMS, entry_point
from intriguing.attack.exact import project as exact_projection
from intriguing.attack.minimal import backends, decisions, network
from intriguing.attack.minimal.compiled import curvature as compiled_curvature
from intriguing.attack.minimal.compiled import pixels as compiled_pixels
from intriguing.attack.minimal.compiled import projection as compiled_projection
from intriguing.attack.minimal.compiled.room import room_for
from intriguing.attack.minimal.constants import LEAST_CURVATURE
from intriguing.attack.minimal.loop import loop_with, stages_with
from intriguing.attack.minimal.problem import Origins, own_slots, problem_of
from intriguing.attack.minimal.state import (
    Accuracy,
    Pixels,
    SearchState,
    Settings,
    Subproblem,
    empty_pixels,
    empty_state,
)
from intriguing.attack.minimal.tensors import curvature, projection
from intriguing.attack.minimal.tensors import pixels as tensor_pixels

TARGET_MARGIN = 1e-4


def subproblem(seed: int, rows: int, width: int = 30, count: int = 6):
    """Images with pixels at the ends of the box, and constraints that bind."""
    generator = seeded(seed)
    clean = (1.6 * torch.rand(count, width, generator=generator) - 0.3).clamp(0, 1)
    image = (clean + 0.1 * torch.randn(count, width, generator=generator)).clamp(0, 1)
    gradients = torch.randn(count, rows, width, generator=generator)
    required = 0.5 * torch.rand(count, rows, generator=generator)
    return clean, image, gradients, required


@entry_point
def project_compiled(
    clean, image, gradients, required, margin, multiplier, point, room
):
    problem = Subproblem(clean, image, gradients, required, margin)
    return compiled_projection.project(problem, multiplier, point, room)


def compiled_projections(clean, image, gradients, required, margin):
    """Return points and multipliers."""
    point, multiplier = torch.empty_like(clean), torch.zeros_like(required)
    room = room_for(clean.shape[1], required.shape[1], 1)
    given = (clean, image, gradients, required)
    for n in range(len(clean)):
        one = (part[n].numpy() for part in given)
        written = multiplier[n].numpy(), point[n].numpy()
        assert project_compiled(*one, np.float32(margin), *written, room)
    return point, multiplier


def tensor_projections(clean, image, gradients, required, margin):
    """Return points and multipliers."""
    margins = torch.full((len(clean),), margin)
    given = Subproblem(clean, image, gradients, required, margins)
    point, multiplier, capped = projection.project(given, torch.zeros_like(required))
    assert not capped.any()
    return point, multiplier


BOTH = pytest.mark.parametrize("project", [compiled_projections, tensor_projections])


def assert_exact(given, point, most_short: float, **near: float) -> None:
    """Compare with the exact projection in float64."""
    for clean, image, gradients, required, found in zip(*given, point, strict=True):
        normals = gradients.double().numpy()
        offsets = required.double().numpy() + normals @ image.double().numpy()
        exact = exact_projection(normals, offsets, clean.double().numpy())
        length = float((found - clean).double().norm())
        assert length == pytest.approx(float(exact.length), **near)
        assert (offsets - normals @ found.double().numpy()).max() < most_short


@BOTH
@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 6))
def test_the_projection_is_the_exact_one(project, seed, rows):
    given = subproblem(seed, rows)
    point, multiplier = project(*given, TARGET_MARGIN)
    assert (multiplier >= 0).all()
    assert_exact(given, point, 2e-4, rel=2e-4, abs=1e-4)


@BOTH
def test_nearly_equal_constraints_are_projected_on_too(project):
    clean, image, gradients, required = subproblem(3, 1)
    alone, _ = project(clean, image, gradients, required, TARGET_MARGIN)
    like = gradients.repeat(1, 3, 1)
    like[:, 1:] += 1e-4 * torch.randn(6, 2, 30, generator=seeded(4))
    point, _ = project(clean, image, like, required.repeat(1, 3), TARGET_MARGIN)
    length = (alone - clean).norm(dim=1)
    torch.testing.assert_close((point - clean).norm(dim=1), length, rtol=2e-3, atol=0)


@BOTH
def test_many_constraints_and_few_free_pixels_have_their_projection_too(project):
    """The dual's Hessian is singular then, and its Newton step may lead nowhere."""
    clean, image, gradients, _ = subproblem(7, 10, width=8, count=200)
    gradients[:, 5:] = gradients[:, 4:5] + 0.01 * gradients[:, 5:]
    inside = torch.rand(200, 8, generator=seeded(8))
    required = torch.einsum("nkd,nd->nk", gradients, inside - image) - 0.01
    given = (clean, image, gradients, required)
    point, _ = project(*given, 1e-3)
    assert_exact(given, point, 1e-3, rel=2e-3, abs=2e-3)


def test_empty_constraint_slots_take_no_part():
    clean, image, gradients, required = subproblem(5, 2)
    more = torch.cat([gradients, torch.zeros(6, 1, 30)], 1)
    gone = torch.cat([required, torch.full((6, 1), -torch.inf)], 1)
    point, _ = tensor_projections(clean, image, more, gone, TARGET_MARGIN)
    expected, _ = tensor_projections(clean, image, gradients, required, TARGET_MARGIN)
    torch.testing.assert_close(point, expected)


@entry_point
def newton_compiled(given, margin, point, multiplier, steps, changes, room, step):
    clean, image, gradients, required = given
    problem = Subproblem(clean, image, gradients, required, margin)
    pairs = compiled_curvature.Pairs(steps, changes, 0, len(steps))
    return compiled_curvature.quasi_newton(
        problem, point, multiplier, pairs, room, step
    )


def compiled_newton(*given):
    """Return steps, multipliers, and where they are sound."""
    steps, multipliers = torch.zeros_like(given[0]), given[5].clone()
    room, sound = room_for(6, 1, 6), []
    for n in range(len(steps)):
        one = tuple(part[n].numpy() for part in given[:4])
        point, _, pairs, changes = (part[n].numpy() for part in given[4:])
        # Age p of a ring whose newest entry is 0 is entry -p.
        rings = (np.roll(ring[::-1], 1, 0).copy() for ring in (pairs, changes))
        written = (room, steps[n].numpy())
        margin, multiplier = np.float32(TARGET_MARGIN), multipliers[n].numpy()
        sound.append(newton_compiled(one, margin, point, multiplier, *rings, *written))
    return steps, multipliers, torch.tensor(sound)


def tensor_newton(clean, image, gradients, required, *given):
    """Return steps, multipliers, and where they are sound."""
    margins = torch.full((len(clean),), TARGET_MARGIN)
    subproblem = Subproblem(clean, image, gradients, required, margins)
    return curvature.quasi_newton(subproblem, *given)


@pytest.mark.parametrize("newton", [compiled_newton, tensor_newton])
@pytest.mark.parametrize("seed", range(5))
def test_with_exact_pairs_the_step_solves_the_curved_subproblem(newton, seed):
    """As many conjugate pairs as dimensions determine the Hessian."""
    width, generator = 6, seeded(seed)
    clean = 0.4 + 0.2 * torch.rand(3, width, generator=generator)
    image = clean + 0.01 * torch.randn(3, width, generator=generator)
    root = torch.randn(3, width, width, generator=generator)
    hessian = torch.eye(width) + 0.3 * root @ root.mT
    steps = torch.linalg.eigh(hessian)[1].mT.contiguous()
    gradients = torch.randn(3, 1, width, generator=generator)
    given = (clean, image, gradients, torch.full((3, 1), 0.02))
    projected, multiplier = tensor_projections(*given, TARGET_MARGIN)
    step, multiplier, sound = newton(
        *given, projected, multiplier, steps, steps @ hessian
    )
    assert sound.sum() >= 2  # a multiplier may be negative, a step too long
    # Stationary: B d + (x - clean) = λ w; and the constraint holds.
    left = torch.einsum("nij,nj->ni", hessian, step) + image - clean
    right = multiplier * gradients[:, 0]
    torch.testing.assert_close(left[sound], right[sound], rtol=1e-3, atol=1e-4)
    gained = torch.linalg.vecdot(gradients[:, 0], step)
    torch.testing.assert_close(gained[sound], given[3][sound, 0], rtol=1e-4, atol=1e-6)


@given(seed=st.integers(0, 1000))
def test_damped_pairs_have_enough_curvature_and_good_ones_stay(seed):
    steps, changes = torch.randn(2, 4, 5, 7, generator=seeded(seed))
    damped, inverse = curvature.damped(steps, changes)
    square, overlap = steps.square().sum(2), (steps * damped).sum(2)
    least = float(LEAST_CURVATURE)
    assert (overlap >= 0.999 * least * square).all()
    torch.testing.assert_close(inverse, 1 / overlap, rtol=1e-3, atol=0)
    good = (steps * changes).sum(2) > least * square
    torch.testing.assert_close(damped[good], changes[good])


def test_a_ring_is_read_from_its_newest_entry_back():
    ring = torch.arange(4.0)[None, :, None].repeat(2, 1, 1)
    entries = curvature.newest_first(ring, np.array([1, 3]), np.array([3, 9]))
    assert entries[:, :, 0].tolist() == [[1, 0, 3, 0], [3, 2, 1, 0]]


@given(seed=st.integers(0, 1000))
def test_feasibility_steps_climb_inside_the_box_and_are_not_too_long(seed):
    generator = seeded(seed)
    points = images_of(5, 10, seed)
    gradients = torch.randn(5, 10, generator=generator)
    deficit, longest = torch.rand(2, 5, generator=generator)
    found = tensor_pixels.climb(points, gradients, deficit, longest)
    assert ((found >= 0) & (found <= 1)).all()
    assert ((found - points).norm(dim=1) <= longest + 1e-6).all()
    assert (torch.linalg.vecdot(gradients, found - points) >= 0).all()


class InLockstep:
    """The work on pixels done both ways: what differs is noted, compiled results stay.

    Multipliers of like gradients may differ where their sum, Σ λ_k ∇g_k, does not: then
    steps may differ too, and so do the candidates that follow from them.
    """

    LOOSE = ("step", "candidate", "penalty")

    def __init__(self) -> None:
        self.agreed: list[bool] = []
        for name in compiled_pixels.__all__:
            inner = getattr(compiled_pixels, name).py_func
            both = entry_point(inner, fastmath=SUMS), getattr(tensor_pixels, name)
            setattr(self, name, self.in_lockstep(*both))

    def in_lockstep(self, compiled, plain):
        def work(state, pixels, *others):
            copy = SearchState(*(part.copy() for part in state))
            tensors = Pixels(*(torch.tensor(part) for part in pixels))
            like = [as_tensors(part) for part in others]
            plain(copy, tensors, *like)
            compiled(state, pixels, *others)
            self.compare(state, pixels, copy, tensors)

        return work

    def compare(self, state, pixels, copy, tensors) -> None:
        busy = ~state.runs["vacant"]
        summed = np.einsum("nk,nkd->nd", state.multiplier, pixels.gradients)
        copied = np.einsum("nk,nkd->nd", copy.multiplier, tensors.gradients.numpy())
        same = np.isclose(summed, copied, 1e-3, 1e-4).all(1)
        same &= np.isclose(pixels.step, tensors.step, 1e-3, 1e-4).all(1)
        self.agreed += same[busy].tolist()
        rows = busy & same
        for name, left, right in zip(Pixels._fields, pixels, tensors, strict=True):
            near = {"rtol": 2e-4, "atol": 1e-3}
            np.testing.assert_allclose(left[rows], right[rows], **near, err_msg=name)
        for name in state.runs.dtype.names:
            left, right = state.runs[name][rows], copy.runs[name][rows]
            near = {"rtol": 2e-4, "atol": 1e-3}
            np.testing.assert_allclose(left, right, **near, err_msg=name)
        for name in ("gap", "shift", "classes", "source", "left"):
            left, right = getattr(state, name)[rows], getattr(copy, name)[rows]
            np.testing.assert_allclose(left, right, 2e-4, 1e-4, err_msg=name)


def as_tensors(part):
    """Return pixels among the arguments as tensors, and all else as it is."""
    if isinstance(part, Origins):
        return Origins(*map(torch.tensor, part))
    if isinstance(part, np.ndarray) and part.dtype == np.float32:
        return torch.tensor(part)
    return part


def shaken(judge, seed: int):
    """Bring runs into states that seldom occur by themselves."""
    generator = np.random.default_rng(seed)

    def judge_shaken(state, busy, logits, settings):
        rare = {"rejections": 24, "misses": 15, "stalled": 60, "planes": 9}
        if generator.random() < 0.3:
            for name, most in rare.items():
                state.runs[name] = generator.integers(most, size=len(state.runs))
        return judge(state, busy, logits, settings)

    return judge_shaken


@torch.no_grad()
@pytest.mark.parametrize("name", ["sigmoid", "relu", "convolution"])
@pytest.mark.parametrize("starts, shake", [(1, False), (4, False), (4, True)])
def test_compiled_and_torch_do_the_same_to_every_pixel(name, starts, shake):
    models = {
        "sigmoid": stack([36, 24, 5], nn.Sigmoid, 3),
        "relu": stack([36, 24, 5], nn.ReLU, 3),
        "convolution": convolution(6, 3),
    }
    model, images, others = models[name], images_of(24, 36, 1), images_of(150, 36, 2)
    mask = targeted(model, images) if starts == 1 else some_classes(model, images)
    known = None
    if starts > 1:
        hits = mask.T[model(others).argmax(1)]
        known = others[hits.int().argmax(0)]
    both = network.network_of(model, images.shape[1:])
    given = (both, images, mask, starts, others, known)
    task = problem_of(*given)
    lockstep, own = InLockstep(), own_slots(task.problem)
    own_decisions = SimpleNamespace(**vars(backends.callable_from_python(decisions)))
    if shake:
        own_decisions.judge_candidates = shaken(own_decisions.judge_candidates, 1)
    loop = loop_with(stages_with(own_decisions, lockstep), network)
    state, accuracy = empty_state(16, 5, own, 8), Accuracy()
    zeros = backends.compiled_backend().zeros
    pixels = empty_pixels(16, 36, own + 8, accuracy.memory, zeros)
    stopping = np.float32(accuracy.tolerance), np.float32(accuracy.decrease)
    limits = Settings(own, accuracy.memory, both.nonsmooth, *stopping)
    origins = Origins(*map(backends.as_array, task.origins))
    best, waiting = backends.as_array(task.best_images), np.arange(24)
    task = task._replace(origins=origins, best_images=best)
    passes = network.HostPasses(both, backends.as_array)
    room = room_for(36, own + 8, accuracy.memory)
    searched = (task, limits, room, waiting, 24, 3000)
    left, count, finite = loop(passes, state, pixels, *searched)
    assert (left, count, finite) == (0, 0, True)
    assert np.isfinite(task.results["length"]).any()
    assert np.mean(lockstep.agreed) > (0.99 if shake else 0.995)
