"""Coarser searches for the weight c (section 4.1): on a grid, or one c for all images.

`find_adversarial` takes the largest successful c of each image. The paper does not say
how finely it searched.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack import Adversarial, find_adversarial
from intriguing.attack.weights import Refinement
from intriguing.errors import InputError

GRID = 10**0.2
"""Ratio of neighbouring weights of the grid."""
REDUCTION = 0.9
"""Ratio of successive weights in the search for a common weight."""
MAX_WEIGHTS = 60
TO_THE_END = {"decrease": 0.0, "boundary_share": 0.0}
"""Each minimiser is a result: the minimisation does not stop early."""


def find_on_grid(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    targets: Int[Tensor, " n"],
    finest: Float[Tensor, " n"],
    norm: str,
) -> Adversarial:
    """Return minimisers at the largest successful weights on the grid.

    Args:
        model: Classifier from pixels to logits.
        images: Clean images.
        targets: Target classes.
        finest: Largest successful weight of each image, from a fine search.
        norm: Penalty on the perturbation.
    """
    step = torch.tensor(GRID).log()
    weights = torch.exp(torch.floor(finest.log() / step) * step)
    result = minimisers(model, images, targets, weights, norm)
    for _ in range(MAX_WEIGHTS - 1):
        if result.reached.all():
            break
        weights = torch.where(result.reached, weights, weights / GRID)
        result = minimisers(model, images, targets, weights, norm)
    return result


def find_with_one_weight(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    targets: Int[Tensor, " n"],
    finest: Float[Tensor, " n"],
    norm: str,
) -> Adversarial:
    """Return minimisers at the largest common weight found at which all succeed.

    The arguments are those of `find_on_grid`.

    Raises:
        InputError: No weight down to ``0.9**60`` of the smallest fools all images.
    """
    for power in range(MAX_WEIGHTS):
        weights = torch.full_like(finest, float(finest.min()) * REDUCTION**power)
        result = minimisers(model, images, targets, weights, norm)
        if result.reached.all():
            return result
    raise InputError(f"no common weight fools all {len(finest)} images")


def minimisers(
    model: nn.Module, images: Tensor, targets: Tensor, weights: Tensor, norm: str
) -> Adversarial:
    """Return the minimisers at given weights, starting from the clean images."""
    once = {"rule": Refinement(max_weights=1), "weights": weights, "norm": norm}
    how = {"method": "lbfgs", **once, **TO_THE_END}
    return find_adversarial(model, images, targets, **how)


SEARCHES: dict[str, Callable[..., Adversarial]] = {
    "grid": find_on_grid,
    "one-weight": find_with_one_weight,
}
