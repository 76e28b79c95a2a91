"""Room for what is computed on the way, given to the compiled functions.

They make no arrays of their own: then numba need not count references, which it does
by atomic operations whenever a row is taken out of an array or a record is passed on.
With vectors as short as an image that took a good part of the time.
"""

from typing import NamedTuple

import numpy as np


class Space(NamedTuple):
    """Room for the work on one slot; nothing in it outlives that.

    Attributes:
        free: 1 for free pixels, 0 for held ones.
        move: A move in pixels.
        other: A second point beside the projection.
        spread: Vectors that are multiplied with the curvature's inverse.
        slopes: Gradients of the seats that are taken.
        used: Those seats.
        need: Margin still asked for by each.
        multiplier: Multiplier of each.
        now: Multipliers and shortfalls of the dual.
        trial: The same at a trial point.
        active: Constraints that are active.
        ascent: Step of the dual.
        parts: Multipliers and shortfalls of the active ones.
        kept: Whether a multiplier is kept.
        places: Those that are.
        gram: Inner products of slopes.
        factor: Its Cholesky factor.
        right: Right side of a system.
        rest: What is left of it.
        solution: Its solution.
        order: Curvature pairs, newest first.
        factors: Four numbers a pair.
        sums: Six numbers a class.
        before: Multipliers left behind, by seats.
    """

    free: np.ndarray
    move: np.ndarray
    other: np.ndarray
    spread: np.ndarray
    slopes: np.ndarray
    used: np.ndarray
    need: np.ndarray
    multiplier: np.ndarray
    now: np.ndarray
    trial: np.ndarray
    active: np.ndarray
    ascent: np.ndarray
    parts: np.ndarray
    kept: np.ndarray
    places: np.ndarray
    gram: np.ndarray
    factor: np.ndarray
    right: np.ndarray
    rest: np.ndarray
    solution: np.ndarray
    order: np.ndarray
    factors: np.ndarray
    sums: np.ndarray
    before: np.ndarray


def space_for(width: int, seats: int, memory: int, classes: int) -> Space:
    """Return room for images of a width, so many seats, pairs and classes."""

    def numbers(*shape: int) -> np.ndarray:
        return np.empty(shape, np.float32)

    def indices(size: int) -> np.ndarray:
        return np.empty(size, np.int64)

    return Space(
        free=numbers(width),
        move=numbers(width),
        other=numbers(width),
        spread=numbers(seats + 1, width),
        slopes=numbers(seats, width),
        used=indices(seats),
        need=numbers(seats),
        multiplier=numbers(seats),
        now=numbers(2, seats),
        trial=numbers(2, seats),
        active=indices(seats),
        ascent=numbers(seats),
        parts=numbers(2, seats),
        kept=np.empty(seats, np.bool_),
        places=indices(seats),
        gram=numbers(seats, seats),
        factor=numbers(seats, seats),
        right=numbers(seats),
        rest=numbers(seats),
        solution=numbers(seats),
        order=indices(memory),
        factors=numbers(4, memory),
        sums=numbers(6, classes),
        before=numbers(seats),
    )
