"""The smallest perturbation of a linear classifier, exactly: a reference for attacks.

For one target class it is the projection of the image on the intersection of the box
with half-spaces: in each, the target's logit is at least that of one competing class.
The dual has one multiplier for each half-space. Any multipliers give a lower bound of
the distance; the best ones give the distance itself. SciPy solves the dual in float64.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.optimize import minimize
from torch import Tensor, nn

from intriguing.errors import InputError
from intriguing.models.perceptron import linear_layers

FEASIBLE = 1e-6
"""Largest violation in logits at which a class counts as reachable in the box."""


class LinearOptima(NamedTuple):
    """Exact optima in float64, of one image or of several along the first axis.

    Attributes:
        image: Nearest point at which a target class at least ties; NaN if none does.
        length: Its L2 distance from the clean image, infinite if there is none.
        lower: Lower bound of the distance, from the dual.
        violation: Largest violation of a constraint by ``image``, in logits.
    """

    image: Float[Tensor, "..."]
    length: Float[Tensor, "*n"]
    lower: Float[Tensor, "*n"]
    violation: Float[Tensor, "*n"]


def float64(*values: object) -> list[Tensor]:
    """Return arrays and numbers as float64 tensors."""
    return [torch.as_tensor(value, dtype=torch.float64) for value in values]


def linear_optima(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
) -> LinearOptima:
    """Return the smallest perturbation of each image that reaches a target class.

    The relative duality gap ``1 - lower / length`` proves each optimum.

    Args:
        model: Network of one linear layer, and flattening.
        images: Clean images, in [0, 1].
        target_mask: Classes that count as success.

    Raises:
        InputError: The network is not linear.
    """
    layers = [part for part in model.modules() if not list(part.children())]
    linear = linear_layers(model)
    if len(linear) != 1 or any(type(x) not in (nn.Linear, nn.Flatten) for x in layers):
        raise InputError("exact optima are for networks of a single linear layer")
    weight = linear[0].weight.detach().double().cpu().numpy()
    bias = np.zeros(len(weight))
    if linear[0].bias is not None:
        bias = linear[0].bias.detach().double().cpu().numpy()
    flat = images.flatten(1).double().cpu().numpy()
    rows = zip(flat, target_mask.cpu().numpy(), strict=True)
    optima = [nearest_target(weight, bias, clean, mask) for clean, mask in rows]
    image, *numbers = map(torch.stack, zip(*optima, strict=True))
    return LinearOptima(image.reshape(images.shape), *numbers)


def nearest_target(
    weight: np.ndarray, bias: np.ndarray, clean: np.ndarray, target_mask: np.ndarray
) -> LinearOptima:
    """Return the nearest point at which any target class at least ties."""
    best = LinearOptima(*float64(np.full_like(clean, np.nan), np.inf, np.inf, np.inf))
    lower = best.lower
    for target in np.flatnonzero(target_mask):
        normals = weight[target] - weight[~target_mask]
        offsets = bias[~target_mask] - bias[target]
        found = project(normals, offsets, clean)
        if found.violation <= FEASIBLE:
            lower = min(lower, found.lower)
            best = min(best, found, key=lambda one: one.length)
    return best._replace(lower=lower)


def project(
    normals: np.ndarray, offsets: np.ndarray, clean: np.ndarray
) -> LinearOptima:
    """Project an image on the half-spaces ``normals @ x >= offsets`` and the box."""

    def negative_dual(multiplier: np.ndarray) -> tuple[float, np.ndarray]:
        point = np.clip(clean + multiplier @ normals, 0, 1)
        violation = offsets - normals @ point
        value = 0.5 * np.square(point - clean).sum() + multiplier @ violation
        return -value, -violation

    dual = minimize(
        negative_dual,
        np.zeros(len(normals)),
        jac=True,
        bounds=[(0, None)] * len(normals),
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 20000, "ftol": 1e-16, "gtol": 1e-10},
    )
    point = np.clip(clean + dual.x @ normals, 0, 1)
    length = np.linalg.norm(point - clean)
    lower = np.sqrt(max(0.0, -2 * dual.fun))
    violation = (offsets - normals @ point).max()
    return LinearOptima(*float64(point, length, lower, violation))
