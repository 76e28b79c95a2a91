"""`trial.trial_by_torch`, one image at a time, compiled by numba for the CPU.

The torch version passes over (N, d) and (N, m, d) temporaries; here all that belongs to
one image stays in the processor's cache. A test asserts that both try the same points.
"""

from functools import partial

import numpy as np
from numba import njit

from intriguing.attack.compilation import SUMS, entry_point
from intriguing.attack.vectors import HALF, ONE, ZERO, add, dot


@njit(fastmath=SUMS)
def slope_and_free(
    image: np.ndarray,
    clean: np.ndarray,
    slope: np.ndarray,
    stiff: np.float32,
    gradient: np.ndarray,
    free: np.ndarray,
) -> None:
    """Write the objective's gradient, and which pixels may move downhill."""
    for j in range(len(image)):
        here, up = image[j], slope[j] + stiff * (image[j] - clean[j])
        held = (here <= ZERO and up > ZERO) or (here >= ONE and up < ZERO)
        gradient[j] = up
        free[j] = ZERO if held else ONE


@njit(fastmath=SUMS)
def two_loop(
    gradient: np.ndarray,
    free: np.ndarray,
    stiff: np.float32,
    steps: np.ndarray,
    changes: np.ndarray,
    slot: int,
    least_curvature: float,
    total: np.ndarray,
    rest: np.ndarray,
) -> None:
    """Write the step of one image to ``rest``; ``total`` is room for its pairs."""
    memory, width = steps.shape
    inverse, shares = np.zeros(memory, np.float32), np.zeros(memory, np.float32)
    for j in range(width):
        rest[j] = gradient[j] * free[j]
    for age in range(memory):
        i = (slot - 1 - age) % memory
        step, change = steps[i], total[i]
        extent = dot(step, step)
        if extent == 0:
            continue
        for j in range(width):
            change[j] = (changes[i, j] + stiff * step[j]) * free[j]
        overlap = dot(step, change)
        floor = np.float32(least_curvature) * stiff * extent
        if overlap <= floor + np.float32(1e-30):
            continue
        inverse[i] = ONE / overlap
        shares[i] = inverse[i] * dot(step, rest)
        add(rest, -shares[i], change)
    for j in range(width):
        rest[j] /= stiff
    for back in range(memory):
        i = (slot + back) % memory
        if inverse[i] > 0:
            share = inverse[i] * dot(total[i], rest)
            add(rest, shares[i] - share, steps[i])
    for j in range(width):
        rest[j] *= -free[j]


@partial(entry_point, fastmath=SUMS, _nrt=True)
def trials(
    image: np.ndarray,
    clean: np.ndarray,
    slope: np.ndarray,
    stiffness: np.ndarray,
    halvings: np.ndarray,
    steps: np.ndarray,
    changes: np.ndarray,
    point: np.ndarray,
    length: np.ndarray,
    descent: np.ndarray,
    slot: int,
    longest: float,
    least_curvature: float,
) -> None:
    """Write points, lengths and descents of all images; other arguments as in torch."""
    count, memory, width = steps.shape
    gradient, free = np.empty(width, np.float32), np.empty(width, np.float32)
    total, step = np.empty((memory, width), np.float32), np.empty(width, np.float32)
    for n in range(count):
        stiff, moved = stiffness[n], steps[n, slot]
        slope_and_free(image[n], clean[n], slope[n], stiff, gradient, free)
        pairs = (steps[n], changes[n], slot, least_curvature)
        two_loop(gradient, free, stiff, *pairs, total, step)
        cap = np.float32(longest) / max(np.sqrt(dot(step, step)), np.float32(1e-12))
        scale = min(HALF ** halvings[n], cap)
        squares = ZERO
        for j in range(width):
            there = min(max(image[n, j] + scale * step[j], ZERO), ONE)
            point[n, j], moved[j] = there, there - image[n, j]
            squares += (there - clean[n, j]) ** 2
        length[n], descent[n] = np.sqrt(squares), dot(gradient, moved)
