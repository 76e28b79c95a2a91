"""Cheaper numbers that other work uses for the norm of a convolution.

`conv_norm` encloses the norm itself. Of these numbers some are no bounds and the others
are loose. The tables show them beside the enclosure.
"""

from math import ceil, pi, prod, sqrt

import torch
from torch import Tensor

from intriguing.spectra.convolution import Convolution
from intriguing.spectra.matrices import matrix_norm
from intriguing.spectra.torus import ENTRIES, half_of_the_frequencies

GRID = 64
"""Frequencies along an axis for Araujo's maximum, with kernels of width up to 4."""


def estimates_of(layer: Convolution) -> dict[str, float]:
    """Return every estimate of the norm of a convolution, by its column in Table 5."""
    formula = printed(layer)
    return {
        "reshaped": reshaped(layer),
        "singla-feizi": singla_feizi(layer),
        "araujo": araujo(layer),
        "printed": formula,
        "printed-corrected": formula * sqrt(prod(layer.stride)),
    }


def reshaped(layer: Convolution) -> float:
    """Return the norm of the weights as a matrix, outputs against all other axes.

    `torch.nn.utils.parametrizations.spectral_norm` divides by an estimate of it.
    """
    return matrix_norm(layer.weight.flatten(1))


def singla_feizi(layer: Convolution) -> float:
    """Return the upper bound of Singla and Feizi (2021).

    It is the square root of the kernel's area times the smallest norm of four matrices
    with the entries of the kernel; of groups, the largest such number.
    """
    area = layer.weight.shape[2] * layer.weight.shape[3]
    layouts = ((0, 1, 2, 3), 1), ((1, 0, 2, 3), 1), ((1, 2, 0, 3), 2), ((1, 3, 0, 2), 2)
    return max(
        sqrt(area)
        * min(
            matrix_norm(kernel.permute(axes).flatten(rows).flatten(0, rows - 1))
            for axes, rows in layouts
        )
        for kernel in layer.group_weights
    )


def araujo(layer: Convolution) -> float:
    """Return the bound of Araujo et al. (2021), with its maxima taken on a grid.

    It is the square root of a sum over the channels of the smaller side. The term of a
    channel is the largest value, over frequencies, of the summed squared moduli of the
    transforms of its kernels.
    """
    return max(_araujo(kernel) for kernel in layer.group_weights)


def _araujo(kernel: Tensor) -> float:
    kernel = kernel.transpose(0, 1) if len(kernel) > kernel.shape[1] else kernel
    # The squared modulus is a trigonometric polynomial of twice the kernel's degree. A
    # small transform gives its coefficients, and zero-padding a finer grid.
    height, width = (2 * n - 1 for n in kernel.shape[2:])
    power = torch.fft.fft2(kernel, s=(height, width)).abs().square().sum(1)
    coefficients = torch.fft.fftshift(torch.fft.ifft2(power), dim=(1, 2))
    fine = max(GRID, 16 * max(kernel.shape[2:]))
    values = torch.fft.fft2(coefficients, s=(fine, fine)).abs()
    return float(values.flatten(1).amax(1).sum().sqrt())


def printed(layer: Convolution) -> float:
    """Return the norm by the formula of the paper's section 4.3.

    At each frequency of the output, the formula lays the kernel's transforms at the
    aliased frequencies of the input side by side. The paper prints the factor
    stride^-2; with stride^-1 the formula is exact for circular padding. The product of
    both strides stands for stride^2.
    """
    down, across = layer.stride
    axes = zip(layer.size, layer.stride, strict=True)
    height, width = (ceil(n / s) for n, s in axes)
    coarse = half_of_the_frequencies((height, width), (False, False))
    aliases = torch.cartesian_prod(torch.arange(down), torch.arange(across))
    taps = torch.cartesian_prod(*(torch.arange(n) for n in layer.weight.shape[2:]))
    kernels = layer.group_weights.flatten(-2).to(torch.complex128)
    most = max(ENTRIES // (kernels[..., 0].numel() * len(aliases)), 1)
    largest = 0.0
    for some in coarse.split(most):
        fine = some[:, None] + 2 * pi * aliases.reshape(1, -1, 2).double()
        fine = fine / torch.tensor(layer.stride)
        angles = (fine @ taps.reshape(-1, 2).double().T).to(kernels.device)
        waves = torch.polar(torch.ones_like(angles), -angles)
        transform = torch.einsum("flk,goik->fgoil", waves, kernels)
        largest = max(largest, matrix_norm(transform.flatten(-2)))
    return largest / (down * across)
