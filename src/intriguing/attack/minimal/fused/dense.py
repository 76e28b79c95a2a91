"""`network.stacked` without torch: a fully connected network, both ways, compiled.

Four rows at a time go through all layers, so that a weight that is read serves four.
Every sum is taken in one order, whatever the other rows are: an image's path does not
depend on the batch.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from intriguing.attack.minimal.fused.products import (
    ROWS,
    combinations,
    inner_products,
)
from intriguing.attack.vectors import INNER, ONE, ZERO

LINEAR, SIGMOID, TANH, RELU, SOFTPLUS = range(5)
"""Kinds of layers, by the function that follows the linear map."""


class Dense(NamedTuple):
    """A fully connected network.

    Attributes:
        weights: Those of all layers, each (outputs, inputs), one after the other.
        biases: Those of all layers, one after the other.
        widths: Width of the input and of every layer.
        kinds: Kind of every layer.
    """

    weights: np.ndarray
    biases: np.ndarray
    widths: np.ndarray
    kinds: np.ndarray


class Passes(NamedTuple):
    """Room for the passes of one turn.

    Attributes:
        values: Outputs of all layers, one row a point.
        slopes: Gradients by the input.
        rows: Room for one block of rows, before and after a layer.
    """

    values: np.ndarray
    slopes: np.ndarray
    rows: np.ndarray


@njit(**INNER)
def weight_of(dense, layer):
    """Return the weight of a layer, and where its biases begin."""
    begin = place = 0
    for k in range(layer):
        begin += dense.widths[k] * dense.widths[k + 1]
        place += dense.widths[k + 1]
    fan_in, fan_out = dense.widths[layer], dense.widths[layer + 1]
    flat = dense.weights[begin : begin + fan_in * fan_out]
    return flat.reshape(fan_out, fan_in), place


@njit(**INNER)
def activate(kind, sums, biases, values):
    """Write the outputs of a layer."""
    for j in range(len(values)):
        value = sums[j] + biases[j]
        if kind == SIGMOID:
            value = ONE / (ONE + math.exp(-value))
        elif kind == TANH:
            value = math.tanh(value)
        elif kind == RELU:
            value = max(value, ZERO)
        elif kind == SOFTPLUS:
            value = max(value, ZERO) + math.log1p(math.exp(-abs(value)))
        values[j] = value


@njit(**INNER)
def bend(kind, values, up):
    """Multiply gradients by the slope of a layer's function, known by its values."""
    for j in range(len(up)):
        value = values[j]
        if kind == SIGMOID:
            up[j] *= value * (ONE - value)
        elif kind == TANH:
            up[j] *= ONE - value * value
        elif kind == SOFTPLUS:
            up[j] *= -math.expm1(-value)
        elif kind == RELU and value <= 0:
            up[j] = ZERO


@njit(**INNER)
def forward(dense, points, busy, passes):
    """Write the outputs of all layers at the points of some slots."""
    values, sums = passes.values, passes.rows[0]
    count, last = len(busy), len(busy) - 1
    for layer in range(len(dense.kinds)):
        weight, place = weight_of(dense, layer)
        fan_out, fan_in = weight.shape
        biases = dense.biases[place : place + fan_out]
        before = place - fan_in
        for n in range(0, count, ROWS):
            n1, n2, n3 = min(n + 1, last), min(n + 2, last), min(n + 3, last)
            if layer == 0:
                a, b = points[busy[n]], points[busy[n1]]
                c, d = points[busy[n2]], points[busy[n3]]
            else:
                a, b = values[n, before:place], values[n1, before:place]
                c, d = values[n2, before:place], values[n3, before:place]
            inner_products(a, b, c, d, weight, sums)
            for k in range(min(ROWS, count - n)):
                activate(
                    dense.kinds[layer],
                    sums[k],
                    biases,
                    values[n + k, place : place + fan_out],
                )


@njit(**INNER)
def backward(dense, rows, weights, passes):
    """Write the gradients of weighted logits, at rows of the last forward pass."""
    values, count = passes.values, len(rows)
    up, down = passes.rows[0], passes.rows[1]
    layers = len(dense.kinds)
    for p in range(0, count, ROWS):
        many = min(ROWS, count - p)
        for k in range(ROWS):
            for c in range(weights.shape[1]):
                up[k, c] = weights[p + k, c] if k < many else ZERO
        for layer in range(layers - 1, -1, -1):
            weight, place = weight_of(dense, layer)
            fan_in = weight.shape[1]
            combinations(
                up,
                weight,
                down[0, :fan_in],
                down[1, :fan_in],
                down[2, :fan_in],
                down[3, :fan_in],
            )
            if layer > 0:
                for k in range(many):
                    known = values[rows[p + k], place - fan_in : place]
                    bend(dense.kinds[layer - 1], known, down[k, :fan_in])
            up, down = down, up
        for k in range(many):
            for j in range(passes.slopes.shape[1]):
                passes.slopes[p + k, j] = up[k, j]
