"""Semidefinite programs of quadratic relaxations, by a primal-dual interior point.

A program asks for the largest g such that

    S = objective - g E_00 - t diag(ball) - sum_k (combination y)_k sym(v_p v_q')

is positive semidefinite, ``t >= 0`` and ``conditions y >= 0``; p and q are the indices
of the k-th pair of columns of ``vectors``. The method follows Helmberg, Kojima and
Monteiro with Mehrotra's predictor and corrector. Each iterate fulfils the constraints,
so it may be stopped at any time and g is proved, up to rounding.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import lapack
from scipy.sparse import block_diag, csr_matrix

from intriguing.bounds.kernels import schur_of_pairs
from intriguing.bounds.network import Matrix, Vector

RIDGES = (1e-13, 1e-9)
"""Added to the diagonal of the scaled Schur complement; the second where it fails."""
NEARLY = 1e-6
"""Residual of the primal constraints below which its value is an upper bound."""
SHORTEST = 1e-4
"""Step length below which both directions have stalled."""
TO_BOUNDARY, SAFE = 0.999, 0.95
"""Share of the way to the boundary, of the predictor and of the step."""


class Program(NamedTuple):
    """A program of the module's form; ``vectors`` has E_0 as its first column."""

    objective: Matrix
    ball: Float[np.ndarray, " n"]
    vectors: Float[np.ndarray, "n v"]
    first: Int[np.ndarray, " k"]
    second: Int[np.ndarray, " k"]
    combination: csr_matrix
    conditions: csr_matrix


class Point(NamedTuple):
    """An iterate: (g, t, y), the slacks of its constraints, and the primal variables.

    Attributes:
        dual: (g, t, y).
        slack: The matrix S.
        inverse: Of S.
        margins: Values of t and of the conditions, positive.
        primal: Matrix X, positive definite.
        weights: Primal variable of each of ``margins``.
    """

    dual: Vector
    slack: Matrix
    inverse: Matrix
    margins: Vector
    primal: Matrix
    weights: Vector


class Solution(NamedTuple):
    """Where the iteration stopped.

    Attributes:
        value: The proved g.
        point: The last iterate.
        status: ``positive``: g is above the threshold; ``negative``: it cannot be;
            ``attacked``: the primal matrix gave a counterexample; ``optimal``,
            ``limit`` or ``stalled``.
    """

    value: float
    point: Point
    status: str


def adjoint(program: Program, dual: Vector) -> Matrix:
    """Return what the dual variables subtract from the objective."""
    kernel = np.zeros((program.vectors.shape[1],) * 2)
    values = program.combination @ dual[2:] / 2
    np.add.at(kernel, (program.first, program.second), values)
    total = program.vectors @ kernel @ program.vectors.T
    total += total.T
    total[0, 0] += dual[0]
    total[np.diag_indices(len(total))] += dual[1] * program.ball
    return total


def _operator(program: Program, matrix: Matrix) -> Vector:
    """Return the inner products of a matrix with what each dual variable subtracts."""
    gram = program.vectors.T @ matrix @ program.vectors
    pairs = program.combination.T @ gram[program.first, program.second]
    return np.r_[matrix[0, 0], np.diag(matrix) @ program.ball, pairs]


def solve(
    program: Program,
    start: Vector,
    tolerance: float,
    iterations: int,
    threshold: float = 0.0,
    lost: Callable[[Vector], float] = lambda _: 0.0,
    attacks: Callable[[Matrix], bool] = lambda primal: False,
) -> Solution:
    """Solve a program as far as its sign or its optimum needs.

    Args:
        program: The program.
        start: Dual variables that fulfil all constraints strictly.
        tolerance: Gap at which the optimum counts as found.
        iterations: Most of them.
        threshold: Stop when g is above it, or is known to stay below.
        lost: What of g a proof loses at dual variables.
        attacks: Says of a primal matrix whether it yields a counterexample.
    """
    # Linear ones on (g, t, y): t is positive too.
    conditions = csr_matrix(block_diag([[[0.0, 1.0]], program.conditions]))
    point = _first_point(program, conditions, start)
    for i in range(iterations):
        status = _ended(program, conditions, point, tolerance, threshold)
        if point.dual[0] > threshold and point.dual[0] - lost(point.dual) > threshold:
            status = "positive"
        if not status and i >= 8 and attacks(point.primal):
            status = "attacked"
        if status:
            break
        following = _step(program, conditions, point)
        if following is None:
            status = "stalled"
            break
        point = following
    else:
        status = "limit"
    return Solution(point.dual[0] - lost(point.dual), point, status)


def _first_point(program: Program, conditions: csr_matrix, dual: Vector) -> Point:
    slack = program.objective - adjoint(program, dual)
    inverse = _inverse(slack)
    margins = conditions @ dual
    if inverse is None or (margins <= 0).any():
        raise ValueError("the start does not fulfil the constraints strictly")
    primal = inverse / inverse[0, 0]
    central = (primal * slack).sum() / len(slack)
    return Point(dual, slack, inverse, margins, primal, central / margins)


def _ended(
    program: Program,
    conditions: csr_matrix,
    point: Point,
    tolerance: float,
    threshold: float,
) -> str:
    """Return why the iteration stops, empty where it goes on."""
    residual = conditions.T @ point.weights - _operator(program, point.primal)
    residual[0] += 1
    if np.abs(residual).max() > NEARLY:
        return ""
    if (program.objective * point.primal).sum() < threshold:
        return "negative"
    return "optimal" if _gap(point) < tolerance else ""


def _gap(point: Point) -> float:
    return (point.primal * point.slack).sum() + point.weights @ point.margins


def _step(program: Program, conditions: csr_matrix, point: Point) -> Point | None:
    """Return the next iterate, None where rounding leaves no step."""
    factor = _factored_schur(program, conditions, point)
    if factor is None:
        return None
    average = _gap(point) / (len(point.slack) + len(point.margins))
    pull, push = np.zeros_like(point.primal), np.zeros_like(point.weights)
    predicted = _direction(program, conditions, point, factor, pull, push)
    lengths = _lengths(point, predicted, TO_BOUNDARY)
    after = _gap(_moved(point, predicted, lengths, point.inverse))
    power = 2 if min(lengths) < 0.5 else 3
    centring = np.clip((after / _gap(point)) ** power, 1e-3, 1.0) * average
    second = predicted.primal @ (predicted.slack @ point.inverse)
    pull = centring * point.inverse - (second + second.T) / 2
    push = (centring - predicted.weights * predicted.margins) / point.margins
    change = _direction(program, conditions, point, factor, pull, push)
    lengths = _lengths(point, change, SAFE)
    if max(lengths) < SHORTEST:
        return None
    inverse = _inverse(point.slack + lengths[1] * change.slack)
    return None if inverse is None else _moved(point, change, lengths, inverse)


def _direction(
    program: Program,
    conditions: csr_matrix,
    point: Point,
    factor: tuple[Matrix, Vector],
    pull: Matrix,
    push: Vector,
) -> Point:
    """Return the Newton direction; ``pull`` and ``push`` are where the products aim."""
    right = conditions.T @ push - _operator(program, pull)
    right[0] += 1
    root, scale = factor
    dual = scale * lapack.dpotrs(root, right * scale, lower=1)[0]
    slack, margins = -adjoint(program, dual), conditions @ dual
    curved = point.primal @ (slack @ point.inverse)
    primal = pull - point.primal - (curved + curved.T) / 2
    weights = push - point.weights * (1 + margins / point.margins)
    return Point(dual, slack, point.inverse, margins, primal, weights)


def _factored_schur(
    program: Program, conditions: csr_matrix, point: Point
) -> tuple[Matrix, Vector] | None:
    """Return the Cholesky factor of the scaled Schur complement, and the scale."""
    matrix = _schur(program, point)
    ratios = (point.weights / point.margins)[:, None]
    matrix += (conditions.T @ conditions.multiply(ratios)).toarray()
    scale = 1 / np.sqrt(np.diag(matrix))
    matrix *= scale[:, None] * scale
    for ridge in RIDGES:
        matrix[np.diag_indices(len(matrix))] += ridge
        root, failed = lapack.dpotrf(matrix, lower=1)
        if not failed:
            return root, scale
    return None


def _schur(program: Program, point: Point) -> Matrix:
    """Return tr(A_i X A_j S^-1) for all pairs of dual variables."""
    vectors, ball, combination = program.vectors, program.ball, program.combination
    total = np.empty((len(point.dual),) * 2)
    first, second = program.first, program.second
    gram, inner = (vectors.T @ one @ vectors for one in (point.primal, point.inverse))
    pairs = schur_of_pairs(gram, inner, first, second)
    total[2:, 2:] = combination.T @ (combination.T @ pairs).T
    row, other = point.primal[0] @ vectors, point.inverse[0] @ vectors
    mixed = (row[first] * other[second] + row[second] * other[first]) / 2
    total[0, 2:] = total[2:, 0] = combination.T @ mixed
    balls = (point.inverse * ball) @ point.primal
    gram = vectors.T @ (balls + balls.T) @ vectors / 2
    total[1, 2:] = total[2:, 1] = combination.T @ gram[first, second]
    total[0, 0] = point.primal[0, 0] * point.inverse[0, 0]
    total[0, 1] = total[1, 0] = balls[0, 0]
    total[1, 1] = ball @ (point.primal * point.inverse) @ ball
    return total


def _lengths(point: Point, change: Point, share: float) -> tuple[float, float]:
    """Return the primal and the dual step that keep a share of the way inside."""
    primal = min(_linear_length(point.weights, change.weights, share), 1.0)
    dual = min(_linear_length(point.margins, change.margins, share), 1.0)
    primal = _matrix_length(point.primal, change.primal, primal, share)
    return primal, _matrix_length(point.slack, change.slack, dual, share)


def _linear_length(values: Vector, change: Vector, share: float) -> float:
    shrinking = change < 0
    if not shrinking.any():
        return 1.0
    return float(share * (values[shrinking] / -change[shrinking]).min())


def _matrix_length(
    matrix: Matrix, change: Matrix, length: float, share: float
) -> float:
    for _ in range(60):
        if not lapack.dpotrf(matrix + length / share * change, lower=1)[1]:
            return length
        length *= 0.85
    return 0.0


def _moved(
    point: Point, change: Point, lengths: tuple[float, float], inverse: Matrix
) -> Point:
    primal, dual = lengths
    return Point(
        point.dual + dual * change.dual,
        point.slack + dual * change.slack,
        inverse,
        point.margins + dual * change.margins,
        point.primal + primal * change.primal,
        point.weights + primal * change.weights,
    )


def _inverse(matrix: Matrix) -> Matrix | None:
    """Return the inverse of a positive definite matrix, None for any other."""
    root, failed = lapack.dpotrf(matrix, lower=1)
    if failed:
        return None
    lower = np.tril(lapack.dpotri(root, lower=1)[0])
    return lower + np.tril(lower, -1).T
