"""Room for what is computed on the way: the compiled functions make no arrays."""

from typing import NamedTuple

import numpy as np


class Room(NamedTuple):
    """Room for the work on one image; nothing in it outlives that.

    Attributes:
        free: 1 for free pixels, 0 for held ones.
        move: A move in pixels.
        other: A second point beside the projection.
        spread: Vectors that are multiplied by the inverse Hessian.
        gradients: Gradients of the constraints.
        used: Their slots.
        required: Margin still required of each.
        multiplier: Multiplier of each.
        dual: Multipliers and shortfalls of the dual, at two points.
        active: Constraints that are active.
        ascent: Step of the dual.
        parts: Multipliers and shortfalls of the active ones.
        places: Those whose multiplier is kept.
        kept: Whether it is.
        gram: Inner products of gradients.
        factor: Its Cholesky factor.
        system: Right side of a system, what is left of it, and its solution.
        order: Curvature pairs, newest first.
        factors: Four numbers a pair.
    """

    free: np.ndarray
    move: np.ndarray
    other: np.ndarray
    spread: np.ndarray
    gradients: np.ndarray
    used: np.ndarray
    required: np.ndarray
    multiplier: np.ndarray
    dual: np.ndarray
    active: np.ndarray
    ascent: np.ndarray
    parts: np.ndarray
    places: np.ndarray
    kept: np.ndarray
    gram: np.ndarray
    factor: np.ndarray
    system: np.ndarray
    order: np.ndarray
    factors: np.ndarray


def room_for(width: int, constraints: int, memory: int) -> Room:
    """Return room for images of a width, so many constraints and curvature pairs."""

    def numbers(*shape: int) -> np.ndarray:
        return np.empty(shape, np.float32)

    k = constraints
    return Room(
        free=numbers(width),
        move=numbers(width),
        other=numbers(width),
        spread=numbers(k + 1, width),
        gradients=numbers(k, width),
        used=np.empty(k, np.int64),
        required=numbers(k),
        multiplier=numbers(k),
        dual=numbers(4, k),
        active=np.empty(k, np.int64),
        ascent=numbers(k),
        parts=numbers(2, k),
        places=np.empty(k, np.int64),
        kept=np.empty(k, np.bool_),
        gram=numbers(k, k),
        factor=numbers(k, k),
        system=numbers(3, k),
        order=np.empty(memory, np.int64),
        factors=numbers(4, memory),
    )
