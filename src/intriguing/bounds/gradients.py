"""Spectral norms of Jacobians, which bound a Lipschitz constant from below."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from intriguing.bounds.network import ACTIVATIONS, Network, pre_activations

ROUNDS, PROPOSALS = 40, 4
"""Rounds of the search in the box, and proposals of a point in each."""
BATCH = 1000
"""Images whose Jacobians are held at once."""

Points = Float[np.ndarray, "_ d"]


class Norms(NamedTuple):
    """Norms of the Jacobian at each point: spectral, and squared Frobenius."""

    spectral: Float[np.ndarray, " k"]
    squared: Float[np.ndarray, " k"]


def gradient_norms(network: Network, points: Points) -> Float[np.ndarray, " k"]:
    """Return the spectral norm of the Jacobian of the logits at each point."""
    return norms_of(network, points).spectral


def norms_of(network: Network, points: Points) -> Norms:
    """Return the norms of the Jacobian of the logits at each point."""
    parts = [points[i : i + BATCH] for i in range(0, len(points), BATCH)]
    norms = [norms_at(network, pre_activations(network, part)[:-1]) for part in parts]
    # A linear network has one Jacobian.
    spread = [
        [np.broadcast_to(kind, len(part)) for kind in of]
        for of, part in zip(norms, parts, strict=True)
    ]
    return Norms(*map(np.concatenate, zip(*spread, strict=True)))


def norms_at(network: Network, hidden: Sequence[Float[np.ndarray, "k _"]]) -> Norms:
    """Return the norms of the Jacobian of the logits, from the pre-activations.

    Args:
        network: The network.
        hidden: Pre-activations of each hidden layer; none gives the norms once.
    """
    derivative = ACTIVATIONS[network.activation].derivative
    reduced = np.transpose(np.linalg.qr(network.weights[0].T, mode="r"))
    weights = [reduced, *network.weights[1:]]
    jacobian = np.eye(len(weights[-1]))[None]
    for weight, values in zip(weights[:0:-1], hidden[::-1], strict=True):
        jacobian = (jacobian @ weight) * derivative(values)[:, None]
    jacobian = jacobian @ weights[0]
    gram = jacobian @ jacobian.transpose(0, 2, 1)
    return Norms(
        np.linalg.eigvalsh(gram)[:, -1] ** 0.5, np.trace(gram, axis1=1, axis2=2)
    )


def steepest_in_box(network: Network, starts: Points, seed: int) -> float:
    """Return the largest norm that a random search finds among images of the box."""
    generator = np.random.default_rng(seed)
    points, best = starts.copy(), gradient_norms(network, starts)
    for done in range(ROUNDS):
        scale = 1 - done / ROUNDS
        for _ in range(PROPOSALS):
            chosen = generator.random(points.shape) < 0.3 * scale + 0.01
            noise = generator.integers(0, 2, points.shape)
            tried = np.where(chosen, noise, points)
            norms = gradient_norms(network, tried)
            better = norms > best
            points[better], best[better] = tried[better], norms[better]
    return float(best.max())
