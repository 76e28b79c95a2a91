"""Convolutions on a torus: exact singular values there, and an upper bound here.

On a torus of ``cells`` steps of the stride an axis, a convolution is one small matrix a
frequency. Its columns are input channels times the places inside a step (the phases of
a strided kernel), so that the stride needs no further thought.

A zero-padded convolution is part of that on a torus: an image with zeros around it,
continued periodically, is read nowhere beyond the zeros if a period is at least the
image plus *one* padding, as the zeros on its left serve as those on its right. So the
torus bounds the norm. The same holds if the image is continued with its sign changed
from period to period. That moves the frequencies by half a step: where the largest
matrix sits at frequency zero, which an image with zeros around it cannot have, the
moved torus comes far nearer to the truth. The least of the four bounds is taken.
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
"""Complex numbers held at a time."""


def norm_from_above(layer: Convolution) -> float:
    """Return a number that the norm of the zero-padded convolution does not exceed."""
    axes = zip(layer.size, layer.padding, layer.stride, strict=True)
    height, width = (ceil((n + p) / s) for n, p, s in axes)
    least = inf
    # Both axes twisted is most often the best: the others then end early.
    for twist in product((True, False), repeat=2):
        least = min(least, torus_norm(layer, (height, width), twist, enough=least))
    return least * (1 + GUARD)


def torus_norm(
    layer: Convolution, cells: Pair, twist: tuple[bool, bool], enough: float = inf
) -> float:
    """Return the norm of the convolution on a torus.

    Args:
        layer: Its size and padding play no part.
        cells: Steps of the stride around the torus, down and across.
        twist: Whether the sign changes on each way around.
        enough: End, with a number that is at least this, once the norm must be.
    """
    largest = 0.0
    for part in symbols(layer, half_of_the_frequencies(cells, twist)):
        largest = max(largest, matrix_norm(part))
        if largest >= enough:
            break
    return largest


def circular_values(layer: Convolution) -> Float64[Tensor, " values"]:
    """Return all singular values with circular padding at the true size, ascending.

    A size that is no multiple of the stride is rounded up.
    """
    axes = zip(layer.size, layer.stride, strict=True)
    height, width = (ceil(n / s) for n, s in axes)
    parts = symbols(layer, all_frequencies((height, width)))
    return torch.cat([singular_values(part).flatten() for part in parts]).sort().values


def all_frequencies(
    cells: Pair, twist: tuple[bool, bool] = (False, False)
) -> Float64[Tensor, "frequencies 2"]:
    """Return the frequencies of a torus, in radians a step of the stride."""
    axes = [_axis(n, t) for n, t in zip(cells, twist, strict=True)]
    return torch.cartesian_prod(*axes)


def half_of_the_frequencies(
    cells: Pair, twist: tuple[bool, bool]
) -> Float64[Tensor, "frequencies 2"]:
    """Return enough of them: weights are real, so opposite ones have equal norms."""
    whole = all_frequencies(cells, twist)
    return whole[whole[:, 1] <= pi + 1e-9]


def _axis(cells: int, twisted: bool) -> Float64[Tensor, " cells"]:
    steps = torch.arange(cells, dtype=torch.float64)
    return 2 * pi / cells * (steps + 0.5 * twisted)


def symbols(
    layer: Convolution, frequencies: Float64[Tensor, "frequencies 2"]
) -> Iterator[Complex[Tensor, "part groups outputs columns"]]:
    """Yield the matrices of the frequencies, so many at a time as memory allows."""
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
    """Return the kernel cut into phases: tap ``stride * step + phase`` of each channel.

    ``columns`` are the inputs of a group times the phases down and across.
    """
    weight, (down, across) = layer.group_weights, layer.stride
    height, width = weight.shape[-2:]
    filled = functional.pad(weight, (0, -width % across, 0, -height % down))
    high, wide = filled.shape[-2] // down, filled.shape[-1] // across
    cut = filled.reshape(*weight.shape[:3], high, down, wide, across)
    return cut.permute(0, 1, 2, 4, 6, 3, 5).flatten(2, 4)
