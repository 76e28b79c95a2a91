"""The quadratic relaxation of a ReLU network in a ball, or in the ball and the box.

A point of the ellipsoid is x0 + shift + radius basis u with |u| <= 1. The program's
vector is w = (1, u, activations of the unstable units). For an unit with
pre-activation z in [l, h] and activation a, write p = a / h and q = (a - z) / |l|. Then

    p (1 - p) >= 0 (multiplier mu),  q (1 - q) >= 0 (omega),  p q = 0 (xi),

and margin = w' sym(margin) w. Subtracting the constraints with their multipliers leaves
a matrix S; if it is positive semidefinite, the margin is at least g in the ellipsoid.
A unit that is split is either active, q = 0, or inactive, p = 0, in one half each.

For the box, x (1 - x) >= 0 with multipliers t D of each pixel turns ball and box into
one ellipsoid that contains both.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import cho_solve, lapack
from scipy.sparse import csr_matrix

from intriguing.bounds.interior_point import Program, adjoint
from intriguing.bounds.intervals import Interval
from intriguing.bounds.network import Network

UNSPLIT, ACTIVE, INACTIVE = 0, 1, -1
"""What a branch assumes of a unit."""
START = {"mu": 0.4, "omega": 0.4, "xi": -1.2, "radius": 1.5}
"""First multipliers, in units of the objective."""

Vector = Float[np.ndarray, " _"]
Mask = Bool[np.ndarray, " units"]
Splits = Int[np.ndarray, " units"]


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


class Relaxation(NamedTuple):
    """A program, and what its variables stand for.

    Attributes:
        program: The semidefinite program.
        unit: Size of the objective, by which it was divided.
        basis: Maps the program's u to scaled pixels, (pixels, dimension).
        ellipsoid: The set of images.
        pair: Columns of ``vectors`` with p and q of each hidden unit, -1 for none.
        multipliers: Places of mu, omega and xi of each hidden unit among the
            program's multipliers, -1 for none.
    """

    program: Program
    unit: float
    basis: Float[np.ndarray, "d k"]
    ellipsoid: Ellipsoid
    pair: Int[np.ndarray, "2 units"]
    multipliers: Int[np.ndarray, "3 units"]


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


def relax(
    network: Network,
    image: Vector,
    ellipsoid: Ellipsoid,
    intervals: Sequence[Interval],
    splits: Splits,
    contrast: Vector,
) -> Relaxation:
    """Return the program for the least margin.

    Args:
        network: A ReLU network.
        image: Centre of the ball.
        ellipsoid: The set of images.
        intervals: Of the pre-activations of each hidden layer.
        splits: What is assumed of each hidden unit: `UNSPLIT`, `ACTIVE`, `INACTIVE`.
        contrast: Weights of the logits in the margin.
    """
    lower, upper = (np.concatenate(ends) for ends in zip(*intervals, strict=True))
    active = (lower >= 0) | (splits == ACTIVE)
    free = (lower < 0) & (upper > 0)
    own = free & (splits == UNSPLIT)
    seen = active | free
    forms = _forms(network, image, ellipsoid, active, own, seen)
    vectors, pair = [np.eye(forms.output.shape[1])[0]], np.full((2, len(free)), -1)
    for kind, extent, other in ((0, upper, INACTIVE), (1, -lower, ACTIVE)):
        for unit in np.flatnonzero(free & (splits != other)):
            pair[kind, unit] = len(vectors)
            difference = forms.after[unit] - (forms.before[unit] if kind else 0)
            vectors.append(difference / extent[unit])
    margin = forms.output.T @ contrast
    unit = (np.linalg.norm(margin[1:]) + abs(margin[0])) / 2 or 1.0
    objective = np.zeros((len(margin),) * 2)
    objective[0] += margin / (2 * unit)
    objective[:, 0] += margin / (2 * unit)
    ball = np.zeros(len(margin))
    ball[0], ball[1 : 1 + forms.basis.shape[1]] = 1, -1
    pairs, multipliers = _multipliers(pair)
    program = Program(objective, ball, np.array(vectors).T.copy(), *pairs)
    return Relaxation(program, unit, forms.basis, ellipsoid, pair, multipliers)


class _Forms(NamedTuple):
    """Linear forms on the program's vector, one row each."""

    before: Float[np.ndarray, "units n"]
    after: Float[np.ndarray, "units n"]
    output: Float[np.ndarray, "classes n"]
    basis: Float[np.ndarray, "d k"]


def _forms(
    network: Network,
    image: Vector,
    ellipsoid: Ellipsoid,
    active: Mask,
    own: Mask,
    seen: Mask,
) -> _Forms:
    """Return pre-activations, activations and logits as forms on (1, u, a).

    An activation is a pre-activation where it is ``active``, a variable of its own
    where it is ``own``, and else zero. The coordinates u span the first layer's
    units that are ``seen``.
    """
    first = network.weights[0]
    seen = seen[: len(first)]
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
        after = np.where(active[units][:, None], before, 0.0)
        variable = np.flatnonzero(own[units])
        after[variable] = np.eye(before.shape[1])[places[units][variable]]
        earlier.append(before)
        later.append(after)
        before, start = weight @ after, start + size
    before[:, 0] += network.biases[-1]
    return _Forms(np.concatenate(earlier), np.concatenate(later), before, basis)


def _multipliers(pair: Int[np.ndarray, "2 units"]) -> tuple:
    """Return the pairs of vectors of a program, and the places of its multipliers."""
    places = np.full((3, pair.shape[1]), -1)
    products, columns, values, signed = [], [], [], []
    for unit in range(pair.shape[1]):
        p, q = pair[:, unit]
        terms = [
            [((0, one), 1.0), ((one, one), -1.0)] if one >= 0 else [] for one in (p, q)
        ]
        terms.append([((p, q), 1.0)] if min(p, q) >= 0 else [])
        for kind, term in enumerate(terms):
            if term:
                places[kind, unit] = len(signed)
                columns += [len(signed)] * len(term)
                products += [product for product, _ in term]
                values += [value for _, value in term]
                signed.append(kind < 2)
    first, second = np.array(products, int).reshape(-1, 2).T
    rows, count = np.arange(len(values)), len(signed)
    combination = csr_matrix((values, (rows, columns)), (len(values), count))
    conditions = csr_matrix(np.eye(count)[np.flatnonzero(signed)])
    return (first, second, combination, conditions), places


def first_multipliers(relaxation: Relaxation, sizes: Sequence[int]) -> Vector:
    """Return dual variables that fulfil all constraints of a program strictly.

    Later layers are shrunk more, as their quadratic forms are bounded by the earlier.
    """
    program, places = relaxation.program, relaxation.multipliers
    layer = np.repeat(np.arange(len(sizes)), sizes)
    for attempt in range(60):
        dual = np.zeros(2 + program.combination.shape[1])
        dual[1] = START["radius"]
        for kind, name in enumerate(("mu", "omega", "xi")):
            used = places[kind] >= 0
            shrunk = START[name] * 0.8 ** (attempt * (1 + layer[used]))
            dual[2 + places[kind][used]] = shrunk
        matrix = program.objective - adjoint(program, dual)
        root, failed = lapack.dpotrf(matrix[1:, 1:], lower=1)
        if not failed:
            below = matrix[1:, 0] @ cho_solve((root, True), matrix[1:, 0])
            dual[0] = matrix[0, 0] - below - 0.1
            return dual
    raise ArithmeticError("the relaxation has no strictly feasible multipliers")
