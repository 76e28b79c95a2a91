"""Tiny networks, and their exact distances by enumeration of activation patterns."""

from itertools import pairwise, product

import numpy as np
import torch
from networks import seeded
from scipy.optimize import minimize
from torch import nn

from intriguing.bounds.network import Network, fully_connected


def small_network(sizes, activation=nn.ReLU, seed=0, scale=2.0):
    """Return a network with random weights and biases."""
    generator, layers = seeded(seed), [nn.Flatten()]
    for inputs, outputs in pairwise(sizes):
        layer = nn.Linear(inputs, outputs)
        layer.weight.data = torch.randn(outputs, inputs, generator=generator)
        layer.weight.data *= scale / inputs**0.5
        layer.bias.data = 0.3 * torch.randn(outputs, generator=generator)
        layers += [layer, activation()]
    return nn.Sequential(*layers[:-1]).eval().requires_grad_(False)


def exact_distance(model, image, label):
    """Return the distance to the nearest image of the box with another class.

    In each activation pattern the network is linear, so that the nearest image is the
    solution of a convex quadratic program.
    """
    network = fully_connected(model)
    found = np.inf
    for pattern in product((0.0, 1.0), repeat=sum(network.sizes)):
        forms, weight, bias = pattern_constraints(network, np.array(pattern))
        for other in np.flatnonzero(np.arange(len(bias)) != label):
            row, shift = weight[other] - weight[label], bias[other] - bias[label]
            found = min(found, nearest(image, [*forms, (row, shift)]))
    return found


def pattern_constraints(network: Network, pattern):
    """Return the inequalities of a pattern, and the logits as linear functions."""
    weight, bias = network.weights[0], network.biases[0]
    forms = []
    start = 0
    for size, w, b in zip(
        network.sizes, network.weights[1:], network.biases[1:], strict=True
    ):
        gates = pattern[start : start + size]
        signs = 2 * gates - 1
        forms += list(zip(signs[:, None] * weight, signs * bias, strict=True))
        weight, bias = w @ (gates[:, None] * weight), w @ (gates * bias) + b
        start += size
    return forms, weight, bias


def nearest(image, forms):
    """Return the distance to the polyhedron ``row x + shift >= 0`` in the box."""
    rows = np.array([row for row, _ in forms])
    shifts = np.array([shift for _, shift in forms])
    solved = minimize(
        lambda x: ((x - image) ** 2).sum(),
        image,
        jac=lambda x: 2 * (x - image),
        bounds=[(0, 1)] * len(image),
        constraints={
            "type": "ineq",
            "fun": lambda x: rows @ x + shifts,
            "jac": lambda x: rows,
        },
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 200},
    )
    inside = (rows @ solved.x + shifts >= -1e-7).all()
    return float(np.sqrt(solved.fun)) if inside else np.inf
