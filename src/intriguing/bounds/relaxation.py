"""Quadratic relaxations of a network in a ball, or in the ball and the box.

A point of the ellipsoid is x0 + shift + radius basis u with |u| <= 1. The program's
vector is w = (1, u, variables of the units), and each unit's pre-activation and
activation are linear forms on it, a = slope z + offset + height variable. Constraints
are products of such forms. Subtracting them with their multipliers from

    margin = w' sym(margin) w

leaves a matrix S; if it is positive semidefinite, the margin is at least g in the
ellipsoid.

For the box, x (1 - x) >= 0 with multipliers t D of each pixel turns ball and box into
one ellipsoid that contains both.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import cho_solve, lapack

from intriguing.bounds.interior_point import Program, adjoint
from intriguing.bounds.network import Network, Vector

RADIUS_START = 1.5
"""First multiplier of the ball, in units of the objective."""

Mask = Bool[np.ndarray, " units"]


class Ellipsoid(NamedTuple):
    """Points image + shift + (basis @ u) with |u| <= radius, as the units see them.

    Attributes:
        shift: Of the centre, in pixels.
        scale: Factor of each pixel, 1 for a ball.
        radius: In the scaled pixels.
    """

    shift: Vector
    scale: Vector
    radius: float


class Affine(NamedTuple):
    """Activations as slope z + offset + height variable, one entry a hidden unit.

    A unit with height zero has no variable.
    """

    slope: Vector
    offset: Vector
    height: Vector


class Forms(NamedTuple):
    """Linear forms on the program's vector, one row each."""

    before: Float[np.ndarray, "units n"]
    after: Float[np.ndarray, "units n"]
    output: Float[np.ndarray, "classes n"]
    basis: Float[np.ndarray, "d k"]


class Relaxation(NamedTuple):
    """A program, and what its variables stand for.

    Attributes:
        program: The semidefinite program.
        unit: Size of the objective, by which it was divided.
        basis: Maps the program's u to scaled pixels, (pixels, dimension).
        ellipsoid: The set of images.
        multipliers: Places of each kind of multiplier of each hidden unit among the
            program's multipliers, -1 for none.
        start: First value of each multiplier.
        lost: What of the program's value a proof loses at dual variables, such as by
            conditions that the program imposes on a grid only.
        branching: The hidden unit whose split promises most at dual variables and a
            primal row, -1 for none.
    """

    program: Program
    unit: float
    basis: Float[np.ndarray, "d k"]
    ellipsoid: Ellipsoid
    multipliers: Int[np.ndarray, "kinds units"]
    start: Vector
    lost: Callable[[Vector], float]
    branching: Callable[[Vector, Vector], int]


def ellipsoid_around(image: Vector, radius: float, box: Vector) -> Ellipsoid:
    """Return the ball, or an ellipsoid around ball and box.

    Args:
        image: Centre of the ball, in the box.
        radius: Of the ball.
        box: Multiplier of x (1 - x) >= 0 of each pixel, relative to that of the ball;
            zeros for the ball itself.
    """
    scale = 1 + box
    shift = box * (1 - 2 * image) / (2 * scale)
    square = radius**2 + box @ (image * (1 - image)) + scale @ shift**2
    return Ellipsoid(shift, scale**-0.5, float(np.sqrt(square)))


def linear_forms(
    network: Network, image: Vector, ellipsoid: Ellipsoid, affine: Affine, seen: Mask
) -> Forms:
    """Return pre-activations, activations and logits as forms on (1, u, variables).

    The coordinates u span the first layer's units that are ``seen``.
    """
    first, seen = network.weights[0], seen[: len(network.weights[0])]
    own = affine.height > 0
    basis, rows = np.linalg.qr((first[seen] * ellipsoid.scale).T)
    dimension = basis.shape[1]
    before = np.zeros((len(first), 1 + dimension + int(own.sum())))
    before[:, 0] = first @ (image + ellipsoid.shift)
    before[np.ix_(seen, np.arange(1, 1 + dimension))] = ellipsoid.radius * rows.T
    places = dimension + np.cumsum(own)
    earlier, later, start = [], [], 0
    for size, bias, weight in zip(
        network.sizes, network.biases, network.weights[1:], strict=False
    ):
        before[:, 0] += bias
        units = slice(start, start + size)
        after = affine.slope[units, None] * before
        after[:, 0] += affine.offset[units]
        variable = np.flatnonzero(own[units])
        after[variable, places[units][variable]] = affine.height[units][variable]
        earlier.append(before)
        later.append(after)
        before, start = weight @ after, start + size
    before[:, 0] += network.biases[-1]
    return Forms(np.concatenate(earlier), np.concatenate(later), before, basis)


def scaled_objective(
    forms: Forms, contrast: Vector
) -> tuple[Float[np.ndarray, "n n"], float, Vector]:
    """Return the margin's matrix divided by its size, the size, and the ball's form."""
    margin = forms.output.T @ contrast
    unit = float(np.linalg.norm(margin[1:]) + abs(margin[0])) / 2 or 1.0
    objective = np.zeros((len(margin),) * 2)
    objective[0] += margin / (2 * unit)
    objective[:, 0] += margin / (2 * unit)
    ball = np.zeros(len(margin))
    ball[0], ball[1 : 1 + forms.basis.shape[1]] = 1, -1
    return objective, unit, ball


def first_multipliers(relaxation: Relaxation, sizes: Sequence[int]) -> Vector:
    """Return dual variables that fulfil all constraints of a program strictly.

    Later layers are shrunk more, as their quadratic forms are bounded by the earlier.
    ``sizes`` are the units of each hidden layer.
    """
    program, places = relaxation.program, relaxation.multipliers
    layers = np.broadcast_to(np.repeat(np.arange(len(sizes)), sizes), places.shape)
    depth = np.zeros(len(relaxation.start))
    depth[places[places >= 0]] = layers[places >= 0]
    for attempt in range(60):
        shrunk = relaxation.start * 0.8 ** (attempt * (1 + depth))
        dual = np.concatenate([[0.0, RADIUS_START], shrunk])
        matrix = program.objective - adjoint(program, dual)
        root, failed = lapack.dpotrf(matrix[1:, 1:], lower=1)
        if not failed:
            below = matrix[1:, 0] @ cho_solve((root, True), matrix[1:, 0])
            dual[0] = matrix[0, 0] - below - 0.1
            return dual
    raise ArithmeticError("the relaxation has no strictly feasible multipliers")
