"""Compact proofs: how tight a bound of the Lipschitz constant is for its length.

Gross et al. (2024) measure a proof by the operations of its verifier and by what it
leaves to an adversary. Here a certificate is given and only its check is counted, in
exact arithmetic: a product of an (a, b) and a (b, c) matrix counts 2abc, a Cholesky
factorisation of order n counts n³/3, and the inverse of such a matrix n³. A norm is
checked by the factorisation of a Gram matrix.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from intriguing.bounds.lipschitz import sum_over_paths
from intriguing.bounds.network import Matrix
from intriguing.bounds.rounding import norm_above
from intriguing.errors import InputError

RANKS = (1, 4, 10, 16, 32)
"""Ranks of the parts of each matrix whose products are computed."""
ORTHONORMAL = 1e-10
"""Largest error of an inner product of directions, well below `lipschitz.GUARD`."""


class Proof(NamedTuple):
    """A proof of an upper bound of the Lipschitz constant.

    Attributes:
        family: How it proves: a method of `lipschitz`, or ``rank`` and a number.
        bound: The bound, in logits per unit of distance.
        tightness: A bound from below over it, at most 1.
        operations: Floating-point operations of the verifier.
        unexplained: Degrees of freedom that the proof leaves to an adversary.
    """

    family: str
    bound: float
    tightness: float
    operations: float
    unexplained: int


def proofs(
    weights: Sequence[Matrix], steepest: float, known: Mapping[str, float]
) -> list[Proof]:
    """Return a proof of each family.

    Args:
        weights: Of each layer.
        steepest: Largest slope of the activation; the least is 0.
        known: Bounds by the methods of `lipschitz`, and from below by ``box``.
    """
    sizes = [weights[0].shape[1], *map(len, weights)]
    lower, found = known["box"], []
    for name, count in OPERATIONS.items():
        bound, left = known[name], activation_freedom(name, sizes)
        found.append(Proof(name, bound, lower / bound, count(sizes), left))
    for rank in RANKS:
        bound = low_rank(weights, steepest, leading_directions(weights, rank))
        left = activation_freedom("liplt", sizes) + residual_freedom(sizes, rank)
        count = low_rank_operations(sizes, rank)
        found.append(Proof(f"rank {rank}", bound, lower / bound, count, left))
    return found


class _Part(NamedTuple):
    """A matrix as ``outputs @ directions`` and a residual, with the residual's norm."""

    outputs: Float[np.ndarray, "outputs rank"]
    directions: Float[np.ndarray, "rank inputs"]
    residual: float


def leading_directions(weights: Sequence[Matrix], rank: int) -> list[Matrix]:
    """Return the inputs that each matrix stretches most, orthonormal, as rows.

    Raises:
        InputError: The rank is not positive.
    """
    if rank < 1:
        raise InputError(f"rank {rank}: give at least 1")
    return [np.linalg.svd(weight, full_matrices=False)[2][:rank] for weight in weights]


def low_rank(
    weights: Sequence[Matrix], steepest: float, directions: Sequence[Matrix]
) -> float:
    """Return LipLT's bound from products of low-rank parts, and norms of residuals.

    A matrix W is L + R with L = W Vᵀ V, where V has orthonormal rows.

    Args:
        weights: Of each layer.
        steepest: Largest slope of the activation; the least is 0.
        directions: V of each matrix, such as `leading_directions`.

    Raises:
        InputError: Some directions are not orthonormal.
    """
    parts = [
        _split(weight, rows) for weight, rows in zip(weights, directions, strict=True)
    ]
    return sum_over_paths(_path_norms(parts, steepest / 2), steepest / 2)


def _path_norms(
    parts: Sequence[_Part], half: float
) -> Float[np.ndarray, "layers layers"]:
    """Return upper bounds of the norms that LipLT needs, at [last, start].

    They are B(l, s) >= |W_l h W_{l-1} ... h W_s|, where h is half the steepest slope.
    The norm p(l, s) = |L_l h L_{l-1} ... h L_s| is that of an (n, rank) matrix. As
    L Rᵀ = 0, |M W_s|² <= |M L_s|² + |M R_s|² for any M. The first residual R_j behind
    L_s splits the product, so that by the triangle inequality and |AB| <= |A| |B|

        B(l, s)² = (p(l, s) + Σ_{s<j<=l} C(l, j) |R_j| h p(j-1, s))² + (C(l, s) |R_s|)²

    is an upper bound, with C(l, j) = B(l, j+1) h for j < l, and C(l, l) = 1. Without
    residuals it is LipLT, and without low-rank parts the product of the norms.
    """
    explained, bounds = _explained_norms(parts, half), np.zeros((len(parts),) * 2)

    def behind(last: int, layer: int) -> float:
        return half * bounds[last, layer + 1] if layer < last else 1.0

    for last in range(len(parts)):
        for start in range(last, -1, -1):
            through = explained[last, start] + sum(
                behind(last, j) * parts[j].residual * half * explained[j - 1, start]
                for j in range(start + 1, last + 1)
            )
            noise = behind(last, start) * parts[start].residual
            bounds[last, start] = np.hypot(through, noise)
    return bounds


def _split(weight: Matrix, directions: Matrix) -> _Part:
    error = directions @ directions.T - np.eye(len(directions))
    if np.abs(error).max() > ORTHONORMAL:
        raise InputError("directions: not orthonormal; use `leading_directions`")
    outputs = weight @ directions.T
    return _Part(outputs, directions, norm_above(weight - outputs @ directions))


def _explained_norms(
    parts: Sequence[_Part], half: float
) -> Float[np.ndarray, "layers layers"]:
    """Return the norm of the product of low-rank parts, at [last, start]."""
    norms = np.zeros((len(parts), len(parts)))
    between = [after.directions @ before.outputs for before, after in pairwise(parts)]
    for last in range(len(parts)):
        through = parts[last].outputs
        for start in range(last, -1, -1):
            norms[last, start] = norm_above(through)
            if start:
                through = half * through @ between[start - 1]
    return norms


def activation_freedom(method: str, sizes: Sequence[int]) -> int:
    """Return the degrees of freedom that the activations have in a proof.

    LipSDP leaves a slope for each unit. The other methods know one norm of what a layer
    of activations does, and hold for any matrix of that norm. ``sizes`` are inputs,
    units of each hidden layer, and classes.
    """
    return sum(size if method == "lipsdp" else size**2 for size in sizes[1:-1])


def residual_freedom(sizes: Sequence[int], rank: int) -> int:
    """Return the degrees of freedom of all residuals of low-rank parts."""
    return sum(
        (before - min(rank, before, after)) * (after - min(rank, before, after))
        for before, after in pairwise(sizes)
    )


def norm_operations(rows: int, columns: int) -> float:
    """Return the operations that check a matrix's norm, by its smaller Gram matrix."""
    small, large = sorted((rows, columns))
    return 2 * small**2 * large + small**3 / 3


def product_operations(sizes: Sequence[int]) -> float:
    """Return the operations of the product of norms."""
    return sum(norm_operations(after, before) for before, after in pairwise(sizes))


def liplt_operations(sizes: Sequence[int]) -> float:
    """Return the operations of LipLT: a norm a path, and its product of matrices."""
    count = 0.0
    for last, outputs in enumerate(sizes[1:]):
        count += sum(norm_operations(outputs, inputs) for inputs in sizes[: last + 1])
        count += sum(2 * outputs * a * b for a, b in pairwise(sizes[: last + 1]))
    return count


def layerwise_operations(sizes: Sequence[int]) -> float:
    """Return the operations of the check of multipliers, layer by layer.

    Let m be half the steepest slope, and T the diagonal matrix of a layer's
    multipliers. If the form of `lipsdp`, with the layers so far, is at least zᵀ G⁻¹ z
    for all changes z of the next pre-activations, then with the next layer it is at
    least aᵀ (T - m² T G T) a for all changes a of its activations.
    """
    count = 2 * sizes[1] ** 2 * sizes[0] + sizes[-1] ** 3 / 3
    for before, after in pairwise(sizes[1:]):
        count += before**3 + 2 * after * before**2 + 2 * after**2 * before
    return count


def low_rank_operations(sizes: Sequence[int], rank: int) -> float:
    """Return the operations of `low_rank` with as many directions for each matrix."""
    shapes = [(after, before) for before, after in pairwise(sizes)]
    ranks = [min(rank, *shape) for shape in shapes]
    count = 0.0
    for (outputs, inputs), own in zip(shapes, ranks, strict=True):
        count += 2 * inputs * own**2 + 4 * outputs * inputs * own
        count += norm_operations(outputs, inputs)
    for before, after, size in zip(ranks, ranks[1:], sizes[1:], strict=False):
        count += 2 * after * size * before
    for last, outputs in enumerate(sizes[1:]):
        count += sum(norm_operations(outputs, own) for own in ranks[: last + 1])
        count += sum(2 * outputs * a * b for a, b in pairwise(ranks[: last + 1]))
    return count


OPERATIONS: Mapping[str, Callable[[Sequence[int]], float]] = {
    "product": product_operations,
    "liplt": liplt_operations,
    "eclipse-fast": layerwise_operations,
    "lipsdp": layerwise_operations,
}
