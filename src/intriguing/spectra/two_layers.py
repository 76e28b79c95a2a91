"""A network of two inputs on which the bound of section 4.3 can be drawn.

The network is f(x) = W₂ tanh(W₁ x). The constant of tanh is 1, so the paper's bound is
the product of the two operator norms.
"""

import numpy as np
from jaxtyping import Float

FIRST = np.array([[1.6, 0.9], [-0.3, 0.8]])
SECOND = np.array([[0.7, 1.1], [-0.9, 1.2]])
CLEAN = np.array([-0.9, -0.35])
PERTURBATION = np.array([1.5, 0.5])

Points = Float[np.ndarray, "*n 2"]


def outputs(points: Points) -> Points:
    """Return f at each point."""
    return np.tanh(points @ FIRST.T) @ SECOND.T


def jacobians(points: Points) -> Float[np.ndarray, "*n 2 2"]:
    """Return the Jacobian of f at each point, by the chain rule."""
    slopes = 1 - np.tanh(points @ FIRST.T) ** 2
    return (SECOND * slopes[..., None, :]) @ FIRST


def operator_norm(matrices: Float[np.ndarray, "*n 2 2"]) -> Float[np.ndarray, "*n"]:
    """Return the largest singular value of each matrix."""
    return np.asarray(np.linalg.svd(matrices, compute_uv=False)[..., 0])


def product_bound() -> float:
    """Return the paper's bound, the product of the operator norms of the layers."""
    return float(operator_norm(FIRST) * operator_norm(SECOND))


def segment(times: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2"]:
    """Return the points x + t·r."""
    return CLEAN + times[:, None] * PERTURBATION
