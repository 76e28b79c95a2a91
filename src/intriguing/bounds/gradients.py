"""Spectral norms of Jacobians, which bound a Lipschitz constant from below."""

import numpy as np
from jaxtyping import Float

from intriguing.bounds.network import ACTIVATIONS, Network, pre_activations

ROUNDS, PROPOSALS = 40, 4
"""Rounds of the search in the box, and proposals of a point in each."""
BATCH = 1000
"""Images whose Jacobians are held at once."""

Points = Float[np.ndarray, "_ d"]


def gradient_norms(network: Network, points: Points) -> Float[np.ndarray, " k"]:
    """Return the spectral norm of the Jacobian of the logits at each point."""
    parts = [points[i : i + BATCH] for i in range(0, len(points), BATCH)]
    return np.concatenate([_norms(network, part) for part in parts])


def _norms(network: Network, points: Points) -> Float[np.ndarray, " k"]:
    derivative = ACTIVATIONS[network.activation].derivative
    *hidden, logits = pre_activations(network, points)
    reduced = np.transpose(np.linalg.qr(network.weights[0].T, mode="r"))
    weights = [reduced, *network.weights[1:]]
    jacobian = np.repeat(np.eye(logits.shape[1])[None], len(points), axis=0)
    for weight, values in zip(weights[:0:-1], hidden[::-1], strict=True):
        jacobian = (jacobian @ weight) * derivative(values)[:, None]
    jacobian = jacobian @ weights[0]
    return np.linalg.norm(jacobian, 2, axis=(1, 2))


def steepest_in_box(network: Network, starts: Points, seed: int) -> float:
    """Return the largest norm that a random search finds among images of the box.

    Args:
        network: The network.
        starts: Where the search begins.
        seed: Of its proposals.
    """
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
