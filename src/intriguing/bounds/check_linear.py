"""The part of `verify` without programs: intervals, products of norms, and CROWN.

It shares no code with `intervals`, and bounds its own rounding.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import nn

from intriguing.bounds.network import Matrix, Network, Vector
from intriguing.bounds.rounding import UNIT, gamma, product_error


class Claim(NamedTuple):
    """What is to be checked of one image.

    Attributes:
        network: The network.
        norms: Upper bounds of the spectral norms of its layers.
        image: Flat pixels.
        radius: Of the ball.
        in_box: Whether the claim is about the part of the ball in the box.
        lower: Claimed lower ends of the pre-activations of each hidden layer.
        upper: Claimed upper ends.
    """

    network: Network
    norms: tuple[float, ...]
    image: Vector
    radius: float
    in_box: bool
    lower: list[Vector]
    upper: list[Vector]


def margin_of(network: Network, label: int, other: int) -> tuple[Matrix, Vector]:
    """Return the margin as a linear function of the last hidden layer."""
    weight, bias = network.weights[-1], network.biases[-1]
    return weight[[label]] - weight[[other]], bias[[label]] - bias[[other]]


def centres(claim: Claim) -> list[tuple[Vector, Vector]]:
    """Return the pre-activations of the image, and bounds of their rounding errors."""
    values, error, found = claim.image, np.zeros_like(claim.image), []
    for weight, bias in zip(claim.network.weights, claim.network.biases, strict=True):
        rounding = product_error(weight, np.abs(values) + error, bias)
        error = 1.01 * np.abs(weight) @ error + rounding
        found.append((weight @ values + bias, error))
        values = activated(claim.network, found[-1][0])
        error = error + 8 * UNIT
    return found


def activated(
    network: Network, values: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """Return activations, whose rounding errors are a few units in the last place."""
    if network.activation is nn.ReLU:
        return np.maximum(values, 0)
    tangents = np.tanh(values if network.activation is nn.Tanh else values / 2)
    return tangents if network.activation is nn.Tanh else (1 + tangents) / 2


def steepest(network: Network) -> float:
    """Return the largest slope of a network's activation."""
    return 0.25 if network.activation is nn.Sigmoid else 1.0


def intervals_hold(claim: Claim) -> bool:
    """Return whether the claimed intervals contain what a ball's images give."""
    distance = claim.radius
    for layer, (centre, error) in enumerate(centres(claim)[:-1]):
        weight, bias = claim.network.weights[layer], claim.network.biases[layer]
        half = np.sqrt((weight**2).sum(1)) * distance * (1 + 1e-12) + error
        lower, upper = centre - half, centre + half
        if layer or claim.in_box:
            lower = np.maximum(lower, linear_bound(claim, layer, weight, bias))
            upper = np.minimum(upper, -linear_bound(claim, layer, -weight, -bias))
        if (claim.lower[layer] > lower).any() or (claim.upper[layer] < upper).any():
            return False
        distance *= claim.norms[layer] * steepest(claim.network) * (1 + 1e-12)
    return True


def product_proves(claim: Claim, label: int, other: int) -> bool:
    """Return whether the product of norms proves a margin."""
    logits, error = centres(claim)[-1]
    row, _ = margin_of(claim.network, label, other)
    slopes = steepest(claim.network) ** (len(claim.norms) - 1)
    reach = claim.radius * np.prod(claim.norms[:-1]) * np.linalg.norm(row) * slopes
    margin = logits[label] - logits[other] - error[label] - error[other]
    return bool(margin > reach * (1 + 1e-12))


def linear_bound(claim: Claim, layer: int, weight: Matrix, bias: Vector) -> Vector:
    """Return lower bounds of linear functions of the activations below a layer."""
    size, constant, extent = np.abs(weight), bias, np.abs(bias)
    terms = 8
    for below in range(layer - 1, -1, -1):
        ends = claim.lower[below], claim.upper[below]
        lines = _relu_lines if claim.network.activation is nn.ReLU else _sigmoid_lines
        under, over = lines(claim.network, *ends)
        inner = claim.network.weights[below], claim.network.biases[below]
        slope = np.where(weight >= 0, under[0], over[0])
        offset = np.where(weight >= 0, under[1], over[1])
        lift = (weight * offset).sum(1)
        extent = extent + (size * np.abs(offset)).sum(1)
        weight, size = weight * slope, size * slope
        constant = constant + lift + weight @ inner[1]
        extent = extent + size @ np.abs(inner[1])
        weight, size = weight @ inner[0], size @ np.abs(inner[0])
        terms += 4 * len(ends[0]) + 8
    reach = claim.radius * np.sqrt((weight**2).sum(1))
    drop, wide = _least_drop(claim, weight) if claim.in_box else (-reach, reach)
    bound = weight @ claim.image + constant + drop
    extent = extent + size @ np.abs(claim.image) + wide
    extent += claim.radius * np.sqrt((size**2).sum(1))
    return bound - gamma(terms + 2 * len(claim.image)) * extent


def _least_drop(claim: Claim, weight: Matrix) -> tuple[Vector, Vector]:
    """Return lower bounds of ``weight @ change`` in ball and box, and their extents.

    Each v > 0 gives one: the least of ``w d + v (d^2 - radius^2)`` over the box. The
    rounds only look for a good v, with which the changes are as long as the radius.
    """
    floor, room, square = -claim.image, 1 - claim.image, claim.radius**2
    v = np.maximum(np.sqrt((weight**2).sum(1)) / (2 * claim.radius), 1e-300)
    smallest = 1e-9 * v
    for _ in range(40):
        change = np.minimum(np.maximum(-weight / (2 * v[:, None]), floor), room)
        inside = (change != floor) & (change != room)
        rest = square - (change**2 * ~inside).sum(1)
        slope = ((weight / 2) ** 2 * inside).sum(1)
        better = np.sqrt(slope / np.maximum(rest, 1e-300))
        if (np.abs(better - v) <= 1e-9 * v).all():
            break
        v = np.maximum(better, smallest)
    change = np.minimum(np.maximum(-weight / (2 * v[:, None]), floor), room)
    lengths = (change**2).sum(1)
    drop = (weight * change).sum(1) + v * (lengths - square)
    return drop, np.abs(weight * change).sum(1) + v * (lengths + square)


_Line = tuple[Vector, Vector]
"""Slopes and offsets."""


def _relu_lines(_: Network, lower: Vector, upper: Vector) -> tuple[_Line, _Line]:
    """Return lines below and above: a unit is above 0 and z, and below its chord."""
    unstable = (lower < 0) & (upper > 0)
    chord = np.where(unstable, upper, 0) / np.where(unstable, upper - lower, 1)
    below = np.where(unstable, upper > -lower, lower >= 0) * 1.0
    above = np.where(unstable, chord, lower >= 0)
    return (below, 0 * below), (above, -chord * np.minimum(lower, 0))


def _sigmoid_lines(
    network: Network, lower: Vector, upper: Vector
) -> tuple[_Line, _Line]:
    """Return lines below and above a sigmoid.

    The function minus a line of slope s is extreme at an end or where its derivative
    is s. There tanh(z) or tanh(z / 2) is a root of 1 - s / (the steepest slope).
    """
    largest = steepest(network)
    stretch = 1.0 if network.activation is nn.Tanh else 2.0
    closest = np.full((2, len(lower)), np.inf)
    slopes, offsets = np.zeros((2, 2, len(lower)))
    for share in np.arange(33) / 32:
        slope = share * largest
        point = stretch * np.arctanh(min(np.sqrt(1 - share), 1 - 1e-15))
        turns = [np.minimum(np.maximum(z, lower), upper) for z in (-point, point)]
        heights = [activated(network, z) - slope * z for z in (lower, upper, *turns)]
        for side, sign in enumerate((-1, 1)):
            offset = sign * (
                np.max([sign * height for height in heights], axis=0) + 2e-13
            )
            gap = sign * (offset + slope * (lower + upper) / 2)
            better = gap < closest[side] - 1e-14
            closest[side] = np.where(better, gap, closest[side])
            slopes[side] = np.where(better, slope, slopes[side])
            offsets[side] = np.where(better, offset, offsets[side])
    return (slopes[0], offsets[0]), (slopes[1], offsets[1])
