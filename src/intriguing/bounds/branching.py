"""Proofs that one class stays ahead of another in a ball, by branch and bound."""

import heapq
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from torch import nn

from intriguing.bounds.adversary import FLIPPED, box_multipliers, project
from intriguing.bounds.certificates import Leaf
from intriguing.bounds.interior_point import Matrix, Solution, solve
from intriguing.bounds.intervals import Ball, Interval
from intriguing.bounds.network import Network, Vector, logits_of
from intriguing.bounds.relaxation import (
    Ellipsoid,
    Relaxation,
    ellipsoid_around,
    first_multipliers,
)
from intriguing.bounds.relaxed_curves import relax_curves
from intriguing.bounds.relaxed_relu import ACTIVE, INACTIVE, Splits, relax_relu

TOLERANCE, ITERATIONS = 1e-3, 22
"""Gap at which a program counts as solved, in units of its objective; iterations."""
PROVED = 1e-5
"""Least value that counts as positive, in the same units: far above rounding."""


class Question(NamedTuple):
    """Whether a margin is positive in a ball.

    Attributes:
        network: The network.
        ball: The images.
        intervals: Of the pre-activations there.
        contrast: Weights of the logits in the margin.
    """

    network: Network
    ball: Ball
    intervals: Sequence[Interval]
    contrast: Vector

    @property
    def around(self) -> tuple[Network, Vector, float, Vector]:
        """What an attack needs."""
        return self.network, self.ball.image, self.ball.radius, self.contrast


class Hint(NamedTuple):
    """Where the margin is least, as far as it is known.

    Attributes:
        image: Flat image of the ball.
        box: Multiplier there of x (1 - x) >= 0 of each pixel, relative to the ball's;
            zeros for the whole ball.
    """

    image: Vector
    box: Vector


class Proof(NamedTuple):
    """The answer.

    Attributes:
        leaves: Which together prove the margin; empty where it is not proved.
        counterexample: An image with a margin below zero, or None.
        nodes: Programs that were solved.
        value: The least bound of the margin that was left.
    """

    leaves: tuple[Leaf, ...]
    counterexample: Vector | None
    nodes: int
    value: float


def prove(question: Question, hint: Hint, most_nodes: int) -> Proof:
    """Try to prove the margin by branch and bound, by so many programs at most."""
    splits = np.zeros(sum(question.network.sizes), int)
    heap, leaves, solved, pushed = [(-np.inf, 0, splits, hint)], [], 0, 1
    while heap:
        if solved >= most_nodes:
            return Proof((), None, solved, heap[0][0])
        _, _, splits, hint = heapq.heappop(heap)
        node = _solve_node(question, splits, hint)
        solved += 1
        if node.counterexample is not None:
            return Proof((), node.counterexample, solved, node.value)
        if node.leaves:
            leaves += node.leaves
            continue
        if node.branch < 0:
            return Proof((), None, solved, node.value)
        for side in (ACTIVE, INACTIVE):
            half = splits.copy()
            half[node.branch] = side
            heapq.heappush(heap, (node.value, pushed, half, node.hint))
            pushed += 1
    return Proof(tuple(leaves), None, solved, 0.0)


class _Node(NamedTuple):
    """One program's outcome; ``branch`` is the unit to split, -1 for none."""

    leaves: tuple[Leaf, ...]
    counterexample: Vector | None
    value: float
    branch: int
    hint: Hint


def _solve_node(question: Question, splits: Splits, hint: Hint) -> _Node:
    """Solve one program."""
    image, radius = question.ball.image, question.ball.radius
    ellipsoid = ellipsoid_around(image, radius, hint.box)
    relaxation = relaxation_of(question, ellipsoid, splits, hint.image)
    start = first_multipliers(relaxation, question.network.sizes)
    rounded = partial(_counterexample, question, relaxation)
    attacks = lambda primal: rounded(primal) is not None  # noqa: E731
    stops = PROVED, relaxation.lost, attacks
    solution = solve(relaxation.program, start, TOLERANCE, ITERATIONS, *stops)
    value = solution.value * relaxation.unit
    if solution.status == "positive":
        leaf = _leaf(relaxation, solution, splits, hint.box)
        return _Node((leaf,), None, value, -1, hint)
    primal = solution.point.primal
    found = rounded(primal)
    branch = relaxation.branching(solution.point.dual, primal[0] / primal[0, 0])
    change = _rounded(relaxation, primal)
    following = hint._replace(image=project((image + change)[None], image, radius)[0])
    if question.ball.in_box:
        normal = -2 * (change - ellipsoid.shift) / ellipsoid.scale**2
        following = following._replace(box=box_multipliers(normal, image, radius))
    return _Node((), found, value, branch, following)


def relaxation_of(
    question: Question, ellipsoid: Ellipsoid, splits: Splits, near: Vector
) -> Relaxation:
    """Return the program of a question in an ellipsoid; ``near`` has a small margin."""
    network, ball, intervals, contrast = question
    around = network, ball.image, ellipsoid, intervals
    if network.activation is nn.ReLU:
        return relax_relu(*around, splits, contrast)
    return relax_curves(*around, contrast, near)


def _leaf(
    relaxation: Relaxation, solution: Solution, splits: Splits, box: Vector
) -> Leaf:
    dual = solution.point.dual * relaxation.unit
    ball = dual[1] / relaxation.ellipsoid.radius**2
    places = relaxation.multipliers
    units = np.where(places >= 0, dual[2:][places], 0.0)
    return Leaf(float(dual[0]), splits, float(ball), ball * box, units)


def _rounded(relaxation: Relaxation, primal: Matrix) -> Vector:
    """Return the change of the image in the first row of a primal matrix."""
    dimension = relaxation.basis.shape[1]
    inner = relaxation.basis @ (primal[0, 1 : 1 + dimension] / primal[0, 0])
    ellipsoid = relaxation.ellipsoid
    return ellipsoid.shift + ellipsoid.scale * ellipsoid.radius * inner


def _counterexample(
    question: Question, relaxation: Relaxation, primal: Matrix
) -> Vector | None:
    """Return the rounded primal where it is a counterexample, projected to the set."""
    image, radius = question.ball.image, question.ball.radius
    nearest = project((image + _rounded(relaxation, primal))[None], image, radius)
    margin = logits_of(question.network, nearest)[0] @ question.contrast
    return nearest[0] if margin < FLIPPED else None
