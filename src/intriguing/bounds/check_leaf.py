"""The part of `verify` for the multipliers of semidefinite programs.

The quadratic form is built in the coordinates of the pixels. It shares no code with
`relaxation`, and bounds its own rounding.
"""

from typing import NamedTuple

import numpy as np
from torch import nn

from intriguing.bounds.certificates import Leaf
from intriguing.bounds.check_curves import Chords, chords_of, deficit
from intriguing.bounds.check_linear import Claim, centres, margin_of
from intriguing.bounds.network import Matrix, Vector
from intriguing.bounds.rounding import UNIT, gamma, is_positive_definite


class _Rows(NamedTuple):
    """Linear forms on (1, change of the pixels / radius, free activations / upper).

    There is one a row; ``error`` bounds the norm of each row's error.
    """

    rows: Matrix
    error: Vector

    @property
    def sizes(self) -> Vector:
        """Norms of the rows, errors included."""
        return 1.01 * np.sqrt((self.rows**2).sum(1)) + self.error


class _Constraints(NamedTuple):
    """What is known of the units: products of forms that are not negative.

    Attributes:
        forms: Pre-activations, activations and the margin.
        pairs: Both factors of each product, a row for each unit.
        weights: Multipliers of each product.
    """

    forms: tuple[_Rows, _Rows, _Rows]
    pairs: tuple[tuple[_Rows, _Rows], ...]
    weights: Matrix


def leaf_proves(claim: Claim, label: int, other: int, leaf: Leaf) -> bool:
    """Return whether a leaf proves that a margin is positive.

    With the multipliers the margin is at least w' S w + value minus what polynomials
    lack, where the squared norm of w is at most 2 plus the number of variables.
    """
    if not leaf.value > 0 or not leaf.ball >= 0 or not (leaf.box >= 0).all():
        return False
    if leaf.box.any() and not claim.in_box:
        return False
    if claim.network.activation is nn.ReLU:
        lacking, found = 0.0, _relu_constraints(claim, label, other, leaf)
    else:
        chords = chords_of(claim)
        lacking = deficit(claim, chords, leaf.units)
        found = _curve_constraints(claim, label, other, leaf, chords)
    if found is None or not lacking < leaf.value:
        return False
    matrix, error = _quadratic(claim, found.forms[2], leaf.ball, leaf.box, leaf.value)
    total, wrong = np.zeros_like(matrix), 0.0
    for (left, right), weight in zip(found.pairs, found.weights, strict=True):
        total += (left.rows * weight[:, None]).T @ right.rows
        wrong += np.abs(weight) @ _product_errors(left, right, len(weight))
    matrix -= (total + total.T) / 2
    error += 2 * wrong
    variables = matrix.shape[1] - 1 - len(claim.image)
    matrix[np.diag_indices(len(matrix))] += (
        0.999 * (leaf.value - lacking) / (2 + variables)
    )
    error += 8 * UNIT * float(np.linalg.norm(matrix))
    return is_positive_definite(matrix, error)


def _relu_constraints(
    claim: Claim, label: int, other: int, leaf: Leaf
) -> _Constraints | None:
    """Return p (1 - p), q (1 - q) and p q; None where multipliers have wrong signs."""
    lower, upper = np.concatenate(claim.lower), np.concatenate(claim.upper)
    unstable = (lower < 0) & (upper > 0)
    if not (leaf.units[:2] >= 0).all() or (leaf.splits[~unstable] != 0).any():
        return None
    free = unstable & (leaf.splits == 0)
    kept = ((lower >= 0) | (leaf.splits == 1)) & ~free
    chords = Chords(kept * 1.0, np.zeros(len(free)), np.where(free, upper, 0.0))
    before, after, margin = _forms(claim, label, other, chords)
    chosen = np.flatnonzero(unstable)
    p = _scaled(after, chosen, 1 / upper[chosen])
    gap = _Rows(after.rows - before.rows, after.error + before.error)
    spread = UNIT * (after.sizes + before.sizes)
    q = _scaled(gap._replace(error=gap.error + spread), chosen, -1 / lower[chosen])
    one = np.eye(before.rows.shape[1])[0]
    pairs = ((p, _rest(p, one)), (q, _rest(q, one)), (p, q))
    return _Constraints((before, after, margin), pairs, leaf.units[:, chosen])


def _curve_constraints(
    claim: Claim, label: int, other: int, leaf: Leaf, chords: Chords
) -> _Constraints:
    """Return the products of 1, t and e of each unit."""
    lower, upper = np.concatenate(claim.lower), np.concatenate(claim.upper)
    before, after, margin = _forms(claim, label, other, chords)
    count, size = before.rows.shape
    centre = (lower + upper) / 2
    moved = before.rows.copy()
    moved[:, 0] -= centre
    error = before.error + 2 * UNIT * (before.sizes + np.abs(centre))
    t = _scaled(_Rows(moved, error), np.arange(count), 2 / (upper - lower))
    one = _Rows(np.eye(size)[[0] * count], np.zeros(count))
    e = _Rows(np.eye(size)[-count:], np.zeros(count))
    pairs = ((one, one), (one, t), (one, e), (t, t), (t, e), (e, e))
    return _Constraints((before, after, margin), pairs, leaf.units)


def _scaled(forms: _Rows, chosen: np.ndarray, factors: Vector) -> _Rows:
    rows = forms.rows[chosen] * factors[:, None]
    error = forms.error[chosen] + 4 * UNIT * forms.sizes[chosen]
    return _Rows(rows, 1.01 * error * np.abs(factors))


def _rest(forms: _Rows, one: Vector) -> _Rows:
    """Return 1 minus each form."""
    return _Rows(one - forms.rows, forms.error + 2 * UNIT * (1 + forms.sizes))


def _product_errors(left: _Rows, right: _Rows, terms: int) -> Vector:
    """Return bounds of the errors of outer products that are summed."""
    exact = left.sizes * right.error + left.error * right.sizes
    return exact + gamma(3 * terms) * left.sizes * right.sizes


def _forms(
    claim: Claim, label: int, other: int, chords: Chords
) -> tuple[_Rows, _Rows, _Rows]:
    """Return pre-activations, activations and the margin as linear forms.

    Activations are slope z + offset + height variable, exactly.
    """
    network, pixels = claim.network, len(claim.image)
    own = chords.height > 0
    size = 1 + pixels + int(own.sum())
    places = pixels + np.cumsum(own)
    centre, error = centres(claim)[0]
    rows = np.zeros((len(centre), size))
    rows[:, 0], rows[:, 1 : 1 + pixels] = centre, claim.radius * network.weights[0]
    error = error + 2 * UNIT * np.sqrt((rows**2).sum(1))
    before, after, start = [_Rows(rows, error)], [], 0
    margin = margin_of(network, label, other)
    following = [*zip(network.weights[1:-1], network.biases[1:-1], strict=True), margin]
    for count, (weight, bias) in zip(network.sizes, following, strict=True):
        units = slice(start, start + count)
        slope, offset, height = (part[units] for part in chords)
        rows = before[-1].rows * slope[:, None]
        rows[:, 0] += offset
        spread = 3 * UNIT * (before[-1].sizes * np.abs(slope) + np.abs(offset))
        mine = np.flatnonzero(own[units])
        rows[mine, places[units][mine]] = height[mine]
        after.append(_Rows(rows, before[-1].error * np.abs(slope) + spread))
        before.append(_times(weight, bias, after[-1]))
        start += count
    return _stacked(before[:-1]), _stacked(after), before[-1]


def _times(weight: Matrix, bias: Vector, forms: _Rows) -> _Rows:
    """Return linear functions of forms; differences of weights are rounded once."""
    rows = weight @ forms.rows
    rows[:, 0] += bias
    sizes = np.abs(weight) @ forms.sizes + np.abs(bias)
    error = 1.01 * np.abs(weight) @ forms.error + gamma(len(forms.rows) + 4) * sizes
    return _Rows(rows, error)


def _stacked(forms: list[_Rows]) -> _Rows:
    rows, errors = zip(*forms, strict=True)
    return _Rows(np.concatenate(rows), np.concatenate(errors))


def _quadratic(
    claim: Claim, margin: _Rows, ball: float, box: Vector, value: float
) -> tuple[Matrix, float]:
    """Return margin - value minus the constraints of ball and box, and its error."""
    row, pixels = margin.rows[0], np.arange(1, 1 + len(claim.image))
    matrix = np.zeros((len(row),) * 2)
    matrix[0] += row / 2
    matrix[:, 0] += row / 2
    image, radius = claim.image, claim.radius
    matrix[0, 0] -= ball * radius**2 + box @ (image * (1 - image)) + value
    linear = box * (1 - 2 * image) * radius / 2
    matrix[0, pixels] -= linear
    matrix[pixels, 0] -= linear
    matrix[pixels, pixels] += (ball + box) * radius**2
    extent = 4 * (ball * radius**2 + box.sum() * (1 + radius) ** 2 + value)
    rounding = gamma(len(image)) * (extent + np.abs(row).sum())
    return matrix, float(margin.error[0] + rounding)
