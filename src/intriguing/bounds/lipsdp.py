"""LipSDP: the best diagonal multipliers for a Lipschitz constant.

The method is that of Fazlyab et al. (2019), with one multiplier a unit.
The slopes of an activation lie in [0, b]. With m = b / 2 a change of an activation is
m dz + dp, where |dp| <= m |dz|. So for all T >= 0

    |dy|^2 <= r |dx|^2   if   M = r I_x + sum_i T_i (dp_i^2 - m^2 dz_i^2) - |dy|^2 >= 0,

as a quadratic form in (dx, dp): then r is a squared Lipschitz constant. The smallest r
is found by Newton steps on r / mu - log det M - sum_i log T_i, while mu falls.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_solve, lapack
from tqdm import tqdm

SHRINK, STEPS = 0.1, 500
"""Factor of mu after each centring, and most Newton steps of one. Six hidden layers
need more than a hundred for the first."""
CENTRED = 1e-2
"""Square of the Newton decrement at which mu is lowered."""
GAP = 2e-5
"""Relative gap of r to the optimum at which the search ends."""
RESERVE = 1e-6
"""Relative increase of r at the end, so that rounding cannot undo the proof. Six hidden
layers of 100 units need more than 1e-8."""

Matrix = Float[np.ndarray, "_ _"]
Vector = Float[np.ndarray, " _"]


class Multipliers(NamedTuple):
    """A certificate: the squared constant, and T of each hidden unit."""

    square: float
    units: Vector


class _Forms(NamedTuple):
    """Linear forms on (dx, dp): changes of pre-activations, of p, and of the output."""

    before: Matrix
    rest: Matrix
    output: Matrix
    inputs: Vector


def least_multipliers(weights: Sequence[Matrix], steepest: float) -> Multipliers:
    """Return multipliers whose squared constant is the smallest, up to `GAP`.

    ``steepest`` is the largest slope of the activation.
    """
    reduced = np.transpose(np.linalg.qr(weights[0].T, mode="r"))  # up to an isometry
    norms = [float(np.linalg.norm(weight, 2)) for weight in weights]
    scale = float(np.prod(norms)) or 1.0
    forms = difference_forms([reduced, *weights[1:]], steepest)
    forms = forms._replace(output=forms.output / scale)
    half, sizes = steepest / 2, [len(weight) for weight in weights[:-1]]
    squares = [norm**2 for norm in norms[:-1]] + [(norms[-1] / scale) ** 2]
    current = _feasible(forms, sizes, squares, half)
    constraints = len(forms.inputs) + len(current) - 1
    mu = current[0] / constraints
    while mu * constraints > GAP / 2 * current[0]:
        mu *= SHRINK
        current = _centre(forms, half, mu, current)
    square = current[0] * (1 + RESERVE)
    return Multipliers(float(square * scale**2), current[1:] * scale**2)


def difference_forms(weights: Sequence[Matrix], steepest: float) -> _Forms:
    """Return the forms of a network whose activations have slopes in [0, steepest]."""
    inputs, sizes = weights[0].shape[1], [len(w) for w in weights[:-1]]
    total = inputs + sum(sizes)
    rest = np.eye(total)[inputs:]
    before, start = [weights[0] @ np.eye(total)[:inputs]], 0
    for size, weight in zip(sizes, weights[1:], strict=True):
        own = rest[start : start + size]
        before.append(weight @ (steepest / 2 * before[-1] + own))
        start += size
    first = np.arange(total) < inputs
    return _Forms(np.concatenate(before[:-1]), rest, before[-1], first * 1.0)


def _matrix(forms: _Forms, half: float, variables: Vector) -> Matrix:
    square, units = variables[0], variables[1:]
    matrix = np.diag(square * forms.inputs) - forms.output.T @ forms.output
    matrix += (forms.rest.T * units) @ forms.rest
    return matrix - half**2 * (forms.before.T * units) @ forms.before


def _feasible(
    forms: _Forms, sizes: Sequence[int], norms: Sequence[float], half: float
) -> Vector:
    """Return multipliers with a positive definite matrix: larger for earlier layers.

    ``norms`` are the squared spectral norms of all layers, ``sizes`` of hidden ones.
    """
    for share in 2.0 * 1.3 ** np.arange(100):
        layers = [share * norms[-1]]
        for norm in norms[-2::-1]:
            layers.append(layers[-1] * share * norm * 4 * half**2)
        square, *units = layers[::-1]
        variables = np.r_[square, np.repeat(units, sizes)]
        if not lapack.dpotrf(_matrix(forms, half, variables), lower=1)[1]:
            return variables
    raise ArithmeticError("no multipliers prove any Lipschitz constant")


def _centre(forms: _Forms, half: float, mu: float, start: Vector) -> Vector:
    """Return the minimum for one mu, by damped Newton steps."""
    current = start
    # A bar for those who wait: a step of 600 units takes a second.
    shown = {"desc": f"LipSDP, mu = {mu:.0e}", "unit": "step", "leave": False}
    for _ in tqdm(range(STEPS), **shown, delay=5, disable=None):
        gradient, hessian = _derivatives(forms, half, mu, current)
        scale = 1 / np.sqrt(np.diag(hessian))
        scaled = hessian * scale[:, None] * scale
        scaled[np.diag_indices(len(scaled))] += 1e-13
        root, failed = lapack.dpotrf(scaled, lower=1)
        if failed:
            break
        step = -scale * cho_solve((root, True), scale * gradient)
        decrement = float(-gradient @ step)
        if decrement < CENTRED:
            break
        length = 1.0 if decrement < 0.06 else 1 / (1 + np.sqrt(decrement))
        following = current + _extended(forms, half, current, step, length) * step
        if (following == current).all():
            break
        current = following
    return current


def _extended(
    forms: _Forms, half: float, current: Vector, step: Vector, safe: float
) -> float:
    """Return a longer step than the safe one, where it stays well inside."""
    for length in (1.0, 0.7, 0.5, 0.3):
        if length <= safe:
            break
        far = current + length / 0.9 * step
        if (far > 0).all():
            matrix = _matrix(forms, half, far)
            if not lapack.dpotrf(matrix, lower=1)[1]:
                return length
    return safe


def _derivatives(
    forms: _Forms, half: float, mu: float, current: Vector
) -> tuple[Vector, Matrix]:
    """Return gradient and Hessian of the barrier function by (r, T)."""
    matrix = _matrix(forms, half, current)
    root, _ = lapack.dpotrf(matrix, lower=1)
    lower = np.tril(lapack.dpotri(root, lower=1)[0])
    inverse = lower + np.tril(lower, -1).T
    inner = forms.inputs > 0
    all_forms = np.concatenate([forms.rest, half * forms.before])
    products = all_forms @ inverse
    gram, count = products @ all_forms.T, len(current) - 1
    signs = np.r_[np.ones(count), -np.ones(count)]
    fold = signs[:, None] * gram**2 * signs
    hessian = np.zeros((1 + count,) * 2)
    hessian[1:, 1:] = sum(
        fold[i : i + count, j : j + count] for i in (0, count) for j in (0, count)
    )
    mixed = signs * (products[:, inner] ** 2).sum(1)
    hessian[0, 1:] = hessian[1:, 0] = mixed[:count] + mixed[count:]
    hessian[0, 0] = (inverse[np.ix_(inner, inner)] ** 2).sum()
    diagonal = signs * np.diag(gram)
    gradient = -np.r_[
        np.diag(inverse) @ forms.inputs, diagonal[:count] + diagonal[count:]
    ]
    gradient[0] += 1 / mu
    gradient[1:] -= 1 / current[1:]
    hessian[np.diag_indices(1 + count)] += np.r_[0.0, 1 / current[1:] ** 2]
    return gradient, hessian
