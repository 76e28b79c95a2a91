"""Which wrong class an image is to be taken for; section 4.1 does not say."""

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor


def random_targets(
    labels: Int[Tensor, " n"],
    predictions: Int[Tensor, " n"],
    classes: int,
    seed: int,
) -> Int[Tensor, " n"]:
    """Draw uniformly from the classes other than the label and the clean prediction.

    Every image has one random number of its own, so that networks that agree on an
    image are given the same target.
    """
    shares = torch.from_numpy(np.random.default_rng([seed, 2]).random(len(labels)))
    allowed = torch.ones(len(labels), classes, dtype=torch.bool)
    allowed.scatter_(1, labels[:, None], False)
    allowed.scatter_(1, predictions[:, None], False)
    wanted = (shares * allowed.sum(1)).long() + 1
    return (allowed.cumsum(1) == wanted[:, None]).int().argmax(1)


def next_targets(
    labels: Int[Tensor, " n"], predictions: Int[Tensor, " n"], classes: int
) -> Int[Tensor, " n"]:
    """Return label + 1, or label + 2 where the network already answers label + 1."""
    following = (labels + 1) % classes
    return torch.where(following == predictions, (labels + 2) % classes, following)


def choose_targets(
    rule: str,
    labels: Int[Tensor, " n"],
    predictions: Int[Tensor, " n"],
    classes: int,
    seed: int,
) -> Int[Tensor, " n"] | None:
    """Return the targets by a rule's name; None for ``nearest``, which has none."""
    if rule == "random":
        return random_targets(labels, predictions, classes, seed)
    return next_targets(labels, predictions, classes) if rule == "next" else None
