"""A zero-padded convolution as a linear map between images, and its adjoint."""

from math import prod
from numbers import Integral
from typing import Any, NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn import functional

from intriguing.errors import InputError
from intriguing.spectra.matrices import checked_weight

Pair = tuple[int, int]
GRAM_VALUES = 2**24
"""Values held while a Gram matrix is made, a few times over."""
Size = tuple[int, ...]
"""Height and width; other lengths are refused."""


class Convolution(NamedTuple):
    """A zero-padded convolution of images of one size.

    Attributes:
        weight: In float64; ``inputs`` counts the channels of one group.
        stride: Vertical and horizontal.
        padding: Zeros above and below, and on the left and right.
        groups: Number of groups of channels.
        size: Height and width of the input.
    """

    weight: Float64[Tensor, "outputs inputs height width"]
    stride: Pair
    padding: Pair
    groups: int
    size: Pair

    @property
    def output_size(self) -> Pair:
        """Height and width of the output."""
        kernel = self.weight.shape[2:]
        axes = zip(self.size, kernel, self.stride, self.padding, strict=True)
        height, width = ((n + 2 * p - k) // s + 1 for n, k, s, p in axes)
        return height, width

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the input."""
        return self.weight.shape[1] * self.groups, *self.size

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the output."""
        return len(self.weight), *self.output_size

    @property
    def group_weights(self) -> Float64[Tensor, "groups outputs inputs height width"]:
        """Weights of each group; the norm is the largest of those of the groups."""
        return self.weight.reshape(self.groups, -1, *self.weight.shape[1:])


def convolution(
    weight: Tensor,
    stride: Any,
    padding: Any,
    groups: int,
    input_size: Any,
    dilation: Any = 1,
) -> Convolution:
    """Return the convolution with the arguments of `intriguing.spectra.conv_norm`.

    Raises:
        InputError: An argument is wrong; the message names it.
    """
    taps = checked_weight(weight, ("outputs", "inputs of a group", "height", "width"))
    if not isinstance(groups, Integral) or groups < 1 or len(taps) % groups:
        raise InputError(f"groups {groups!r}: must divide the {len(taps)} outputs")
    steps, size = _pair("stride", stride, 1), _pair("input_size", input_size, 1)
    kernel = dilated(taps, _pair("dilation", dilation, 1))
    if padding == "same":
        if steps != (1, 1):
            raise InputError(f"padding 'same': needs stride 1, not {steps}")
        kernel = functional.pad(kernel, _to_odd_size(kernel))
        padding = (kernel.shape[2] // 2, kernel.shape[3] // 2)
    pair = _pair("padding", 0 if padding == "valid" else padding, 0)
    layer = Convolution(kernel, steps, pair, int(groups), size)
    if min(layer.output_size) < 1:
        raise InputError(
            f"input_size {size} with padding {layer.padding}: smaller than the kernel "
            f"{tuple(kernel.shape[2:])}"
        )
    return layer


def dilated(
    weight: Float64[Tensor, "o i h w"], dilation: Pair
) -> Float64[Tensor, "o i h2 w2"]:
    """Return the kernel with zeros between its taps."""
    sizes = zip(weight.shape[2:], dilation, strict=True)
    height, width = ((k - 1) * d + 1 for k, d in sizes)
    kernel = weight.new_zeros(*weight.shape[:2], height, width)
    kernel[:, :, :: dilation[0], :: dilation[1]] = weight
    return kernel


def _to_odd_size(kernel: Tensor) -> tuple[int, int, int, int]:
    """Return zeros that make torch's one-sided "same" padding a symmetric one."""
    down, across = (1 - k % 2 for k in kernel.shape[2:])
    return across, 0, down, 0


def _pair(name: str, given: Any, least: int) -> Pair:
    pair = (given, given) if isinstance(given, Integral) else given
    whole = isinstance(pair, tuple | list) and all(
        isinstance(n, Integral) for n in pair
    )
    if not whole or len(pair) != 2 or min(pair) < least:
        raise InputError(
            f"{name} {given!r}: give a whole number from {least} up, or two"
        )
    return int(pair[0]), int(pair[1])


def apply(
    layer: Convolution, images: Float64[Tensor, "n c h w"]
) -> Float64[Tensor, "n c2 h2 w2"]:
    """Return the outputs of the layer, without bias."""
    return functional.conv2d(
        images, layer.weight, None, layer.stride, layer.padding, 1, layer.groups
    )


def apply_adjoint(
    layer: Convolution, images: Float64[Tensor, "n c h w"]
) -> Float64[Tensor, "n c2 h2 w2"]:
    """Return the adjoint of the layer applied to images of the size of its output."""
    # The windows may leave rows at the far edge unread. Their number fixes the size of
    # the transposed convolution.
    kernel, out = layer.weight.shape[2:], layer.output_size
    axes = zip(layer.size, kernel, layer.stride, layer.padding, out, strict=True)
    unread = [n + 2 * p - k - (m - 1) * s for n, k, s, p, m in axes]
    return functional.conv_transpose2d(
        images, layer.weight, None, layer.stride, layer.padding, unread, layer.groups
    )


def gram_matrix(layer: Convolution) -> Float64[Tensor, "k k"]:
    """Return the Gram matrix of the layer on the smaller of its two sides."""
    shapes = layer.input_shape, layer.output_shape
    is_tall = prod(shapes[0]) <= prod(shapes[1])
    shape, first, second = (
        (shapes[0], apply, apply_adjoint)
        if is_tall
        else (shapes[1], apply_adjoint, apply)
    )
    weight, size = layer.weight, prod(shape)
    basis = torch.eye(size, dtype=weight.dtype, device=weight.device)
    rows = max(1, GRAM_VALUES // max(prod(shapes[0]), prod(shapes[1])))
    parts = (
        second(layer, first(layer, part))
        for part in basis.reshape(-1, *shape).split(rows)
    )
    return torch.cat([part.flatten(1) for part in parts])
