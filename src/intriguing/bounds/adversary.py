"""Counterexamples in a ball and the box, and the box's multipliers at them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from intriguing.bounds.network import Network, Vector, logits_of, margins_and_gradients

FLIPPED = -1e-5
"""Margin of a counterexample, in logits: beyond the rounding of float32."""
PROJECTION_STEPS, BISECTIONS = 20, 50
"""Bisections of a projection, which errs inwards, and of a multiplier."""

INSIDE = 1 - 1e-6
"""Share of the radius, so that a point stays in the ball when float32 rounds it."""
LEAST_BALL = 1e-3
"""Least multiplier of the ball, relative to the one without a box: the multipliers of
the pixels are divided by it."""

Points = Float[np.ndarray, "_ d"]


class Attacked(NamedTuple):
    """The least margin that was found.

    Attributes:
        margin: Negative at a counterexample.
        image: Where it is.
        gradient: Of the margin there.
    """

    margin: float
    image: Vector
    gradient: Vector


def project(points: Points, image: Vector, radius: float) -> Points:
    """Return the nearest points in the box and, just inside, the ball."""
    radius *= INSIDE
    changes = points - image
    nearest = np.clip(points, 0, 1) - image
    outside = np.linalg.norm(nearest, axis=1) > radius
    if outside.any():
        low = np.zeros(outside.sum())
        high = np.linalg.norm(changes[outside], axis=1) / radius
        for _ in range(PROJECTION_STEPS):
            middle = (low + high) / 2
            shrunk = changes[outside] / (1 + middle)[:, None]
            nearest[outside] = np.clip(image + shrunk, 0, 1) - image
            far = np.linalg.norm(nearest[outside], axis=1) > radius
            low, high = np.where(far, middle, low), np.where(far, high, middle)
        shrunk = changes[outside] / (1 + high)[:, None]
        nearest[outside] = np.clip(image + shrunk, 0, 1) - image
    return image + nearest


def least_margin(
    network: Network,
    image: Vector,
    radius: float,
    contrast: Vector,
    starts: Points,
    steps: int,
) -> Attacked:
    """Return the least margin that projected gradient descent finds in ball and box.

    ``contrast`` has the weights of the logits in the margin; each start has its steps.
    """
    points = project(starts, image, radius)
    contrasts = np.tile(contrast, (len(points), 1))
    best = Attacked(np.inf, image, np.zeros_like(image))
    for step in range(steps):
        margins, gradients = margins_and_gradients(network, points, contrasts)
        i = margins.argmin()
        if margins[i] < best.margin:
            best = Attacked(float(margins[i]), points[i].copy(), gradients[i].copy())
        norms = np.linalg.norm(gradients, axis=1, keepdims=True)
        length = radius * (0.5 * (1 - step / steps) + 1e-3)
        moved = points - length * gradients / np.maximum(norms, 1e-12)
        points = project(moved, image, radius)
    return best


def shortened(
    network: Network, image: Vector, point: Vector, contrast: Vector
) -> Vector:
    """Return the nearest counterexample on the segment from an image to one."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        between = image + middle * (point - image)
        margin = logits_of(network, between[None])[0] @ contrast
        low, high = (low, middle) if margin < FLIPPED else (middle, high)
    return image + high * (point - image)


def random_starts(image: Vector, radius: float, count: int, seed: int) -> Points:
    """Return the image itself and random points at a distance from it."""
    directions = np.random.default_rng(seed).normal(size=(count, len(image)))
    directions *= radius / np.linalg.norm(directions, axis=1, keepdims=True)
    directions[0] = 0
    return image + directions


def box_multipliers(gradient: Vector, image: Vector, radius: float) -> Vector:
    """Return multipliers of x (1 - x) >= 0 relative to the ball's.

    They are those of the minimum over ball and box of a linear function.
    """
    high = np.linalg.norm(gradient) / (2 * radius)
    low = LEAST_BALL * high
    if not high:
        return np.zeros_like(image)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        change = np.clip(-gradient / (2 * middle), -image, 1 - image)
        far = np.linalg.norm(change) > radius
        low, high = (middle, high) if far else (low, middle)
    change = np.clip(-gradient / (2 * high), -image, 1 - image)
    rest = gradient + 2 * high * change
    at_zero, at_one = change <= 1e-12 - image, change >= 1 - image - 1e-12
    push = np.where(at_zero, np.maximum(rest, 0), 0)
    return (push + np.where(at_one, np.maximum(-rest, 0), 0)) / high
