"""The two units of the picture: what the methods allow contains what images reach."""

import numpy as np
import pytest
from torch import nn

from intriguing.bounds.two_units import (
    BALL,
    activations,
    least_by_crown,
    least_by_program,
)
from intriguing.figures.two_units import outline

ANGLES = np.linspace(0, 2 * np.pi, 8, endpoint=False)
DIRECTIONS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid])
def test_the_program_lies_between_crown_and_the_truth(activation):
    generator = np.random.default_rng(0)
    points = generator.uniform(-1, 1, (40_000, 2))
    inside = points[np.linalg.norm(points, axis=1) <= 1]
    reached = activations(activation, BALL.image + BALL.radius * inside)
    truth = (reached @ DIRECTIONS.T).min(0)
    crown = least_by_crown(activation, DIRECTIONS)
    program = least_by_program(activation, DIRECTIONS)
    assert (program <= truth + 1e-9).all()
    assert (program >= truth - 0.01).all()
    assert (program - crown).max() > 0.03


def test_an_outline_joins_the_corners_of_a_square():
    sides = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    found = outline(sides, np.array([0.0, 0, -1, -2]))
    corners = {(0, 0), (1, 0), (1, 2), (0, 2)}
    assert {tuple(corner) for corner in found.tolist()} == corners
    assert found[0].tolist() == found[-1].tolist()
