"""The quadratic relaxation of sigmoid and tanh units.

On its interval [l, h] the curve of an unit's activation is written in the coordinates

    t = (z - centre) / half,   e = (a - slope z - offset) / height,

both in [-1, 1]: e is the scaled distance from the chord. A polynomial of degree two in
t and e that is not negative on the curve is a constraint. Its six coefficients are the
unit's multipliers. The program imposes the sign at some points of the curve; what the
polynomial can lose between them is subtracted from the program's value.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.sparse import block_diag, csr_matrix, identity

from intriguing.bounds.interior_point import Program
from intriguing.bounds.intervals import Interval
from intriguing.bounds.network import (
    ACTIVATIONS,
    Activation,
    Network,
    pre_activations,
)
from intriguing.bounds.relaxation import (
    Affine,
    Ellipsoid,
    Relaxation,
    Vector,
    linear_forms,
    scaled_objective,
)
from intriguing.bounds.sigmoid_lines import turning_points

POINTS, FINE = 24, 1501
"""Points of a curve at which the sign is imposed, and at which it is checked."""
NEARBY = np.array([-0.12, -0.04, -0.01, 0.0, 0.01, 0.04, 0.12])
"""More of them, around a counterexample's: there the best polynomials touch zero."""
SPARE, FLATTEST = 1e-3, 1e-7
"""By which share a curve's height is enlarged, and the least height: there the
activation is a line up to rounding."""
LARGEST_SQUARE, START = 1.1, (0.3, 0.5)
"""First polynomials: 0.3 (1.1 - t^2) + 0.5 (1.1 - e^2), in units of the objective."""


class Curves(NamedTuple):
    """The curves of all hidden units.

    Attributes:
        activation: Their function.
        lower: Ends of the intervals of the pre-activations.
        upper: The other ends.
        affine: The chords: slope, offset and height of each unit.
    """

    activation: Activation
    lower: Vector
    upper: Vector
    affine: Affine

    def points(self) -> Float[np.ndarray, "units k"]:
        """Return pre-activations that divide the intervals evenly."""
        shares = np.linspace(0, 1, FINE)
        return self.lower[:, None] + (self.upper - self.lower)[:, None] * shares

    def coordinates(
        self, z: Float[np.ndarray, "units k"]
    ) -> tuple[Float[np.ndarray, "units k"], Float[np.ndarray, "units k"]]:
        """Return t and e of pre-activations."""
        centre, half = (self.upper + self.lower) / 2, (self.upper - self.lower) / 2
        slope, offset, height = (part[:, None] for part in self.affine)
        e = (self.activation.value(z) - slope * z - offset) / height
        return (z - centre[:, None]) / half[:, None], e


def curves_of(network: Network, intervals: Sequence[Interval]) -> Curves:
    """Return the curves of a network's units on their intervals."""
    lower, upper = (np.concatenate(ends) for ends in zip(*intervals, strict=True))
    activation = ACTIVATIONS[network.activation]
    slope = (activation.value(upper) - activation.value(lower)) / (upper - lower)
    turns = turning_points(activation, slope)
    points = np.array([lower, upper, *np.clip([-turns, turns], lower, upper)])
    gaps = activation.value(points) - slope * points
    offset, height = (gaps.max(0) + gaps.min(0)) / 2, np.ptp(gaps, axis=0) / 2
    affine = Affine(slope, offset, np.maximum((1 + SPARE) * height, FLATTEST))
    return Curves(activation, lower, upper, affine)


def relax_curves(
    network: Network,
    image: Vector,
    ellipsoid: Ellipsoid,
    intervals: Sequence[Interval],
    contrast: Vector,
    near: Vector,
) -> Relaxation:
    """Return the program for the least margin of a sigmoid or tanh network.

    Args:
        network: The network.
        image: Centre of the ball.
        ellipsoid: The set of images.
        intervals: Of the pre-activations of each hidden layer.
        contrast: Weights of the logits in the margin.
        near: Flat image of the ball with a small margin.
    """
    curves = curves_of(network, intervals)
    count, affine = len(curves.lower), curves.affine
    seen = np.ones(count, bool)
    forms = linear_forms(network, image, ellipsoid, affine, seen)
    one = np.eye(forms.output.shape[1])[0]
    centre, half = (curves.upper + curves.lower) / 2, (curves.upper - curves.lower) / 2
    t = (forms.before - np.outer(centre, one)) / half[:, None]
    e = np.eye(len(one))[-count:]
    vectors = np.concatenate([one[None], t, e]).T.copy()
    places = np.arange(6 * count).reshape(count, 6).T
    objective, unit, ball = scaled_objective(forms, contrast)
    *hidden, _ = pre_activations(network, near[None])
    signs = _signs(curves, np.concatenate(hidden, axis=1)[0])
    program = Program(objective, ball, vectors, *_products(count), signs)
    start = np.zeros((count, 6))
    for square, weight in zip((3, 5), START, strict=True):
        start[:, square] = -weight
        start[:, 0] += LARGEST_SQUARE * weight
    lost = partial(_lost, curves)
    kinds = program, unit, forms.basis, ellipsoid, places, start.ravel()
    return Relaxation(*kinds, lost, lambda _, __: -1)


def _products(count: int) -> tuple[np.ndarray, np.ndarray, csr_matrix]:
    """Return the pairs of 1, t and e of each unit, each with a multiplier."""
    one, t = np.zeros(count, int), 1 + np.arange(count)
    e = t + count
    first = np.stack([one, one, one, t, t, e], 1).ravel()
    second = np.stack([one, t, e, t, e, e], 1).ravel()
    return first, second, csr_matrix(identity(6 * count))


def _signs(curves: Curves, touching: Vector) -> csr_matrix:
    """Return the conditions that polynomials are positive at points of the curves.

    The points divide each curve, drawn in t and e, into pieces of equal length, and
    lie close around the pre-activations ``touching``.
    """
    z = curves.points()
    t, e = curves.coordinates(z)
    steps = np.hypot(np.diff(t), np.diff(e))
    chosen = []
    for points, lengths in zip(z, np.cumsum(steps, axis=1), strict=True):
        lengths = np.concatenate([[0.0], lengths])
        chosen.append(np.interp(np.linspace(0, lengths[-1], POINTS), lengths, points))
    half = (curves.upper - curves.lower)[:, None] / 2
    close = touching[:, None] + half * NEARBY
    close = np.clip(close, curves.lower[:, None], curves.upper[:, None])
    points = np.concatenate([np.array(chosen), close], axis=1)
    return csr_matrix(block_diag(list(monomials(*curves.coordinates(points)))))


def monomials(
    t: Float[np.ndarray, "*shape"], e: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape 6"]:
    """Return 1, t, e, t^2, t e and e^2."""
    return np.stack([np.ones_like(t), t, e, t * t, t * e, e * e], -1)


def _lost(curves: Curves, dual: Vector) -> float:
    """Return how far the polynomials may be below zero, summed over the units."""
    z = curves.points()
    polynomials = dual[2:].reshape(-1, 6)
    t, e = curves.coordinates(z)
    values = np.einsum("upk,uk->up", monomials(t, e), polynomials)
    slopes = curves.activation.derivative(z) - curves.affine.slope[:, None]
    slope = np.abs(slopes).max(1) * 1.01 / curves.affine.height
    bend = curves.activation.most_bent / curves.affine.height
    step = (curves.upper - curves.lower) / (FINE - 1)
    inner = 2 / (curves.upper - curves.lower)
    _, _, by_e, by_tt, by_te, by_ee = np.abs(polynomials).T
    second = by_e * bend + 2 * by_tt * inner**2 + by_te * (2 * inner * slope + bend)
    second += by_ee * 2 * (slope**2 + 1.01 * bend)
    lowest = values.min(1) - second * step**2 / 8
    return float(-np.minimum(lowest, 0).sum())
