"""The image of two pixels: derivatives, optimality, and what the drawing claims."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from intriguing.attack.two_pixels import (
    CLEAN,
    ITERATE,
    gradient,
    hessian,
    iterates,
    iteration,
    largest_adversarial_weight,
    margin,
    objective,
)

WEIGHT = 6.0


@pytest.mark.parametrize("point", [(0.1, 0.9), (0.5, 0.4), (0.0, 0.6)])
def test_derivatives_are_those_of_the_objective(point):
    point = np.array(point)
    slope = approx_fprime(point, objective, 1e-7, WEIGHT)
    assert np.allclose(gradient(point, WEIGHT), slope, atol=1e-5)
    curvature = approx_fprime(point, gradient, 1e-7, WEIGHT)
    assert np.allclose(hessian(point, WEIGHT), curvature, atol=1e-4)


def test_the_minimiser_in_the_box_is_the_best_of_a_grid():
    values = np.linspace(0, 1, 401)
    grid = np.stack(np.meshgrid(values, values), axis=-1)
    end = iterates(WEIGHT)[-1]
    assert objective(end, WEIGHT) <= objective(grid, WEIGHT).min()
    assert ((end >= 0) & (end <= 1)).all()


def test_clipping_loses_the_success_at_the_largest_weight_and_a_larger_one_fails():
    weight = largest_adversarial_weight()
    inside, outside = iterates(weight)[-1], iterates(weight, box=False)[-1]
    assert margin(inside) > 0 and margin(outside) > 0
    assert (outside < 0).any()
    assert margin(np.clip(outside, 0, 1)) < 0
    weight = largest_adversarial_weight()
    assert margin(iterates(weight * 1.01)[-1]) < 0
    assert margin(iterates(weight * 0.99)[-1]) > 0


@pytest.mark.parametrize("start", [CLEAN, ITERATE])
def test_an_iteration_stays_in_the_box_and_lowers_the_model(start):
    weight = largest_adversarial_weight()
    parts = iteration(start, weight)
    assert ((parts.path >= 0) & (parts.path <= 1)).all()
    slope, curvature = gradient(start, weight), hessian(start, weight)

    def model(point):
        step = point - start
        return step @ slope + step @ curvature @ step / 2

    assert model(parts.end) <= model(parts.cauchy) + 1e-6
    assert model(parts.cauchy) < 0
    assert parts.cauchy[0] == 0 < parts.cauchy[1] < 1


def test_the_drawn_iteration_stops_at_a_corner_and_then_moves_the_free_pixel():
    parts = iteration(ITERATE, largest_adversarial_weight())
    assert parts.end[0] == parts.cauchy[0] == 0
    assert parts.end[1] < parts.cauchy[1] - 0.1
    assert margin(parts.end) > 0 > margin(ITERATE)
