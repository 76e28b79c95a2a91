"""Operator norms of layers (section 4.3 and Table 5 of the paper).

``conv_norm`` encloses the norm of a zero-padded convolution between two numbers that
both hold; ``linear_norm`` does so for a fully connected layer. `gains` has the layers
between them, pooling and contrast normalisation, and `estimates` the cheaper numbers
that others compute in their place, the paper's own formula among them.
"""

from math import prod

import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.errors import InputError
from intriguing.spectra.convolution import Pair, dense, describe
from intriguing.spectra.lanczos import norm_from_below
from intriguing.spectra.matrices import GUARD, matrix_norm
from intriguing.spectra.torus import norm_from_above

DENSE = 1600
"""Pixels, on the smaller side of a layer, up to which its matrix is written out."""

__all__ = ["conv_norm", "linear_norm"]


def conv_norm(
    weight: Float[Tensor, "outputs inputs height width"],
    stride: int | Pair,
    padding: int | Pair,
    groups: int,
    input_size: int | Pair,
) -> tuple[float, float]:
    """Return a certified enclosure of the norm of a zero-padded convolution.

    The lower end is the length that a unit image found by Lanczos is mapped to; the
    upper end is the norm of the convolution on a torus large enough to contain it, or,
    of small layers, of the matrix itself. Both allow for rounding in float64.

    Args:
        weight: As `torch.nn.Conv2d` has it: ``inputs`` counts those of one group.
        stride: One number, or one for height and one for width; so below.
        padding: Zeros on each side.
        groups: Of channels.
        input_size: Height and width of the image.

    Returns:
        Lower and upper end; their gap is well below one percent at usual sizes, and
        none but rounding for layers of up to `DENSE` inputs or outputs.

    Raises:
        InputError: The layer cannot exist as described, or has NaN weights.
    """
    layer = describe(weight, stride, padding, groups, input_size)
    upper = norm_from_above(layer)
    if min(prod(layer.input_shape), prod(layer.output_shape)) <= DENSE:
        upper = min(upper, matrix_norm(dense(layer)) * (1 + GUARD))
    return min(norm_from_below(layer), upper), upper


def linear_norm(weight: Float[Tensor, "outputs inputs"]) -> tuple[float, float]:
    """Return an enclosure of the largest singular value, up to rounding in float64.

    Raises:
        InputError: The weights are no matrix, or hold NaN.
    """
    if weight.dim() != 2 or not weight.numel():
        raise InputError(f"weights of shape {tuple(weight.shape)}: give a matrix")
    if not torch.isfinite(weight).all():
        raise InputError("weights hold NaN or infinite values; train the network again")
    norm = matrix_norm(weight.detach().double())
    return norm * (1 - GUARD), norm * (1 + GUARD)
