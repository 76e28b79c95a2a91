"""Gains of the layers that are no convolution: how far apart they can push two images.

The gain of a layer is its Lipschitz constant for Euclidean lengths. The paper takes
pooling to have gain 1; where windows overlap that is not so.
"""

from math import ceil, prod, sqrt

import torch
from torch import nn

from intriguing.errors import InputError
from intriguing.spectra.convolution import Pair
from intriguing.spectra.matrices import GUARD, matrix_norm


def max_pool_gain(
    kernel: int | Pair,
    stride: int | Pair,
    padding: int | Pair,
    input_size: Pair,
    ceil_mode: bool = False,
) -> float:
    """Return the gain of max-pooling: the root of the most windows that share a pixel.

    Two outputs differ by at most what the inputs differ by at some pixel of the window,
    and a pixel can be that one for all windows it is in, but for no other. A single
    bright pixel shows that the gain is reached: 3x3 windows in steps of 2 have gain 2,
    2x2 windows in steps of 2 have gain 1.

    Args:
        kernel: Window, one number or height and width; so below.
        stride: Step between windows.
        padding: Pixels around the image that are never the largest.
        input_size: Height and width of the image.
        ceil_mode: Whether windows may reach over the far edge, as in torch.
    """
    given = (kernel, stride, padding)
    pairs = [(one, one) if isinstance(one, int) else one for one in given]
    shared = 1
    for n, k, s, p in zip(input_size, *pairs, strict=True):
        room = n + 2 * p - k
        if room < 0 and not ceil_mode:
            raise InputError(f"input_size {input_size}: smaller than the window {k}")
        windows = (ceil(room / s) if ceil_mode else room // s) + 1
        starts = [s * i - p for i in range(windows) if s * i - p < n]
        shared *= max(sum(a <= x < a + k for a in starts) for x in range(n))
    return sqrt(shared)


def linear_pool_gain(pool: nn.Module, input_size: Pair) -> float:
    """Return the norm of pooling by averages, which is linear and acts on each channel.

    Args:
        pool: `torch.nn.AvgPool2d` or `torch.nn.AdaptiveAvgPool2d`.
        input_size: Height and width of the image.
    """
    pixels = torch.eye(prod(input_size), dtype=torch.float64)
    return matrix_norm(pool(pixels.reshape(-1, 1, *input_size)).flatten(1))


def contrast_gain(window: int, exponent: float, offset: float) -> tuple[float, float]:
    """Return bounds of the gain of local contrast normalisation across channels.

    An output is ``x / (offset + a * sum of x^2 over the window)^exponent``. At zero its
    Jacobian is ``offset^-exponent`` times the identity: so much is reached, and it is
    what the paper proves for a window of all channels. Where windows differ between
    channels we know of no proof that no point has more (no search found one), and the
    upper end adds to the diagonal of the Jacobian, at most ``offset^-exponent``, what
    the rest of it can be by Schur's test. The scale ``a`` plays no part.

    Args:
        window: Channels in it, an odd number.
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
    reached = offset**-exponent
    # Entries are at most exponent * s / (1 + s)^(1 + exponent), s a sum of two squares
    # over the offset, which is largest at s = 1 / exponent; a row shares one such sum
    # among its entries, a column has one for each.
    entry = (1 + 1 / exponent) ** -(1 + exponent)
    row, column = entry * sqrt(window - 1), entry * (window - 1)
    return reached, reached * (1 + sqrt(row * column)) * (1 + GUARD)
