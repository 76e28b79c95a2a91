"""Principal components of images or activations."""

import torch
from jaxtyping import Float
from torch import Tensor


def principal_components(
    values: Float[Tensor, "n d"],
) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"]]:
    """Return variances, in descending order, and unit vectors, the columns.

    They are computed in float64 and returned in the type of the values.
    """
    centred = (values - values.mean(0)).double()
    variances, axes = torch.linalg.eigh(centred.T @ centred / len(values))
    return variances.flip(0).to(values.dtype), axes.flip(1).to(values.dtype)


def leading_components(
    values: Float[Tensor, "n d"], share: float
) -> Float[Tensor, "d k"]:
    """Return the fewest principal components that hold a share of the variance."""
    variances, axes = principal_components(values)
    held = variances.double().cumsum(0) / variances.double().sum()
    return axes[:, : int((held < share).sum()) + 1].contiguous()
