"""An image of two pixels on which box-constrained L-BFGS can be drawn.

The classifier has two classes, and its margin is a quadratic function of the pixels.
The smallest unconstrained perturbation leaves the box, so the constraint decides the
result.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

CLEAN = np.array([0.18, 0.30])
ITERATE = np.array([0.46, 0.84])
"""A point from which an iteration stops at a corner and then moves the free pixel."""
STEEPNESS = 10.0
"""Factor from the margin to the difference of the logits."""
# margin(x) = QUADRATIC[x, x] / 2 + LINEAR · x + CONSTANT; positive is adversarial.
QUADRATIC = np.array([[2.1, 0.9], [0.9, 0.0]])
LINEAR = np.array([-1.87, 1.0])
CONSTANT = -0.62
PATH_POINTS = 2000

Point = Float[np.ndarray, "2"]
Points = Float[np.ndarray, "*n 2"]


@dataclass(frozen=True)
class Iteration:
    """One iteration of L-BFGS-B from ``start``, with the exact Hessian.

    Attributes:
        start: The iterate.
        path: Projected steepest descent: x - t·g, clipped to the box.
        cauchy: Minimiser of the quadratic model along the path.
        end: Minimiser of the model over the pixels that are free at ``cauchy``.
    """

    start: Point
    path: Points
    cauchy: Point
    end: Point


def margin(points: Points) -> Float[np.ndarray, "*n"]:
    """Return the margin of the target class; positive where the model predicts it."""
    curved = np.einsum("...i,ij,...j", points, QUADRATIC, points) / 2
    return np.asarray(curved + points @ LINEAR + CONSTANT)


def objective(points: Points, weight: float) -> Float[np.ndarray, "*n"]:
    """Return ``weight · |r|² + loss``, the paper's objective (section 4.1)."""
    loss = np.logaddexp(0, -STEEPNESS * margin(points))
    return np.asarray(weight * ((points - CLEAN) ** 2).sum(-1) + loss)


def gradient(point: Point, weight: float) -> Point:
    """Return the gradient of the objective."""
    share = STEEPNESS * _probability_of_clean(point)
    return 2 * weight * (point - CLEAN) - share * (QUADRATIC @ point + LINEAR)


def hessian(point: Point, weight: float) -> Float[np.ndarray, "2 2"]:
    """Return the Hessian of the objective."""
    clean, slope = _probability_of_clean(point), QUADRATIC @ point + LINEAR
    curved = STEEPNESS**2 * clean * (1 - clean) * np.outer(slope, slope)
    return 2 * weight * np.eye(2) + curved - STEEPNESS * clean * QUADRATIC


def iterates(weight: float, box: bool = True) -> Points:
    """Return the iterates of SciPy's L-BFGS-B from the clean image, or with no box."""
    found = [CLEAN]
    minimize(
        objective,
        CLEAN,
        args=(weight,),
        jac=gradient,
        method="L-BFGS-B",
        bounds=[(0, 1)] * 2 if box else None,
        callback=lambda point: found.append(point.copy()),
        options={"ftol": 1e-15, "gtol": 1e-9},
    )
    return np.array(found)


def model(points: Points, start: Point, weight: float) -> Float[np.ndarray, "*n"]:
    """Return the quadratic model at ``start``, less the objective there."""
    steps = points - start
    curved = np.einsum("...i,ij,...j", steps, hessian(start, weight), steps) / 2
    return np.asarray(steps @ gradient(start, weight) + curved)


def iteration(start: Point, weight: float) -> Iteration:
    """Return the parts of one iteration of L-BFGS-B."""
    slope, curvature = gradient(start, weight), hessian(start, weight)
    # A corner where a pixel reaches its bound; the path ends where both have.
    corners = np.where(slope > 0, start, 1 - start) / np.abs(slope)
    times = np.union1d(np.linspace(0, corners.max(), PATH_POINTS), corners)[:, None]
    path = np.clip(start - times * slope, 0, 1).round(12)  # exactly at the bound
    cauchy = path[model(path, start, weight).argmin()]
    free = (cauchy > 0) & (cauchy < 1)
    step = np.zeros(2)
    remaining = slope + curvature @ (cauchy - start)
    step[free] = np.linalg.solve(curvature[np.ix_(free, free)], -remaining[free])
    return Iteration(start, path, cauchy, np.clip(cauchy + step, 0, 1))


def largest_adversarial_weight(low: float = 0.1, high: float = 100.0) -> float:
    """Return the largest weight whose minimiser is adversarial, by bisection."""
    while high / low > 1 + 1e-6:
        middle = np.sqrt(low * high)
        reached = margin(iterates(middle)[-1]) > 0
        low, high = (middle, high) if reached else (low, middle)
    return low


def _probability_of_clean(point: Point) -> float:
    return float(1 / (1 + np.exp(STEEPNESS * margin(point))))
