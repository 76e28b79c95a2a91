"""Other readings of the paper's search on the weight c (section 4.1).

`find_adversarial` takes the largest successful c of each image, as finely as it can.
Here c lies on a coarse grid, or is the same for all images of a network.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack import Adversarial, find_adversarial
from intriguing.attack.lbfgs import Accuracy
from intriguing.attack.weights import once
from intriguing.errors import InputError

GRID = 10**0.2
"""Ratio of neighbouring weights of the coarse grid."""
LIGHTER = 0.9
"""Ratio by which a common weight is lowered until it fools every image."""
MOST = 60
EXACT = Accuracy(little=0.0, clear=0.0)
"""The one solve of each image is its answer: no early stop."""


def find_on_grid(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    targets: Int[Tensor, " n"],
    finest: Float[Tensor, " n"],
    norm: str,
) -> Adversarial:
    """Return minimisers at the largest weights on the grid that succeed.

    Args:
        model: Classifier from pixels to logits.
        images: Clean images.
        targets: Wanted classes.
        finest: Largest successful weight of each image, from a fine search.
        norm: Price of the perturbation.
    """
    step = torch.tensor(GRID).log()
    weights = torch.exp(torch.floor(finest.log() / step) * step)
    for _ in range(MOST):
        found = find_at(model, images, targets, weights, norm)
        if found.reached.all():
            break
        weights = torch.where(found.reached, weights, weights / GRID)
    return found


def find_with_one_weight(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    targets: Int[Tensor, " n"],
    finest: Float[Tensor, " n"],
    norm: str,
) -> Adversarial:
    """Return minimisers at the largest common weight found at which all succeed.

    Raises:
        InputError: No weight down to ``0.9**60`` of the smallest fools all images.
    """
    for power in range(MOST):
        weights = torch.full_like(finest, float(finest.min()) * LIGHTER**power)
        found = find_at(model, images, targets, weights, norm)
        if found.reached.all():
            return found
    raise InputError(f"no common weight fools all {len(images)} images")


def find_at(model, images, targets, weights, norm) -> Adversarial:
    """Return the minimisers at given weights, starting from the clean images."""
    return find_adversarial(
        model,
        images,
        targets,
        norm=norm,
        rule=once(),
        weights=weights,
        accuracy=EXACT,
    )


SEARCHES = {"grid": find_on_grid, "one-weight": find_with_one_weight}
