"""The quadratic relaxation of ReLU units.

For a unit with pre-activation z in [l, h] and activation a, write p = a / h and
q = (a - z) / |l|. Then

    p (1 - p) >= 0 (multiplier mu),  q (1 - q) >= 0 (omega),  p q = 0 (xi).

A unit that is split is either active, q = 0, or inactive, p = 0, in one half each.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Int
from scipy.sparse import csr_matrix

from intriguing.bounds.interior_point import Program
from intriguing.bounds.intervals import Interval
from intriguing.bounds.network import Network
from intriguing.bounds.relaxation import (
    Affine,
    Ellipsoid,
    Relaxation,
    Vector,
    linear_forms,
    scaled_objective,
)

UNSPLIT, ACTIVE, INACTIVE = 0, 1, -1
"""What a branch assumes of a unit."""
START = np.array([0.4, 0.4, -1.2])
"""First multipliers mu, omega and xi, in units of the objective."""

Splits = Int[np.ndarray, " units"]
Pairs = Int[np.ndarray, "2 units"]


def relax_relu(
    network: Network,
    image: Vector,
    ellipsoid: Ellipsoid,
    intervals: Sequence[Interval],
    splits: Splits,
    contrast: Vector,
) -> Relaxation:
    """Return the program for the least margin of a ReLU network.

    Units that cannot change sign are linear and have no variable.

    Args:
        network: The network.
        image: Centre of the ball.
        ellipsoid: The set of images.
        intervals: Of the pre-activations of each hidden layer.
        splits: What is assumed of each hidden unit: `UNSPLIT`, `ACTIVE`, `INACTIVE`.
        contrast: Weights of the logits in the margin.
    """
    lower, upper = (np.concatenate(ends) for ends in zip(*intervals, strict=True))
    free = (lower < 0) & (upper > 0)
    own = free & (splits == UNSPLIT)
    active = (lower >= 0) | (splits == ACTIVE)
    affine = Affine(active * 1.0, np.zeros(len(free)), own * 1.0)
    # A unit that is assumed inactive has a pre-activation to constrain.
    forms = linear_forms(network, image, ellipsoid, affine, active | free)
    vectors, pair = [np.eye(forms.output.shape[1])[0]], np.full((2, len(free)), -1)
    for kind, extent, other in ((0, upper, INACTIVE), (1, -lower, ACTIVE)):
        for unit in np.flatnonzero(free & (splits != other)):
            pair[kind, unit] = len(vectors)
            difference = forms.after[unit] - (forms.before[unit] if kind else 0)
            vectors.append(difference / extent[unit])
    objective, unit, ball = scaled_objective(forms, contrast)
    pairs, places, start = _multipliers(pair)
    program = Program(objective, ball, np.array(vectors).T.copy(), *pairs)
    branching = partial(_branching_unit, program, pair, places[2])
    kinds = program, unit, forms.basis, ellipsoid, places, start
    return Relaxation(*kinds, lambda _: 0.0, branching)


def _multipliers(pair: Pairs) -> tuple:
    """Return pairs of vectors, the places of multipliers, and their first values."""
    places = np.full((3, pair.shape[1]), -1)
    products, columns, values, kinds = [], [], [], []
    for unit in range(pair.shape[1]):
        p, q = pair[:, unit]
        terms = [
            [((0, one), 1.0), ((one, one), -1.0)] if one >= 0 else [] for one in (p, q)
        ]
        terms.append([((p, q), 1.0)] if min(p, q) >= 0 else [])
        for kind, term in enumerate(terms):
            if term:
                places[kind, unit] = len(kinds)
                columns += [len(kinds)] * len(term)
                products += [product for product, _ in term]
                values += [value for _, value in term]
                kinds.append(kind)
    first, second = np.array(products, int).reshape(-1, 2).T
    rows, count = np.arange(len(values)), len(kinds)
    combination = csr_matrix((values, (rows, columns)), (len(values), count))
    signed = np.flatnonzero(np.array(kinds, int) < 2)
    conditions = csr_matrix(np.eye(count)[signed])
    return (first, second, combination, conditions), places, START[np.array(kinds, int)]


def _branching_unit(
    program: Program, pair: Pairs, places: Splits, dual: Vector, row: Vector
) -> int:
    """Return the unit whose constraint p q = 0 costs most, -1 where there is none."""
    if not (places >= 0).any():
        return -1
    p, q = pair
    means = row @ program.vectors
    costs = -dual[2:][places] * means[p] * means[q]
    return int(np.where(places >= 0, costs, -np.inf).argmax())
