"""What CROWN and the semidefinite program know of two units, on two pixels.

The network's logits are its two activations, so that bounds of their weighted sums
outline the set of activations that a method cannot rule out.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import nn

from intriguing.bounds.branching import Question, relaxation_of
from intriguing.bounds.interior_point import Solution, solve
from intriguing.bounds.intervals import (
    Ball,
    Interval,
    intervals_in_ball,
    layer_norms,
    linear_lower_bound,
)
from intriguing.bounds.network import ACTIVATIONS, Network, Vector
from intriguing.bounds.relaxation import (
    Relaxation,
    ellipsoid_around,
    first_multipliers,
)

WEIGHT = np.array([[3.0, 1.0], [-1.5, 2.5]])
BALL = Ball(np.array([0.5, 0.5]), 0.4, in_box=False)
BIAS = np.array([-1.6, -0.8])
HALVINGS, ITERATIONS, TOLERANCE = 14, 60, 1e-7


class Solved(NamedTuple):
    """A program for one weighted sum, and how it ended."""

    relaxation: Relaxation
    solution: Solution


def network_of(activation: type[nn.Module]) -> Network:
    """Return the network."""
    return Network((WEIGHT, np.eye(2)), (BIAS, np.zeros(2)), activation)


def intervals(network: Network) -> list[Interval]:
    """Return what the pre-activations can be in the ball."""
    return intervals_in_ball(network, BALL, layer_norms(network))


def activations(
    activation: type[nn.Module], points: Float[np.ndarray, "k 2"]
) -> Float[np.ndarray, "k 2"]:
    """Return the activations of images."""
    return ACTIVATIONS[activation].value(points @ WEIGHT.T + BIAS)


def least_by_crown(
    activation: type[nn.Module], directions: Float[np.ndarray, "k 2"]
) -> Float[np.ndarray, " k"]:
    """Return CROWN's lower bounds of weighted sums of the activations in the ball."""
    network, zeros = network_of(activation), np.zeros(len(directions))
    return linear_lower_bound(network, BALL, intervals(network), directions, zeros)


def least_by_program(
    activation: type[nn.Module], directions: Float[np.ndarray, "k 2"]
) -> Float[np.ndarray, " k"]:
    """Return the program's lower bounds of the same sums."""
    lower = least_by_crown(activation, directions)
    upper = np.abs(directions).sum(1) * 4
    return np.array(
        [
            _largest_proved(activation, direction, low, high)
            for direction, low, high in zip(directions, lower, upper, strict=True)
        ]
    )


def solved(activation: type[nn.Module], direction: Vector, threshold: float) -> Solved:
    """Return a program that stops where it proves a weighted sum above a threshold."""
    network = network_of(activation)
    ellipsoid = ellipsoid_around(BALL.image, BALL.radius, np.zeros(2))
    question = Question(network, BALL, intervals(network), direction)
    relaxation = relaxation_of(question, ellipsoid, np.zeros(2, int), BALL.image)
    start, least = first_multipliers(relaxation, [2]), threshold / relaxation.unit
    stops = TOLERANCE, ITERATIONS, least, relaxation.lost
    return Solved(relaxation, solve(relaxation.program, start, *stops))


def _largest_proved(
    activation: type[nn.Module], direction: Vector, low: float, high: float
) -> float:
    """Return the largest threshold that a program proves, by bisection."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        proved = solved(activation, direction, middle).solution.status == "positive"
        low, high = (middle, high) if proved else (low, middle)
    return low
