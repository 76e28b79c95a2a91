"""Cheaper numbers that stand for the norm of a convolution elsewhere.

None of them is what `conv_norm` returns: some are no bounds, the others are loose. The
tables show them beside the enclosure.
"""

from math import ceil, pi, sqrt

import torch
from torch import Tensor

from intriguing.spectra.convolution import Convolution
from intriguing.spectra.matrices import matrix_norm
from intriguing.spectra.torus import ENTRIES, half_of_the_frequencies, torus_norm

GRID = 64
"""Frequencies an axis on which Araujo's maximum is taken, for kernels of width 5."""


def circular(layer: Convolution) -> float:
    """Norm with circular padding at the true size (Sedghi, Gupta and Long 2019).

    No bound: zero padding reads the same weights at sizes that are no multiple of the
    stride in another way, and small images see less or more of them.
    """
    axes = zip(layer.size, layer.stride, strict=True)
    height, width = (ceil(n / s) for n, s in axes)
    return torus_norm(layer, (height, width), (False, False))


def reshaped(layer: Convolution) -> float:
    """Norm of the weights as a matrix, outputs against all else.

    `torch.nn.utils.parametrizations.spectral_norm` divides by an estimate of it.
    """
    return matrix_norm(layer.weight.flatten(1))


def singla_feizi(layer: Convolution) -> float:
    """Four reshaped kernels: an upper bound (Singla and Feizi 2021).

    The root of the kernel's area times the least norm of four ways to lay the kernel
    out as a matrix; the largest over the groups.
    """
    area = layer.weight.shape[2] * layer.weight.shape[3]
    layouts = [(0, (1, 2, 3)), (1, (0, 2, 3)), ((1, 2), (0, 3)), ((1, 3), (0, 2))]
    return max(
        sqrt(area) * min(_laid_out(kernel, *layout) for layout in layouts)
        for kernel in layer.group_weights
    )


def _laid_out(kernel: Tensor, rows: int | tuple, columns: tuple) -> float:
    rows = (rows,) if isinstance(rows, int) else rows
    height = torch.Size(kernel.shape[axis] for axis in rows).numel()
    return matrix_norm(kernel.permute(*rows, *columns).reshape(height, -1))


def araujo(layer: Convolution) -> float:
    """Bound of Toeplitz matrix theory (Araujo et al. 2021), its maxima on a grid.

    The root of the sum, over the channels of the smaller side, of the largest power
    that the channel's kernels have together at any frequency.
    """
    return max(_araujo(kernel) for kernel in layer.group_weights)


def _araujo(kernel: Tensor) -> float:
    kernel = kernel.transpose(0, 1) if len(kernel) > kernel.shape[1] else kernel
    # The power has twice the kernel's degree: so few frequencies hold all of it, and
    # its coefficients, filled up with zeros, give it on a finer grid.
    height, width = (2 * n - 1 for n in kernel.shape[2:])
    power = torch.fft.fft2(kernel, s=(height, width)).abs().square().sum(1)
    coefficients = torch.fft.fftshift(torch.fft.ifft2(power), dim=(1, 2))
    fine = max(GRID, 16 * max(kernel.shape[2:]))
    values = torch.fft.fft2(coefficients, s=(fine, fine)).abs()
    return float(values.flatten(1).amax(1).sum().sqrt())


def printed(layer: Convolution) -> float:
    """Norm by the formula of the paper's section 4.3, with its factor stride^-2.

    The kernel's transform at the frequencies that sampling folds into one, side by
    side. Frequencies are those of the image, without which the formula means nothing;
    where the strides differ their product stands for the square.
    """
    down, across = layer.stride
    axes = zip(layer.size, layer.stride, strict=True)
    height, width = (ceil(n / s) for n, s in axes)
    coarse = half_of_the_frequencies((height, width), (False, False))
    turns = torch.cartesian_prod(torch.arange(down), torch.arange(across))
    taps = torch.cartesian_prod(*(torch.arange(n) for n in layer.weight.shape[2:]))
    kernels = layer.group_weights.flatten(-2).to(torch.complex128)
    most, found = max(ENTRIES // (kernels[..., 0].numel() * len(turns)), 1), 0.0
    for some in coarse.split(most):
        fine = some[:, None] + 2 * pi * turns.reshape(1, -1, 2).double()
        fine = fine / torch.tensor(layer.stride)
        angles = (fine @ taps.reshape(-1, 2).double().T).to(kernels.device)
        waves = torch.polar(torch.ones_like(angles), -angles)
        transform = torch.einsum("flk,goik->fgoil", waves, kernels)
        found = max(found, matrix_norm(transform.flatten(-2)))
    return found / (down * across)


def printed_corrected(layer: Convolution) -> float:
    """The same with the factor stride^-1, with which the formula is exact."""
    return printed(layer) * sqrt(layer.stride[0] * layer.stride[1])
