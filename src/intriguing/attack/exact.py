"""The smallest perturbation of a linear classifier, exactly: an oracle for attacks.

For a linear network a targeted attack is a projection: of the image, on up to nine
half-spaces (the goal's logit exceeds each rival's) and the box. Its dual has one
multiplier for each half-space; any multipliers give a lower bound of the distance, and
the best ones the distance itself. All is computed in float64, by SciPy.
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
"""Largest shortfall in logits at which a class counts as within reach of the box."""


class Exact(NamedTuple):
    """Exact optima, one row an image, in float64.

    Attributes:
        image: Nearest points where a wanted class at least ties; NaN if none does.
        length: Their L2 distances from the clean images, infinite if there is none.
        lower: What the dual proves: no perturbation is shorter.
        shortfall: Largest violation of a constraint by ``image``, in logits.
    """

    image: Float[Tensor, "n ..."]
    length: Float[Tensor, " n"]
    lower: Float[Tensor, " n"]
    shortfall: Float[Tensor, " n"]


class Nearest(NamedTuple):
    """Exact optimum of one image and one class; fields as in `Exact`."""

    image: np.ndarray
    length: float
    lower: float
    shortfall: float


def solve_linear(
    model: nn.Module, images: Float[Tensor, "n ..."], wanted: Bool[Tensor, "n classes"]
) -> Exact:
    """Return the smallest perturbation of each image to the boundary of its goal.

    The relative gap ``1 - lower / length`` is the proof of each optimum.

    Args:
        model: Network with one linear layer and nothing else but a flattening.
        images: Clean images, in [0, 1].
        wanted: Classes that count as success, one for a targeted attack and all but
            the label for an untargeted one.

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
    found = [
        nearest_of_classes(weight, bias, clean, row)
        for clean, row in zip(flat, wanted.cpu().numpy(), strict=True)
    ]
    points = torch.from_numpy(np.stack([one.image for one in found]))
    numbers = torch.tensor([one[1:] for one in found], dtype=torch.float64)
    return Exact(points.reshape(images.shape), *numbers.unbind(1))


def nearest_of_classes(
    weight: np.ndarray, bias: np.ndarray, clean: np.ndarray, wanted: np.ndarray
) -> Nearest:
    """Return the nearest point of any wanted class."""
    best = Nearest(np.full_like(clean, np.nan), np.inf, np.inf, np.inf)
    lower = np.inf
    for goal in np.flatnonzero(wanted):
        normals = weight[goal] - weight[~wanted]
        offsets = bias[~wanted] - bias[goal]
        found = nearest_in(normals, offsets, clean)
        if found.shortfall <= FEASIBLE:
            lower = min(lower, found.lower)
            best = min(best, found, key=lambda one: one.length)
    return best._replace(lower=lower)


def nearest_in(normals: np.ndarray, offsets: np.ndarray, clean: np.ndarray) -> Nearest:
    """Project one image on the half-spaces ``normals @ x >= offsets`` and the box."""

    def negative_dual(multiplier: np.ndarray) -> tuple[float, np.ndarray]:
        point = np.clip(clean + multiplier @ normals, 0, 1)
        shortfall = offsets - normals @ point
        value = 0.5 * np.square(point - clean).sum() + multiplier @ shortfall
        return -value, -shortfall

    solved = minimize(
        negative_dual,
        np.zeros(len(normals)),
        jac=True,
        bounds=[(0, None)] * len(normals),
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 20000, "ftol": 1e-16, "gtol": 1e-10},
    )
    point = np.clip(clean + solved.x @ normals, 0, 1)
    length = float(np.linalg.norm(point - clean))
    lower = float(np.sqrt(max(0.0, -2 * solved.fun)))
    return Nearest(point, length, lower, float((offsets - normals @ point).max()))
