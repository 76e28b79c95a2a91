"""Convolutions on a torus: exact singular values, and a bound for zero padding.

Take a torus of ``cells`` strides along each axis. There a convolution is block diagonal
in the Fourier basis, with one small matrix for each frequency. The columns of a matrix
are the input channels times the offsets within a stride (the phases of the kernel).

A zero-padded convolution is a restriction of a convolution on a torus: the image is
surrounded by zeros and continued periodically. The period must be at least the image
plus *one* padding, as the zeros on the left also serve as those on the right. So the
norm on the torus is an upper bound. The same holds if the image changes its sign from
period to period, which shifts the frequencies by half a step. Often the largest matrix
is at frequency zero, which no image surrounded by zeros has alone; the shifted torus is
then much closer. `torus_bound` takes the smallest of the four bounds.
"""

from collections.abc import Iterator
from itertools import product
from math import ceil, inf, pi

import torch
from jaxtyping import Complex, Float64
from torch import Tensor
from torch.nn import functional

from intriguing.spectra.convolution import Convolution, Pair
from intriguing.spectra.matrices import GUARD, matrix_norm, singular_values

ENTRIES = 2**22
"""Complex numbers in memory at a time."""


def torus_bound(layer: Convolution) -> float:
    """Return an upper bound of the norm of the zero-padded convolution."""
    axes = zip(layer.size, layer.padding, layer.stride, strict=True)
    height, width = (ceil((n + p) / s) for n, p, s in axes)
    least = inf
    # Twisting both axes is usually best: the other norms then stop early.
    for twist in product((True, False), (True, False)):
        least = min(least, torus_norm(layer, (height, width), twist, enough=least))
    return least * (1 + GUARD)


def torus_norm(
    layer: Convolution, cells: Pair, twist: tuple[bool, bool], enough: float = inf
) -> float:
    """Return the norm of the convolution on a torus.

    Args:
        layer: Its size and padding are not used.
        cells: Period of the torus in strides, vertical and horizontal.
        twist: Whether the sign changes after a period, along each axis.
        enough: Stop, with a number of at least this, once the norm is known to be.
    """
    largest = 0.0
    frequencies = half_of_the_frequencies(cells, twist)
    if all(k <= s for k, s in zip(layer.weight.shape[2:], layer.stride, strict=True)):
        frequencies = frequencies[:1]  # one step of the kernel: all norms are equal
    for part in symbols(layer, frequencies):
        largest = max(largest, matrix_norm(part))
        if largest >= enough:
            break
    return largest


def circular_values(layer: Convolution) -> Float64[Tensor, " values"]:
    """Return all singular values with circular padding, ascending.

    The size of the image is rounded up to a multiple of the stride. The largest value
    is the norm of Sedghi, Gupta and Long (2019), which is no bound for zero padding.
    """
    axes = zip(layer.size, layer.stride, strict=True)
    height, width = (ceil(n / s) for n, s in axes)
    parts = symbols(layer, all_frequencies((height, width)))
    return torch.cat([singular_values(part).flatten() for part in parts]).sort().values


def all_frequencies(
    cells: Pair, twist: tuple[bool, bool] = (False, False)
) -> Float64[Tensor, "frequencies 2"]:
    """Return the frequencies of a torus, in radians per stride."""
    axes = [_axis(n, t) for n, t in zip(cells, twist, strict=True)]
    return torch.cartesian_prod(*axes)


def half_of_the_frequencies(
    cells: Pair, twist: tuple[bool, bool]
) -> Float64[Tensor, "frequencies 2"]:
    """Return frequencies of which one of each pair of opposite ones is left out.

    The weights are real, so the matrices of opposite frequencies have the same norm.
    """
    whole = all_frequencies(cells, twist)
    return whole[whole[:, 1] <= pi + 1e-9]


def _axis(cells: int, twisted: bool) -> Float64[Tensor, " cells"]:
    steps = torch.arange(cells, dtype=torch.float64)
    return 2 * pi / cells * (steps + 0.5 * twisted)


def symbols(
    layer: Convolution, frequencies: Float64[Tensor, "frequencies 2"]
) -> Iterator[Complex[Tensor, "part groups outputs columns"]]:
    """Yield the matrices of the frequencies, in batches of at most `ENTRIES`."""
    phases = polyphase(layer)
    groups, outputs, columns = phases.shape[:3]
    taps = torch.cartesian_prod(*(torch.arange(n) for n in phases.shape[3:])).double()
    flat = phases.reshape(-1, len(taps)).T.to(torch.complex128)
    most = max(ENTRIES // flat.shape[1], 1)
    for some in frequencies.split(most):
        angles = (some @ taps.reshape(-1, 2).T).to(flat.device)
        waves = torch.polar(torch.ones_like(angles), -angles)
        yield (waves @ flat).reshape(-1, groups, outputs, columns)


def polyphase(
    layer: Convolution,
) -> Float64[Tensor, "groups outputs columns steps_down steps_across"]:
    """Return the phases of the kernel: its taps ``stride * step + phase``.

    ``columns`` are the inputs of a group times the vertical and horizontal phases.
    """
    weight, (down, across) = layer.group_weights, layer.stride
    height, width = weight.shape[-2:]
    filled = functional.pad(weight, (0, -width % across, 0, -height % down))
    high, wide = filled.shape[-2] // down, filled.shape[-1] // across
    cut = filled.reshape(*weight.shape[:3], high, down, wide, across)
    return cut.permute(0, 1, 2, 4, 6, 3, 5).flatten(2, 4)
