"""Room for what is computed on the way: the compiled functions make no arrays."""

from typing import NamedTuple

import numpy as np


class Room(NamedTuple):
    """Room for the work on one image; nothing in it outlives that.

    Three vectors of pixels, ``spread`` for vectors that are multiplied by the inverse
    Hessian, ``factors`` for four numbers a pair, ``dual`` for multipliers and
    shortfalls at two points, ``parts`` for both of the active constraints, ``system``
    for a right side, what is left of it, and a solution; the rest by name.
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

    def places(length: int) -> np.ndarray:
        return np.empty(length, np.int64)

    k, images = constraints, (numbers(width) for _ in range(3))
    spread, gradients = numbers(k + 1, width), numbers(k, width)
    by_constraint = (places(k), numbers(k), numbers(k), numbers(4, k), places(k))
    dual_step = (numbers(k), numbers(2, k), places(k), np.empty(k, np.bool_))
    systems = (numbers(k, k), numbers(k, k), numbers(3, k))
    pairs = (places(memory), numbers(4, memory))
    others = (*by_constraint, *dual_step, *systems, *pairs)
    return Room._make((*images, spread, gradients, *others))
