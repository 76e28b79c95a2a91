"""Lipschitz constants of layers that are not convolutions, for the L2 norm.

The paper takes the constant of pooling to be 1. It is larger where windows overlap.
"""

from math import ceil, prod, sqrt

import torch
from torch import nn

from intriguing.errors import InputError
from intriguing.models.architecture import Standardise
from intriguing.spectra.convolution import Size
from intriguing.spectra.matrices import GUARD, matrix_norm

DENSE_PIXELS = 2500
"""Pixels up to which the matrix of average pooling is written out."""
NONEXPANSIVE = (
    *(nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.Tanh, nn.LogSigmoid, nn.Identity),
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Flatten, nn.Unflatten),
)
"""Layers that move no two inputs apart, in evaluation mode."""
LARGEST_DERIVATIVE = {
    nn.Sigmoid: (0.25, 0.25),
    nn.SiLU: (1.0998, 1.0999),
    nn.GELU: (1.1289, 1.1290),
}
"""Of functions of single values, rounded down and up."""


def lipschitz_bounds(layer: nn.Module, input_size: Size) -> tuple[float, float]:
    """Return an enclosure of the constant of a layer that is no convolution or matrix.

    Raises:
        InputError: The constant is not known; the message says why.
    """
    kind = type(layer)
    if kind in NONEXPANSIVE:
        return 1.0, 1.0
    if kind in LARGEST_DERIVATIVE:
        return LARGEST_DERIVATIVE[kind]
    if type(layer) is nn.LeakyReLU:
        slope = max(1.0, abs(layer.negative_slope))
        return slope, slope
    if type(layer) is nn.ELU:
        slope = max(1.0, abs(layer.alpha))
        return slope, slope
    if type(layer) is nn.Softplus and layer.threshold >= 20:
        return 1.0, 1.0 + 1e-8  # it jumps where it goes over to the identity
    if type(layer) is nn.LocalResponseNorm:
        return contrast_lipschitz(layer.size, layer.beta, layer.k)
    if type(layer) is nn.BatchNorm1d or type(layer) is nn.BatchNorm2d:
        return batch_norm_lipschitz(layer)
    if type(layer) is Standardise:
        return guarded(float((1 / layer.deviation.double()).abs().max()))
    if type(layer) is nn.MaxPool2d and layer.dilation == 1:
        window = layer.kernel_size, layer.stride, layer.padding
        constant = max_pool_lipschitz(*window, input_size, layer.ceil_mode)
        return constant, constant
    if kind in (nn.AvgPool2d, nn.AdaptiveAvgPool2d):
        return average_pool_norm(layer, input_size)
    raise InputError(f"no constant is known of {kind.__name__}")


def guarded(constant: float) -> tuple[float, float]:
    """Return an enclosure of a constant that is known up to rounding."""
    return constant * (1 - GUARD), constant * (1 + GUARD)


def batch_norm_lipschitz(layer: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[float, float]:
    """Return an enclosure of the constant of batch normalisation.

    Raises:
        InputError: There are no stored statistics, or they are not finite.
    """
    if layer.running_var is None:
        raise InputError("no stored statistics: the output depends on the batch")
    scale = (layer.running_var.double() + layer.eps).rsqrt()
    if layer.weight is not None:
        scale = scale * layer.weight.detach().double()
    if not torch.isfinite(scale).all():
        raise InputError("weights or statistics hold NaN or infinite values")
    return guarded(float(scale.abs().max()))


def max_pool_lipschitz(
    kernel: int | Size,
    stride: int | Size,
    padding: int | Size,
    input_size: Size,
    ceil_mode: bool = False,
) -> float:
    """Return the Lipschitz constant of max-pooling: sqrt(m) for overlap m.

    The overlap is the largest number of windows that share a pixel. An output changes
    by at most the change of one pixel of its window, and each pixel counts for at most
    m outputs. A single bright pixel attains the bound. So 3x3 windows with stride 2
    have constant 2, and 2x2 windows with stride 2 have constant 1.

    Args:
        kernel: Size of the window, one number or height and width; so below.
        stride: Step between windows.
        padding: Pixels around the image that are never the maximum.
        input_size: Height and width of the image.
        ceil_mode: Whether windows may extend beyond the far edge, as in torch.

    Raises:
        InputError: The window is larger than the padded image.
    """
    given = (kernel, stride, padding)
    pairs = [(one, one) if isinstance(one, int) else one for one in given]
    overlap = 1
    for n, k, s, p in zip(input_size, *pairs, strict=True):
        room = n + 2 * p - k
        if room < 0 and not ceil_mode:
            raise InputError(f"input_size {input_size}: smaller than the window {k}")
        windows = (ceil(room / s) if ceil_mode else room // s) + 1
        starts = [s * i - p for i in range(windows) if s * i - p < n]
        overlap *= max(sum(a <= x < a + k for a in starts) for x in range(n))
    return sqrt(overlap)


def average_pool_norm(pool: nn.Module, input_size: Size) -> tuple[float, float]:
    """Return an enclosure of the norm of average pooling, a linear map of each channel.

    Above `DENSE_PIXELS` the upper end is the root of the largest row sum times the
    largest column sum, and the lower end the gain of a constant image. Both are the
    norm where windows do not overlap.

    Args:
        pool: `torch.nn.AvgPool2d` or `torch.nn.AdaptiveAvgPool2d`.
        input_size: Height and width of the image.
    """
    if prod(input_size) <= DENSE_PIXELS:
        pixels = torch.eye(prod(input_size), dtype=torch.float64)
        return guarded(matrix_norm(pool(pixels.reshape(-1, 1, *input_size)).flatten(1)))
    ones = torch.ones(1, 1, *input_size, dtype=torch.float64, requires_grad=True)
    rows = pool(ones)
    (columns,) = torch.autograd.grad(rows.sum(), ones)
    gain = float(rows.detach().norm() / ones.detach().norm())
    largest = sqrt(float(rows.detach().max() * columns.max()))
    return gain * (1 - GUARD), largest * (1 + GUARD)


def contrast_lipschitz(
    window: int, exponent: float, offset: float
) -> tuple[float, float]:
    """Return bounds of the Lipschitz constant of normalisation across channels.

    An output is ``x / (offset + a * sum of x^2 over the window)^exponent``. Its
    Jacobian at zero is ``offset^-exponent`` times the identity, which is the lower
    bound. The paper proves that it is also the upper one for a window of all channels.
    For windows that differ between channels we know of no proof, and a search found no
    larger Jacobian. The upper bound adds Schur's test of the other terms of the
    Jacobian to its diagonal, at most ``offset^-exponent``. The scale ``a`` cancels.

    Args:
        window: Number of channels, odd.
        exponent: The paper's gamma, in [1/2, 1].
        offset: The paper's epsilon, above 0.

    Raises:
        InputError: A number is out of its range.
    """
    if window < 1 or window % 2 == 0:
        raise InputError(f"window {window}: give an odd number of channels")
    if not (0.5 <= exponent <= 1 and offset > 0):
        raise InputError(
            f"exponent {exponent}, offset {offset}: give one in [1/2, 1], one above 0"
        )
    at_zero = offset**-exponent
    # An entry is at most exponent * s / (1 + s)^(1 + exponent), where s is a sum of two
    # squares over the offset. It is largest at s = 1 / exponent. The entries of a row
    # share one such sum; each entry of a column has its own.
    entry = (1 + 1 / exponent) ** -(1 + exponent)
    row, column = entry * sqrt(window - 1), entry * (window - 1)
    return at_zero, at_zero * (1 + sqrt(row * column)) * (1 + GUARD)
