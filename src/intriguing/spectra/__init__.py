"""Operator norms and Lipschitz constants of layers (section 4.3, Table 5).

`conv_norm` and `linear_norm` return certified enclosures of operator norms. In reading
order: `convolution` has the layer as a linear map, `lanczos` its lower and `torus` its
upper bound, `lipschitz` the constants of layers between them, `estimates` the cheaper
numbers that others compute, the paper's formula among them, `layers` all layers of a
network, and `table` the rows of Table 5.
"""

from math import inf, nextafter, prod, sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.errors import InputError
from intriguing.spectra.convolution import Size, convolution, gram_matrix
from intriguing.spectra.lanczos import lanczos_bound
from intriguing.spectra.matrices import GUARD, matrix_norm
from intriguing.spectra.torus import torus_bound

DENSE = 1600
"""Inputs or outputs up to which the matrix of a convolution is written out."""

__all__ = ["conv_norm", "linear_norm"]


def conv_norm(
    weight: Float[Tensor, "outputs inputs height width"],
    stride: int | Size,
    padding: int | Size | str,
    groups: int,
    input_size: int | Size,
    *,
    dilation: int | Size = 1,
) -> tuple[float, float]:
    """Return a certified enclosure of the operator norm of a zero-padded convolution.

    The lower end is attained by an image that Lanczos iteration finds. The upper end is
    the norm on a torus that contains the padded image, or for small layers that of the
    matrix itself. Both allow for rounding in float64.

    Args:
        weight: As in `torch.nn.Conv2d`; ``inputs`` counts the channels of one group.
        stride: One number, or one for height and one for width; so below.
        padding: Zeros on each side, or ``same`` or ``valid`` as in torch.
        groups: Number of groups of channels.
        input_size: Height and width of the image.
        dilation: Step between the taps of the kernel.

    Returns:
        Lower and upper end. Their relative gap is well below one percent at usual
        sizes, and only rounding for layers of up to `DENSE` inputs or outputs.

    Raises:
        InputError: There is no such layer, or a weight is not finite.
    """
    layer = convolution(weight, stride, padding, groups, input_size, dilation)
    scale = float(layer.weight.abs().max())
    if scale == 0:
        return 0.0, 0.0
    layer = layer._replace(weight=layer.weight / scale)  # squares stay representable
    upper = torus_bound(layer)
    if min(prod(layer.input_shape), prod(layer.output_shape)) <= DENSE:
        largest = float(torch.linalg.eigvalsh(gram_matrix(layer))[-1])
        upper = min(upper, sqrt(max(largest, 0.0)) * (1 + GUARD))
    return scaled(min(lanczos_bound(layer), upper), upper, scale)


def scaled(lower: float, upper: float, scale: float) -> tuple[float, float]:
    """Return an enclosure times a scale, rounded outwards; nothing rounds a zero."""
    if upper == 0:
        return 0.0, 0.0
    return nextafter(lower * scale, 0), nextafter(upper * scale, inf)


def linear_norm(weight: Float[Tensor, "outputs inputs"]) -> tuple[float, float]:
    """Return an enclosure of the largest singular value, allowing for rounding.

    Raises:
        InputError: The weights are no matrix, or not finite.
    """
    if weight.dim() != 2 or not weight.numel():
        raise InputError(f"weights of shape {tuple(weight.shape)}: give a matrix")
    if not torch.isfinite(weight).all():
        raise InputError("weights hold NaN or infinite values; train the network again")
    matrix = weight.detach().double()
    scale = float(matrix.abs().max())
    if scale == 0:
        return 0.0, 0.0
    norm = matrix_norm(matrix / scale)
    return scaled(norm * (1 - GUARD), norm * (1 + GUARD), scale)
