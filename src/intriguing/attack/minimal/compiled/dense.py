"""Both passes of a fully connected network, compiled.

Four rows at a time go through all layers, so that a weight that is read serves four.
Every sum is taken in one order, whatever the other rows are: an image's path does not
depend on the batch.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from intriguing.attack.compilation import kernel
from intriguing.attack.vectors import (
    ONE,
    ROWS,
    ZERO,
    combinations,
    copy,
    inner_products,
)

LINEAR, SIGMOID, TANH, RELU, SOFTPLUS = range(5)
"""Kinds of layers, by the function that follows the linear map."""


class Dense(NamedTuple):
    """A fully connected network, and room for its passes.

    Attributes:
        weights: Those of all layers, each (outputs, inputs), one after the other.
        biases: Those of all layers, one after the other.
        widths: Width of the input and of every layer.
        kinds: Kind of every layer.
        values: Outputs of all layers, one row a point.
        logits: Those of the last layer.
        gradients: Gradients by the input.
        rows: Room for one block of rows, before and after a layer.
    """

    weights: np.ndarray
    biases: np.ndarray
    widths: np.ndarray
    kinds: np.ndarray
    values: np.ndarray
    logits: np.ndarray
    gradients: np.ndarray
    rows: np.ndarray


def dense_of(layers: tuple[nn.Module, ...]) -> Dense | None:
    """Return a network without room for its passes, None if these do not know it."""
    maps = [part for part in layers[::2] if type(part) is nn.Linear]
    between = layers[1::2]
    kinds = [kind_of(part) for part in between]
    if 2 * len(maps) - 1 != len(layers) or None in kinds:
        return None
    weights = [part.weight.detach() for part in maps]
    if not all(part.dtype == torch.float32 for part in weights):
        return None
    biases = (
        part.new_zeros(len(part)) if layer.bias is None else layer.bias.detach()
        for part, layer in zip(weights, maps, strict=True)
    )
    none = np.empty((0, 0), np.float32)
    return Dense(
        weights=torch.cat([part.flatten() for part in weights]).numpy(),
        biases=torch.cat(list(biases)).numpy(),
        widths=np.array([weights[0].shape[1], *map(len, weights)]),
        kinds=np.array([*kinds, LINEAR]),
        values=none,
        logits=none,
        gradients=none,
        rows=none[None],
    )


def with_room(dense: Dense, points: int, gradients: int) -> Dense:
    """Return a network with room of its own, for so many points and gradients."""
    widest = dense.widths.max()
    return dense._replace(
        values=np.empty((points, dense.widths[1:].sum()), np.float32),
        logits=np.empty((points, dense.widths[-1]), np.float32),
        gradients=np.empty((gradients, dense.widths[0]), np.float32),
        rows=np.empty((2, ROWS, widest), np.float32),
    )


def kind_of(function: nn.Module) -> int | None:
    """Return the number of a function that the compiled passes know."""
    if type(function) is nn.Softplus:
        return SOFTPLUS if (function.beta, function.threshold) == (1, 20) else None
    known = {nn.Sigmoid: SIGMOID, nn.Tanh: TANH, nn.ReLU: RELU}
    return known.get(type(function))


@kernel
def weight_of(dense, layer):
    """Return the weight of a layer, and where its biases begin."""
    begin = place = 0
    for k in range(layer):
        begin += dense.widths[k] * dense.widths[k + 1]
        place += dense.widths[k + 1]
    fan_in, fan_out = dense.widths[layer], dense.widths[layer + 1]
    flat = dense.weights[begin : begin + fan_in * fan_out]
    return flat.reshape(fan_out, fan_in), place


@kernel
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


@kernel
def times_derivative(kind, values, up):
    """Multiply gradients by the derivative of a function, known by its values."""
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


@kernel
def forward(dense, points, chosen):
    """Write the logits at chosen points, and the outputs of all layers."""
    values, sums = dense.values, dense.rows[0]
    count, last, fan_out = len(chosen), len(chosen) - 1, 0
    for layer in range(len(dense.kinds)):
        weight, place = weight_of(dense, layer)
        fan_out, fan_in = weight.shape
        biases = dense.biases[place : place + fan_out]
        before = place - fan_in
        for n in range(0, count, ROWS):
            n1, n2, n3 = min(n + 1, last), min(n + 2, last), min(n + 3, last)
            if layer == 0:
                a, b = points[chosen[n]], points[chosen[n1]]
                c, d = points[chosen[n2]], points[chosen[n3]]
            else:
                a, b = values[n, before:place], values[n1, before:place]
                c, d = values[n2, before:place], values[n3, before:place]
            inner_products(a, b, c, d, weight, sums)
            for k in range(min(ROWS, count - n)):
                outputs = values[n + k, place : place + fan_out]
                activate(dense.kinds[layer], sums[k], biases, outputs)
    for n in range(count):
        copy(dense.logits[n], values[n, values.shape[1] - fan_out :])


@kernel
def backward(dense, rows, weights):
    """Write the gradients of weighted logits, at rows of the last forward pass."""
    values, count = dense.values, len(rows)
    up, down = dense.rows[0], dense.rows[1]
    layers = len(dense.kinds)
    for p in range(0, count, ROWS):
        many = min(ROWS, count - p)
        for k in range(ROWS):
            for c in range(weights.shape[1]):
                up[k, c] = weights[p + k, c] if k < many else ZERO
        for layer in range(layers - 1, -1, -1):
            weight, place = weight_of(dense, layer)
            fan_in = weight.shape[1]
            a, b = down[0, :fan_in], down[1, :fan_in]
            c, d = down[2, :fan_in], down[3, :fan_in]
            combinations(up, weight, a, b, c, d)
            if layer > 0:
                for k in range(many):
                    known = values[rows[p + k], place - fan_in : place]
                    times_derivative(dense.kinds[layer - 1], known, down[k, :fan_in])
            up, down = down, up
        for k in range(many):
            copy(dense.gradients[p + k], up[k])
