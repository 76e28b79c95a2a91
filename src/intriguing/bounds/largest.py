"""The largest radius at which an image is certified."""

from typing import NamedTuple

import numpy as np

from intriguing.bounds.adversary import FLIPPED, least_margin, shortened
from intriguing.bounds.decisions import (
    Decision,
    Ladder,
    Vector,
    decide,
    decide_cheaply,
)
from intriguing.bounds.intervals import Ball
from intriguing.bounds.network import Network, contrast, logits_of

SHARES = (0.999, 0.99, 0.97, 0.9, 0.75, 0.5)
"""Shares of the attacked distance that are tried."""
NEARER, STEPS = (0.9, 0.97, 0.99, 0.998), 60
"""Shares of a counterexample's distance at which a nearer one is sought; steps."""
ATTEMPTS = 12
"""Most radii that are tried."""
BISECTIONS = 20
"""Of the radius that product and CROWN prove."""


class Largest(NamedTuple):
    """What `largest_radius` found.

    Attributes:
        radius: The largest certified radius.
        decision: Its proof.
        counterexample: Nearer than the one that was known, or None.
    """

    radius: float
    decision: Decision
    counterexample: Vector | None


def largest_radius(steps: Ladder, image: Vector, label: int, upper: float) -> Largest:
    """Return the largest certified radius that is found, and its proof.

    Args:
        steps: How far to go.
        image: Flat pixels.
        label: Class that the network gives it.
        upper: Distance of a counterexample, infinite if none is known.
    """
    # No two images of the box are further apart than the root of their pixels.
    upper = min(upper, len(image) ** 0.5)
    best = Largest(*_cheap_radius(steps, image, label, upper), None)
    place = 0
    for _ in range(ATTEMPTS if steps.includes("sdp") else 0):
        tried = SHARES[place] * upper
        if tried <= best.radius:
            break
        found = decide(steps, Ball(image, tried, in_box=True), label)
        if found.counterexample is not None:
            nearer = _nearer(steps.network, image, label, found.counterexample)
            best = best._replace(counterexample=nearer)
            upper, place = float(np.linalg.norm(nearer - image)), 0
            continue
        if found.status == "certified":
            return best._replace(radius=tried, decision=found)
        place += 1
        if place == len(SHARES):
            break
    return best


def _nearer(network: Network, image: Vector, label: int, point: Vector) -> Vector:
    """Return a nearer counterexample, by descent on ever smaller spheres."""
    logits = logits_of(network, point[None])[0]
    others = np.where(np.arange(len(logits)) == label, -np.inf, logits)
    weights = contrast(len(logits), label, int(others.argmax()))
    best = shortened(network, image, point, weights)
    for share in NEARER:
        while True:
            radius = share * float(np.linalg.norm(best - image))
            tried = least_margin(network, image, radius, weights, best[None], STEPS)
            if tried.margin >= FLIPPED:
                break
            best = shortened(network, image, tried.image, weights)
    return best


def _cheap_radius(
    steps: Ladder, image: Vector, label: int, upper: float
) -> tuple[float, Decision]:
    """Return the radius that product and CROWN prove, by bisection."""
    ball = Ball(image, 1e-6 * upper, steps.includes("crown"))
    low, high, best = 0.0, upper, decide_cheaply(steps, ball, label)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        decision = decide_cheaply(steps, ball._replace(radius=middle), label)
        if decision.status == "certified":
            low, best = middle, decision
        else:
            high = middle
    return low, best
