"""Intervals, lines and programs against brute force."""

import numpy as np
import pytest
from bounds.small import small_network
from networks import images_of
from scipy.optimize import minimize
from torch import nn

from intriguing.bounds.adversary import project
from intriguing.bounds.interior_point import solve
from intriguing.bounds.intervals import (
    Ball,
    Interval,
    intervals_in_ball,
    layer_norms,
    least_in_ball,
    linear_lower_bound,
    lines_of,
)
from intriguing.bounds.network import (
    ACTIVATIONS,
    contrast,
    fully_connected,
    logits_of,
    margins_and_gradients,
    pre_activations,
)
from intriguing.bounds.relaxation import ellipsoid_around, first_multipliers
from intriguing.bounds.relaxed_curves import relax_curves
from intriguing.bounds.relaxed_relu import relax_relu
from intriguing.bounds.rounding import is_positive_definite, norm_above

RADIUS = 0.4
BOXED = pytest.mark.parametrize("boxed", [False, True], ids=["ball", "box"])
KINDS = sorted(ACTIVATIONS, key=lambda kind: kind.__name__)


def in_ball(image, count, seed=0, boxed=False):
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(count, len(image)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points = image + RADIUS * directions * generator.random((count, 1)) ** 0.3
    return points.clip(0, 1) if boxed else points


@BOXED
@pytest.mark.parametrize("activation", KINDS, ids=lambda kind: kind.__name__)
def test_intervals_contain_what_images_of_the_ball_give(activation, boxed):
    network = fully_connected(small_network([4, 6, 5, 3], activation))
    image = images_of(4).double().numpy()
    ball = Ball(image, RADIUS, boxed)
    found = intervals_in_ball(network, ball, layer_norms(network))
    points = in_ball(image, 4000, boxed=boxed)
    for interval, values in zip(found, pre_activations(network, points), strict=False):
        assert (interval.lower <= values).all()
        assert (values <= interval.upper).all()
    width = found[0].upper - found[0].lower
    whole = 2 * RADIUS * np.linalg.norm(network.weights[0], axis=1)
    assert np.allclose(width, whole) != boxed
    assert (width <= whole * (1 + 1e-6)).all()


def test_the_least_of_a_linear_function_in_ball_and_box_is_exact():
    """SLSQP solves the same problem."""
    image, weights = images_of(5).double().numpy(), np.eye(5)[:3] - 0.3
    found = least_in_ball(Ball(image, RADIUS, in_box=True), weights)
    for row, least in zip(weights, found, strict=True):
        solved = minimize(
            lambda x, row=row: row @ x,
            image,
            bounds=[(0, 1)] * 5,
            constraints={
                "type": "ineq",
                "fun": lambda x: RADIUS**2 - ((x - image) ** 2).sum(),
            },
            options={"ftol": 1e-12},
        )
        assert least == pytest.approx(solved.fun, abs=1e-8)


@pytest.mark.parametrize("radius", [1e-3, 0.5, 9.0])
def test_the_least_in_ball_and_box_is_below_every_image_of_them(radius):
    image, weights = images_of(6).double().numpy(), np.eye(6) - 0.2
    image[:2], weights[5] = 0, 0
    found = least_in_ball(Ball(image, radius, in_box=True), weights)
    points = image + radius / RADIUS * (in_ball(image, 5000) - image)
    assert (found <= (points.clip(0, 1) @ weights.T).min(0) + 1e-12).all()
    whole = least_in_ball(Ball(image, radius, in_box=False), weights)
    assert (found >= whole - 1e-10).all()


@BOXED
@pytest.mark.parametrize("activation", KINDS, ids=lambda kind: kind.__name__)
def test_crown_bounds_every_margin_of_the_ball(activation, boxed):
    network = fully_connected(small_network([4, 6, 5, 3], activation))
    image = images_of(4).double().numpy()
    ball = Ball(image, RADIUS, boxed)
    intervals = intervals_in_ball(network, ball, layer_norms(network))
    logits = logits_of(network, in_ball(image, 4000, boxed=boxed))
    weight, bias = network.weights[-1], network.biases[-1]
    bound = linear_lower_bound(network, ball, intervals, weight, bias)
    assert (bound <= logits).all()
    assert (bound >= logits.min(0) - 3 * np.ptp(logits, axis=0)).all()


@pytest.mark.parametrize("activation", KINDS, ids=lambda kind: kind.__name__)
def test_lines_lie_below_and_above_the_activation(activation):
    generator = np.random.default_rng(0)
    ends = np.sort(generator.normal(size=(2, 300)) * 3, axis=0)
    lines = lines_of(activation, Interval(*ends))
    points = ends[0] + (ends[1] - ends[0]) * np.linspace(0, 1, 200)[:, None]
    values = ACTIVATIONS[activation].value(points)
    assert (lines.lower_slope * points + lines.lower_offset <= values + 1e-12).all()
    assert (values <= lines.upper_slope * points + lines.upper_offset + 1e-12).all()


@pytest.mark.parametrize("activation", KINDS, ids=lambda kind: kind.__name__)
def test_gradients_are_those_of_finite_differences(activation):
    network = fully_connected(small_network([4, 6, 5, 3], activation))
    points, weights = images_of(1, 4).double().numpy(), contrast(3, 0, 2)[None]
    margin, gradient = margins_and_gradients(network, points, weights)
    for pixel in range(4):
        moved = points + 1e-6 * np.eye(4)[pixel]
        rise = margins_and_gradients(network, moved, weights)[0] - margin
        assert rise[0] / 1e-6 == pytest.approx(gradient[0, pixel], rel=1e-4, abs=1e-5)


def test_the_projection_is_in_box_and_ball_and_keeps_what_is_there():
    image, points = images_of(5).double().numpy(), 3 * images_of(9, 5).double().numpy()
    found = project(points, image, RADIUS)
    assert (found >= 0).all()
    assert (found <= 1).all()
    assert (np.linalg.norm(found - image, axis=1) <= RADIUS * (1 + 1e-12)).all()
    np.testing.assert_allclose(project(found, image, RADIUS), found, atol=1e-6)


def solved(network, image, threshold):
    """Return the status of a program, and the margin that it proves."""
    ball = Ball(image, RADIUS, in_box=False)
    intervals = intervals_in_ball(network, ball, layer_norms(network))
    ellipsoid = ellipsoid_around(image, RADIUS, np.zeros_like(image))
    around, weights = (network, image, ellipsoid, intervals), contrast(3, 0, 1)
    if network.activation is nn.ReLU:
        found = relax_relu(*around, np.zeros(sum(network.sizes), int), weights)
    else:
        found = relax_curves(*around, weights, image)
    start = first_multipliers(found, network.sizes)
    program, least = found.program, threshold / found.unit
    solution = solve(program, start, 1e-8, 60, least, found.lost)
    return solution.status, solution.value * found.unit


def test_a_network_without_unstable_units_is_solved_exactly():
    """Its margin is linear, and its least value in a ball is known."""
    model = small_network([4, 5, 3], seed=3)
    model[1].bias.data += 10.0
    network, image = fully_connected(model), images_of(4).double().numpy()
    weights = contrast(3, 0, 1)[None]
    margin, gradient = margins_and_gradients(network, image[None], weights)
    exact = margin[0] - RADIUS * np.linalg.norm(gradient[0])
    assert solved(network, image, exact - 1e-5)[0] == "positive"
    assert solved(network, image, exact + 1e-5)[0] == "negative"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("activation", KINDS, ids=lambda kind: kind.__name__)
def test_a_program_bounds_the_margin_and_is_tighter_than_crown(activation, seed):
    network = fully_connected(small_network([4, 6, 5, 3], activation, seed))
    image = images_of(4, seed=seed).double().numpy()
    logits = logits_of(network, in_ball(image, 20000))
    least = (logits[:, 0] - logits[:, 1]).min()
    ball = Ball(image, RADIUS, in_box=False)
    intervals = intervals_in_ball(network, ball, layer_norms(network))
    rows = network.weights[-1][[0]] - network.weights[-1][[1]]
    offset = network.biases[-1][[0]] - network.biases[-1][[1]]
    crown = linear_lower_bound(network, ball, intervals, rows, offset)[0]
    status, value = solved(network, image, crown - 1e-4)
    assert status == "positive"
    assert crown - 1e-4 < value <= least
    assert solved(network, image, least + 1e-4)[1] <= least


def test_the_ellipsoid_contains_ball_and_box_and_touches_where_both_end():
    image, box = images_of(6).double().numpy(), 3 * images_of(6, seed=1).numpy()
    ellipsoid = ellipsoid_around(image, RADIUS, box)
    points = np.clip(in_ball(image, 3000), 0, 1)
    inside = (points - image - ellipsoid.shift) / ellipsoid.scale
    assert (np.linalg.norm(inside, axis=1) <= ellipsoid.radius + 1e-12).all()


def test_definiteness_and_norms_are_claimed_only_beyond_the_error():
    matrix = np.diag([1.0, 1e-6])
    assert is_positive_definite(matrix, 1e-8)
    assert not is_positive_definite(matrix, 1e-6)
    assert not is_positive_definite(np.diag([1.0, -1e-3]), 0.0)
    assert not is_positive_definite(np.full((2, 2), np.nan), 0.0)
    matrix = np.random.default_rng(0).normal(size=(7, 20))
    exact = np.linalg.svd(matrix, compute_uv=False)[0]
    for scale in (1.0, 1e-170, 1e170):
        bound = norm_above(scale * matrix) / scale
        assert exact <= bound * (1 + 1e-15) and bound <= exact * (1 + 1e-9)
    assert norm_above(0 * matrix) == 0


def test_a_relu_unit_is_half_its_chord():
    lines = lines_of(nn.ReLU, Interval(np.array([-1.0]), np.array([3.0])))
    assert lines.upper_slope[0] == pytest.approx(0.75)
    assert lines.lower_slope[0] == 1
