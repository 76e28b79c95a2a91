"""Room for what is computed on the way: the compiled functions make no arrays."""

from typing import NamedTuple

import numpy as np


class Room(NamedTuple):
    """Room for the work on one image; nothing in it outlives that.

    Rows of ``dual`` are multipliers at two points and their shortfalls, those of
    ``parts`` both of the active constraints, those of ``system`` a right side, what is
    left of it, and a solution; ``factors`` has four numbers a curvature pair.
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
    used, active, places = np.empty((3, k), np.int64)
    return Room(
        free=numbers(width),
        move=numbers(width),
        other=numbers(width),
        spread=numbers(k + 1, width),
        gradients=numbers(k, width),
        used=used,
        required=numbers(k),
        multiplier=numbers(k),
        dual=numbers(4, k),
        active=active,
        ascent=numbers(k),
        parts=numbers(2, k),
        places=places,
        kept=np.empty(k, np.bool_),
        gram=numbers(k, k),
        factor=numbers(k, k),
        system=numbers(3, k),
        order=np.empty(memory, np.int64),
        factors=numbers(4, memory),
    )
