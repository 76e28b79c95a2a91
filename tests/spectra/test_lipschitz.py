"""Lipschitz constants of pooling and contrast normalisation, against images."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networks import seeded
from torch import nn

from intriguing.errors import InputError
from intriguing.spectra.lipschitz import (
    average_pool_norm,
    contrast_lipschitz,
    max_pool_lipschitz,
)

POOLS = st.builds(
    lambda kernel, stride, padding, more, ceil_mode: (
        (kernel, stride, min(padding, kernel // 2)),
        kernel + more,
        ceil_mode,
    ),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(0, 6),
    st.booleans(),
)


def test_the_constant_is_the_root_of_the_overlap():
    assert max_pool_lipschitz(3, 2, 0, (55, 55)) == 2
    assert max_pool_lipschitz(2, 2, 0, (28, 28)) == 1
    assert max_pool_lipschitz(3, 1, 1, (9, 9)) == 3
    # Windows that do not fit do not overlap.
    assert max_pool_lipschitz(3, 2, 0, (3, 3)) == 1
    assert max_pool_lipschitz(3, 2, 0, (3, 5)) == math.sqrt(2)


@given(POOLS)
def test_one_bright_pixel_attains_the_constant_of_max_pooling(case):
    (kernel, stride, padding), size, ceil_mode = case
    pool = nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil_mode)
    constant = max_pool_lipschitz(kernel, stride, padding, (size, size), ceil_mode)
    bright = torch.eye(size * size, dtype=torch.float64).reshape(-1, 1, size, size)
    lengths = pool(bright).flatten(1).norm(dim=1)
    assert float(lengths.max()) == pytest.approx(constant)


@given(POOLS, st.integers(0, 10_000))
def test_max_pooling_never_exceeds_its_constant(case, seed):
    (kernel, stride, padding), size, ceil_mode = case
    pool = nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil_mode)
    constant = max_pool_lipschitz(kernel, stride, padding, (size, size), ceil_mode)
    generator = seeded(seed)
    shape = (2, 20, 1, size, size)
    one, other = torch.randn(shape, generator=generator, dtype=torch.float64)
    other = one + (other - one) * torch.rand(20, 1, 1, 1, generator=generator) ** 4
    outputs = (pool(one) - pool(other)).flatten(1).norm(dim=1)
    inputs = (one - other).flatten(1).norm(dim=1)
    assert (outputs <= constant * inputs * (1 + 1e-9)).all()


def test_the_mean_of_n_pixels_has_norm_one_over_the_root_of_n():
    for pool, size, exact in (
        (nn.AdaptiveAvgPool2d(1), (6, 4), 24**-0.5),
        (nn.AvgPool2d(2), (8, 8), 0.5),
        (nn.AdaptiveAvgPool2d(6), (6, 6), 1),
    ):
        assert average_pool_norm(pool, size) == pytest.approx((exact, exact))


def jacobian_norms(size, exponent, offset, points):
    """Return the norm of the Jacobian of torch's layer at each point."""
    layer = nn.LocalResponseNorm(size, alpha=float(size), beta=exponent, k=offset)

    def normalise(point):
        return layer(point.reshape(1, -1, 1, 1)).flatten()

    jacobians = torch.func.vmap(torch.func.jacrev(normalise))(points)
    return torch.linalg.matrix_norm(jacobians, 2)


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("exponent", [0.5, 0.75, 1.0])
@pytest.mark.parametrize("offset", [0.5, 1.0, 2.0])
def test_the_jacobian_of_contrast_normalisation_is_within_its_bounds(
    size, exponent, offset
):
    lower, upper = contrast_lipschitz(size, exponent, offset)
    points = torch.randn(300, 8, generator=seeded(), dtype=torch.float64)
    points *= torch.logspace(-2, 1.5, 300, dtype=torch.float64)[:, None]
    norms = jacobian_norms(size, exponent, offset, points)
    assert (norms <= upper * (1 + 1e-9)).all()
    zero = torch.zeros(1, 8, dtype=torch.float64)
    assert float(jacobian_norms(size, exponent, offset, zero)) == pytest.approx(lower)
    assert lower == pytest.approx(offset**-exponent)


def test_a_search_finds_no_larger_jacobian_than_at_zero():
    """Evidence, not a proof, that the lower bound is the constant."""
    points = torch.randn(40, 8, generator=seeded(1), dtype=torch.float64)
    points = points.requires_grad_(True)
    optimiser = torch.optim.Adam([points], lr=0.05)
    for _ in range(60):
        norms = jacobian_norms(5, 0.75, 1.0, points)
        optimiser.zero_grad()
        (-norms.sum()).backward()
        optimiser.step()
    assert float(norms.detach().max()) <= contrast_lipschitz(5, 0.75, 1.0)[0] + 1e-9


@pytest.mark.parametrize(
    "arguments", [(4, 0.75, 1.0), (5, 0.2, 1.0), (5, 1.5, 1.0), (5, 0.75, 0.0)]
)
def test_arguments_outside_the_domain_are_refused(arguments):
    with pytest.raises(InputError):
        contrast_lipschitz(*arguments)
    with pytest.raises(InputError, match="smaller than the window"):
        max_pool_lipschitz(3, 2, 0, (2, 2))
