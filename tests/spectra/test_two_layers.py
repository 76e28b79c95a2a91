"""The network of two inputs: its Jacobian, and the chain of inequalities."""

import numpy as np
import torch

from intriguing.spectra.two_layers import (
    CLEAN,
    FIRST,
    SECOND,
    jacobians,
    operator_norm,
    outputs,
    product_bound,
)


def test_the_jacobian_is_that_of_autograd():
    def network(x):
        return torch.tensor(SECOND) @ torch.tanh(torch.tensor(FIRST) @ x)

    expected = torch.autograd.functional.jacobian(network, torch.tensor(CLEAN))
    assert np.allclose(jacobians(CLEAN), expected)


def test_the_product_bounds_every_change():
    points = np.random.default_rng(0).normal(size=(2, 500, 2))
    change = np.linalg.norm(outputs(points[0]) - outputs(points[1]), axis=-1)
    distance = np.linalg.norm(points[0] - points[1], axis=-1)
    assert operator_norm(jacobians(points)).max() <= product_bound()
    assert (change <= product_bound() * distance).all()
