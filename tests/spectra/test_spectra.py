"""Norms of layers against dense matrices, closed forms and other routes."""

import math

import numpy as np
import pytest
import torch
from networks import seeded
from torch.nn import functional

from intriguing.errors import InputError
from intriguing.spectra import conv_norm, linear_norm
from intriguing.spectra.convolution import apply, apply_adjoint, convolution
from intriguing.spectra.estimates import (
    araujo,
    estimates_of,
    printed,
    reshaped,
    singla_feizi,
)
from intriguing.spectra.lanczos import lanczos_bound
from intriguing.spectra.torus import circular_values, torus_bound

CASES = 300


def random_case(number):
    """Draw a small layer; every axis has its own kernel, stride, padding and size."""
    draw = np.random.default_rng(number)
    groups = int(draw.integers(1, 4))
    shape = [int(draw.integers(1, 4)) for _ in range(2)]
    kernel, stride = draw.integers(1, 6, 2).tolist(), draw.integers(1, 4, 2).tolist()
    padding = draw.integers(0, 4, 2).tolist()
    least = [max(k - 2 * p, 1) for k, p in zip(kernel, padding, strict=True)]
    size = [int(draw.integers(n, n + 7)) for n in least]
    weight = torch.from_numpy(
        draw.standard_normal((shape[0] * groups, shape[1], *kernel))
    )
    return weight, tuple(stride), tuple(padding), groups, tuple(size)


def matrix_of(layer):
    """Return the layer's matrix, a column for each pixel of the input."""
    pixels = torch.eye(math.prod(layer.input_shape), dtype=torch.float64)
    return apply(layer, pixels.reshape(-1, *layer.input_shape)).flatten(1).T


def exact_norm(layer):
    return float(torch.linalg.svdvals(matrix_of(layer)).max())


def circular(layer):
    return float(circular_values(layer)[-1])


def normal(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed))


@pytest.mark.parametrize("block", range(6))
def test_the_enclosure_and_the_torus_hold_the_norm_of_the_dense_matrix(block):
    gaps = []
    for number in range(block * CASES // 6, (block + 1) * CASES // 6):
        case = random_case(number)
        layer = convolution(*case)
        (lower, upper), exact = conv_norm(*case), exact_norm(layer)
        assert lower == pytest.approx(exact, rel=1e-10), case[1:]
        assert lower <= exact <= upper <= exact * (1 + 1e-10), case[1:]
        gaps.append(torus_bound(layer) / max(exact, 1e-12) - 1)
        assert gaps[-1] >= 0, case[1:]
    assert np.median(gaps) > 1e-6  # the torus is tested where it is not exact


@pytest.mark.parametrize("stride", [1, 2])
def test_the_torus_comes_near_the_norm_where_images_are_large(stride):
    weight = normal(4, 3, 3, 3, seed=0)
    lower, upper = conv_norm(weight, stride, 1, 1, 60)
    assert lower < upper < 1.01 * lower


@pytest.mark.parametrize("number", range(40))
def test_the_adjoint_is_the_adjoint(number):
    layer = convolution(*random_case(number))
    images = normal(2, *layer.input_shape, seed=number).double()
    outputs = apply(layer, images)
    others = normal(*outputs.shape, seed=number + 1).double()
    back = apply_adjoint(layer, others)
    assert back.shape == images.shape
    products = float((outputs * others).sum()), float((images * back).sum())
    assert products[0] == pytest.approx(products[1], rel=1e-12, abs=1e-12)


def test_smoothing_by_three_pixels_has_the_norm_of_its_toeplitz_matrix():
    """Eigenvalues of the tridiagonal matrix (1, 2, 1) are 2 + 2 cos(j pi / (n+1))."""
    weight = torch.tensor([1.0, 2.0, 1.0]).reshape(1, 1, 1, 3)
    exact = 2 + 2 * math.cos(math.pi / 11)
    lower, upper = conv_norm(weight, 1, (0, 1), 1, (1, 10))
    assert lower == pytest.approx(exact, rel=1e-10)
    assert upper == pytest.approx(exact, rel=1e-10)  # the twisted torus is exact here


@pytest.mark.parametrize(
    ("shape", "stride", "size"),
    [((5, 3, 1, 1), 1, 7), ((5, 3, 1, 1), 3, 7), ((6, 2, 3, 3), 3, 12)],
    ids=["one pixel", "one pixel, strided", "patches without overlap"],
)
def test_a_convolution_of_disjoint_patches_has_the_norm_of_its_kernel(
    shape, stride, size
):
    weight = normal(*shape, seed=1)
    exact = float(torch.linalg.matrix_norm(weight.flatten(1).double(), 2))
    found = conv_norm(weight, stride, 0, 1, size)
    assert found == pytest.approx((exact, exact), rel=1e-10)


def test_the_norm_of_groups_is_the_largest_of_their_norms():
    weight = normal(6, 2, 3, 3, seed=3)
    weight[2:4] *= 5
    whole = conv_norm(weight, 2, 1, 3, 9)
    parts = [conv_norm(part, 2, 1, 1, 9) for part in weight.chunk(3)]
    assert whole == pytest.approx(max(parts), rel=1e-9)


def test_the_norm_is_linear_in_the_weights_and_zero_for_zeros_or_padding():
    weight, *rest = random_case(7)
    lower, upper = conv_norm(weight, *rest)
    tripled = conv_norm(-3 * weight, *rest)
    assert tripled == pytest.approx((3 * lower, 3 * upper), rel=1e-9)
    assert conv_norm(0 * weight, *rest) == (0, 0)
    lower, upper = conv_norm(torch.ones(1, 1, 1, 1), 3, 1, 1, 1)
    assert lower == 0 <= upper


def test_half_precision_and_float32_weights_are_taken_as_the_numbers_they_are():
    weight = normal(3, 2, 3, 3, seed=4)
    for kind in (torch.float32, torch.float16, torch.bfloat16):
        rounded = weight.to(kind)
        assert conv_norm(rounded, 1, 1, 1, 6) == conv_norm(rounded.double(), 1, 1, 1, 6)


def test_circular_padding_gives_the_singular_values_of_the_periodic_convolution():
    weight = normal(3, 2, 3, 3, seed=5)
    layer = convolution(weight, 2, 0, 1, 8)
    pixels = torch.eye(2 * 64, dtype=torch.float64).reshape(-1, 2, 8, 8)
    around = functional.pad(pixels, (0, 2, 0, 2), mode="circular")
    matrix = functional.conv2d(around, layer.weight, stride=2).reshape(2 * 64, -1).T
    exact = torch.linalg.svdvals(matrix).flip(0)
    found = circular_values(layer)
    assert len(found) == len(exact)
    torch.testing.assert_close(found, exact, rtol=1e-6, atol=1e-6)
    assert circular(layer) == pytest.approx(float(exact[-1]), rel=1e-10)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_the_printed_formula_is_too_small_by_the_stride(stride):
    """Exact with stride^-1: two routes to a number, neither through the other."""
    weight = normal(4, 2, 5, 5, seed=6)
    layer = convolution(weight, stride, 0, 1, 6 * stride)
    assert printed(layer) * stride == pytest.approx(circular(layer), rel=1e-10)
    assert estimates_of(layer)["printed-corrected"] == pytest.approx(
        circular(layer), rel=1e-10
    )


def test_two_estimates_are_bounds_and_two_are_not():
    below = {reshaped: 0, circular: 0}
    for number in range(100):
        layer = convolution(*random_case(number))
        exact = exact_norm(layer)
        assert singla_feizi(layer) >= exact * (1 - 1e-9)
        assert araujo(layer) >= exact * (1 - 1e-3)  # its maxima are on a grid
        for estimate in below:
            below[estimate] += estimate(layer) < 0.999 * exact
    assert min(below.values()) > 0


def test_the_estimate_of_torch_converges_to_the_reshaped_kernel():
    layer = torch.nn.Conv2d(3, 8, 3, bias=False)
    normed = torch.nn.utils.parametrizations.spectral_norm(
        layer, n_power_iterations=200
    )
    again = reshaped(convolution(normed.weight, 1, 1, 1, 8))
    assert again == pytest.approx(1, rel=1e-4)


def test_a_matrix_has_its_largest_singular_value_or_is_refused():
    for shape in ((7, 4), (4, 7), (1, 9)):
        weight = normal(*shape, seed=8)
        exact = float(torch.linalg.svdvals(weight.double()).max())
        lower, upper = linear_norm(weight)
        assert lower <= exact <= upper
        assert upper - lower <= 1e-10 * exact
    for weight in (torch.ones(3), torch.full((2, 2), torch.inf)):
        with pytest.raises(InputError):
            linear_norm(weight)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": torch.ones(2, 3, 3)}, r"shape \(2, 3, 3\)"),
        ({"weight": torch.ones(0, 1, 3, 3)}, "shape"),
        ({"weight": torch.full((2, 1, 3, 3), torch.nan)}, "NaN"),
        ({"groups": 3}, "groups 3"),
        ({"groups": 0}, "groups 0"),
        ({"stride": 0}, "stride 0"),
        ({"stride": (1, 2, 3)}, "stride"),
        ({"padding": -1}, "padding -1"),
        ({"padding": "reflect"}, "padding 'reflect'"),
        ({"padding": "same", "stride": 2}, "padding 'same'"),
        ({"input_size": 2.5}, "input_size 2.5"),
        ({"input_size": 1}, "smaller than the kernel"),
    ],
)
def test_what_is_no_layer_is_refused_in_one_line(change, message):
    good = {"weight": torch.ones(2, 1, 3, 3), "stride": 1, "padding": 0}
    good |= {"groups": 1, "input_size": 5}
    with pytest.raises(InputError, match=message) as caught:
        conv_norm(**good | change)
    assert "\n" not in str(caught.value)


@pytest.mark.gpu
def test_the_enclosure_is_the_same_on_a_gpu():
    case = random_case(3)
    there = conv_norm(case[0].cuda(), *case[1:])
    assert there == pytest.approx(conv_norm(*case), rel=1e-10)


def test_the_largest_singular_value_may_be_degenerate():
    weight = torch.zeros(2, 2, 1, 1)
    weight[0, 0] = weight[1, 1] = 2
    layer = convolution(weight, 1, 0, 1, 5)
    assert lanczos_bound(layer) == pytest.approx(2, rel=1e-10)
    assert torus_bound(layer) == pytest.approx(2, rel=1e-10)
