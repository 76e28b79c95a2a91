"""Upper bounds of the Lipschitz constant of a whole network, by Euclidean distance."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import nn

from intriguing.bounds.lipsdp import GAP, Multipliers, least_multipliers
from intriguing.bounds.network import ACTIVATIONS, Matrix, fully_connected
from intriguing.bounds.rounding import gamma, is_positive_definite, norm_above
from intriguing.errors import InputError

GUARD = 1e-9
"""Relative increase of each bound, well above the rounding of its computation."""


class LipschitzBound(NamedTuple):
    """An upper bound, in logits per unit of distance.

    Attributes:
        upper: The bound.
        multipliers: What proves it (`verify_lipschitz`), one a hidden unit that is not
            dead; only of ``lipsdp``.
    """

    upper: float
    multipliers: Multipliers | None


def lipschitz(model: nn.Module, method: str = "lipsdp") -> LipschitzBound:
    """Return an upper bound of a fully connected network's Lipschitz constant.

    Args:
        model: The network.
        method: ``product`` of the layers' norms (the paper's section 4.3), ``liplt``,
            ``eclipse-fast``, or ``lipsdp``, the smallest of them and the slowest.

    Raises:
        InputError: The method is unknown, or the model no fully connected network.
        ArithmeticError: The search for multipliers did not converge; use another
            method.
    """
    network = fully_connected(model)
    steepest = ACTIVATIONS[network.activation].steepest
    return bound_of(without_dead_units(network.weights), steepest, method)


def without_dead_units(weights: Sequence[Matrix]) -> list[Matrix]:
    """Return weights without hidden units that are constant or that nothing uses.

    Multipliers of such units have no optimum. Where none is left the network is
    constant, and one matrix of zeros.
    """
    kept = list(weights)
    for _ in weights:  # each pass reaches one layer further
        for i in range(len(kept) - 1):
            before, after = kept[i], kept[i + 1]
            alive = before.any(1) & after.any(0)
            kept[i], kept[i + 1] = before[alive], after[:, alive]
    if all(matrix.size for matrix in kept):
        return kept
    return [np.zeros((len(weights[-1]), weights[0].shape[1]))]


def bound_of(weights: Sequence[Matrix], steepest: float, method: str) -> LipschitzBound:
    """Return a bound by the matrices of a network.

    Args:
        weights: Of each layer.
        steepest: Largest slope of the activation; the least is 0.
        method: As in `lipschitz`.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r} is unknown; known: {list(METHODS)}")
    whole = product(weights, steepest)
    # A constant function has a layer of zeros, for which the others are not defined.
    if len(weights) == 1 or whole == 0:
        return LipschitzBound(whole, None)
    if method in CLOSED_FORMS:
        return LipschitzBound(CLOSED_FORMS[method](weights, steepest), None)
    found = least_multipliers(weights, steepest)
    upper = float(np.sqrt(found.square) * (1 + GUARD))
    closed = min(form(weights, steepest) for form in CLOSED_FORMS.values())
    if upper > closed * (1 + GAP):
        raise ArithmeticError(f"LipSDP ended at {upper}, above {closed} in closed form")
    return LipschitzBound(upper, found)


def product(weights: Sequence[Matrix], steepest: float) -> float:
    """Return the product of the norms of all layers and activations."""
    norms = np.prod([norm_above(weight) for weight in weights])
    return float(norms * steepest ** (len(weights) - 1) * (1 + GUARD))


def liplt(weights: Sequence[Matrix], steepest: float) -> float:
    """Return the bound of LipLT (Fazlyab et al., 2023).

    An activation is half its steepest slope times its input, plus a rest. The output
    is then a sum over paths, each of which enters the network behind one rest.
    """
    half = steepest / 2
    norms = np.zeros((len(weights), len(weights)))
    for last in range(len(weights)):
        through = weights[last]
        for start in range(last, -1, -1):
            norms[last, start] = norm_above(through)
            if start:
                through = half * through @ weights[start - 1]
    return sum_over_paths(norms, half)


def sum_over_paths(norms: Float[np.ndarray, "layers layers"], half: float) -> float:
    """Return LipLT's bound of a network from norms of products of its matrices.

    Args:
        norms: At [last, start], of the product of the matrices from ``start`` to
            ``last``, times ``half`` between two of them; the upper half is not used.
        half: Half of the activation's steepest slope.
    """
    constants = [1.0]
    for last in range(len(norms)):
        total = 0.0
        for start in range(last, -1, -1):
            factor = half if start else 1.0
            total += factor * norms[last, start] * constants[start]
        constants.append(float(total))
    return constants[-1] * (1 + GUARD)


def eclipse_fast(weights: Sequence[Matrix], steepest: float) -> float:
    """Return the closed form of ECLipsE-Fast (Xu and Sivaranjani, 2024).

    It is LipSDP with one multiplier a layer, chosen layer by layer.
    """
    half, inverse = steepest / 2, np.eye(weights[0].shape[1])
    for weight in weights[:-1]:
        inner = weight @ inverse @ weight.T
        multiplier = 1 / (2 * half**2 * np.linalg.norm(inner, 2))
        matrix = multiplier * np.eye(len(weight)) - (half * multiplier) ** 2 * inner
        inverse = np.linalg.inv(matrix)
    last = weights[-1] @ inverse @ weights[-1].T
    return float(np.sqrt(np.linalg.norm(last, 2)) * (1 + GUARD))


def verify_lipschitz(model: nn.Module, bound: LipschitzBound) -> bool:
    """Return whether the multipliers prove a bound, allowing for rounding.

    It builds the quadratic form in all inputs, in pixels, and shares no code with the
    search for multipliers.
    """
    network, found = fully_connected(model), bound.multipliers
    if found is None or (found.units < 0).any() or bound.upper**2 < found.square:
        return False
    weights = without_dead_units(network.weights)
    half = ACTIVATIONS[network.activation].steepest / 2
    if sum(map(len, weights[:-1])) != len(found.units):
        return False
    inputs = weights[0].shape[1]
    diagonal = np.r_[np.full(inputs, found.square), found.units]
    # Powers of two scale the coordinates without rounding.
    scale = 2.0 ** -np.round(np.log2(np.maximum(diagonal, 1e-300)) / 2)
    matrix = np.diag(diagonal * scale**2)
    rows = np.zeros((len(weights[0]), len(diagonal)))
    rows[:, :inputs], error = weights[0] * scale[:inputs], np.zeros(len(weights[0]))
    units = np.split(found.units, np.cumsum([len(w) for w in weights[:-2]]))
    wrong, start = 0.0, inputs
    for weight, multipliers in zip(weights[1:], units, strict=True):
        wrong += _subtract(matrix, rows, error, half**2 * multipliers)
        rows *= half
        own = start + np.arange(len(rows))
        rows[range(len(rows)), own] += scale[own]
        norms = np.linalg.norm(rows, axis=1) + error
        error = np.abs(weight) @ (1.01 * error + gamma(len(rows) + 2) * norms)
        rows, start = weight @ rows, start + len(multipliers)
    wrong += _subtract(matrix, rows, error, np.ones(len(rows)))
    wrong += gamma(4) * float(np.linalg.norm(matrix))
    return is_positive_definite(matrix, wrong)


def _subtract(
    matrix: Matrix, rows: Matrix, error: np.ndarray, factors: np.ndarray
) -> float:
    """Subtract weighted squares of forms; return a bound of the error."""
    matrix -= (rows.T * factors) @ rows
    norms = 1.01 * np.linalg.norm(rows, axis=1) + error
    return float(factors @ (2 * norms * error + gamma(len(rows) + 2) * norms**2))


CLOSED_FORMS: Mapping[str, Callable[[Sequence[Matrix], float], float]] = {
    "product": product,
    "liplt": liplt,
    "eclipse-fast": eclipse_fast,
}
METHODS = (*CLOSED_FORMS, "lipsdp")
"""From the fastest and loosest to the tightest."""
