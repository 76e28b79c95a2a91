"""Norms of Jacobians estimated from moments, on the presumption of independence.

A heuristic argument (Christiano, Neyman and Xu, 2022) puts a product of expectations in
place of the expectation of a product wherever nothing is known of a dependence. Here
the pre-activations of a layer are presumed Gaussian and, in this order of strength:

``uncorrelated``
    Units and layers are independent and the matrices have no common directions, so that
    a layer multiplies the squared norm by its mean squared entry times its outputs.
``units``
    Units are independent, but the matrices are as they are.
``layers``
    Units of a layer have their covariance; layers are independent.
``classes``
    The same for each class of images.

Nothing is proved by these numbers. They are means and shares over images as they occur,
and not bounds.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr
from torch import nn

from intriguing.bounds.network import ACTIVATIONS, Matrix, Network, Vector

TERMS = 32
"""Terms of the Hermite series of a covariance."""
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(96)
"""Gauss-Hermite quadrature; the weights are scaled to those of a Gaussian."""
WEIGHTS = WEIGHTS / WEIGHTS.sum()
SMALLEST = 1e-12
"""Least standard deviation of a pre-activation."""


class Moments(NamedTuple):
    """Mean and covariance of a vector."""

    mean: Vector
    covariance: Matrix


class GaussianLayer(NamedTuple):
    """A hidden layer whose pre-activations are presumed Gaussian.

    Attributes:
        before: Moments of the pre-activations.
        after: Moments of the activations.
        gates: E[g gᵀ] of the slopes g of the activation function.
    """

    before: Moments
    after: Moments
    gates: Matrix


def propagated(
    network: Network, inputs: Moments, presume: Callable[[Moments], Moments]
) -> list[GaussianLayer]:
    """Return the moments of each hidden layer, from those of the inputs.

    Args:
        network: Linear maps and their activation function.
        inputs: Moments of the images.
        presume: What is kept of the moments of the pre-activations of each layer.
    """
    layers, moments = [], inputs
    for weight, bias in zip(network.weights[:-1], network.biases[:-1], strict=True):
        mean = weight @ moments.mean + bias
        before = Moments(mean, weight @ moments.covariance @ weight.T)
        layers.append(gaussian_layer(network.activation, presume(before)))
        moments = layers[-1].after
    return layers


def independent(moments: Moments) -> Moments:
    """Return the moments of the same variables, presumed independent."""
    return moments._replace(covariance=np.diag(np.diag(moments.covariance)))


def dependent(moments: Moments) -> Moments:
    """Return the moments as they are."""
    return moments


def gaussian_layer(kind: type[nn.Module], before: Moments) -> GaussianLayer:
    """Return the moments of the activations and slopes of Gaussian pre-activations.

    The covariance of functions of two Gaussian variables is a power series in their
    correlation, whose coefficients are products of Hermite coefficients (Mehler). By
    Stein's identity the coefficients of the function follow from those of its slope.

    Args:
        kind: Type of the activation function, a key of `ACTIVATIONS`.
        before: Moments of the pre-activations.
    """
    scale = np.sqrt(np.diag(before.covariance).clip(SMALLEST**2))
    correlation = (before.covariance / np.outer(scale, scale)).clip(-1, 1)
    slopes = slope_coefficients(kind, before.mean, scale)
    values = scale[:, None] * slopes / np.sqrt(np.arange(1, TERMS + 1))
    gates, covariance = np.zeros_like(correlation), np.zeros_like(correlation)
    power = np.ones_like(correlation)
    for slope, value in zip(slopes.T, values.T, strict=True):
        gates += np.outer(slope, slope) * power
        power = power * correlation
        covariance += np.outer(value, value) * power
    own = _own_moments(kind, before.mean, scale)
    # The series converges slowly at a correlation of one, where the integral is known.
    np.fill_diagonal(covariance, own.square - own.mean**2)
    np.fill_diagonal(gates, own.slope_square)
    return GaussianLayer(before, Moments(own.mean, covariance), gates)


def slope_coefficients(
    kind: type[nn.Module], mean: Vector, scale: Vector
) -> Float[np.ndarray, "n terms"]:
    """Return the Hermite coefficients of the slope at Gaussian pre-activations.

    They belong to the normalised polynomials, so that their squares sum to the second
    moment of the slope.
    """
    if kind is not nn.ReLU:
        points = mean[:, None] + scale[:, None] * NODES
        return (ACTIVATIONS[kind].derivative(points) * WEIGHTS) @ _hermite(NODES).T
    # The slope is a step, for which no quadrature is exact.
    ratio = mean / scale
    higher = _density(ratio) * _hermite(-ratio)[:-1]
    return np.vstack([ndtr(ratio), higher / np.sqrt(np.arange(1, TERMS))[:, None]]).T


class _OwnMoments(NamedTuple):
    """E[a], E[a²] and E[g²] of each unit."""

    mean: Vector
    square: Vector
    slope_square: Vector


def _own_moments(kind: type[nn.Module], mean: Vector, scale: Vector) -> _OwnMoments:
    if kind is nn.ReLU:
        ratio = mean / scale
        share, bump = ndtr(ratio), scale * _density(ratio)
        square = (mean**2 + scale**2) * share + mean * bump
        return _OwnMoments(mean * share + bump, square, share)
    points = mean[:, None] + scale[:, None] * NODES
    values, slopes = (f(points) for f in ACTIVATIONS[kind][:2])
    return _OwnMoments(values @ WEIGHTS, values**2 @ WEIGHTS, slopes**2 @ WEIGHTS)


def _density(points: Vector) -> Vector:
    return np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi)


def _hermite(points: Vector) -> Float[np.ndarray, "terms n"]:
    """Return the normalised Hermite polynomials at some points."""
    rows = [np.ones_like(points), points]
    for degree in range(1, TERMS - 1):
        following = points * rows[-1] - np.sqrt(degree) * rows[-2]
        rows.append(following / np.sqrt(degree + 1))
    return np.stack(rows)


def mean_squared_norm(network: Network, layers: Sequence[GaussianLayer]) -> float:
    """Return E‖J‖² (Frobenius) of the Jacobian J, if the layers are independent."""
    first, *others = network.weights
    square = first @ first.T
    for weight, layer in zip(others, layers, strict=True):
        square = weight @ (square * layer.gates) @ weight.T
    return float(np.trace(square))


def uncorrelated_squared_norm(
    network: Network, layers: Sequence[GaussianLayer]
) -> float:
    """Return E‖J‖² if, besides, the matrices have no directions in common."""
    first, *others = network.weights
    square = (first**2).sum()
    for weight, layer in zip(others, layers, strict=True):
        square *= (weight**2).sum() * np.diag(layer.gates).mean() / weight.shape[1]
    return float(square)


def operations(sizes: Sequence[int]) -> int:
    """Return the floating-point operations of `mean_squared_norm` and its moments.

    A product of an (a, b) and a (b, c) matrix counts 2abc, and an entry of a series 5
    for each term.

    Args:
        sizes: Inputs, units of each hidden layer, and classes.
    """
    inputs, first = sizes[:2]
    count = 2 * first * inputs**2 + 4 * first**2 * inputs
    for before, after in pairwise(sizes[1:]):
        product = 2 * before**2 * after + 2 * before * after**2
        count += 5 * TERMS * before**2 + 2 * product
    return count


def operations_of_one_image(sizes: Sequence[int]) -> int:
    """Return the operations that ‖J‖² takes at one image, the forward pass included.

    The first layer's Gram matrix is known, and J is built from the logits on.
    """
    classes, first = sizes[-1], sizes[1]
    forward = sum(2 * before * after for before, after in pairwise(sizes))
    backward = sum(
        2 * classes * before * after for before, after in pairwise(sizes[1:-1])
    )
    return forward + backward + 2 * classes * first**2
