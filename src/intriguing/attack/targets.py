"""The target class of each image, which section 4.1 does not state."""

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor


def random_targets(
    labels: Int[Tensor, " n"], predictions: Int[Tensor, " n"], classes: int, seed: int
) -> Int[Tensor, " n"]:
    """Sample uniformly from the classes other than the label and the clean prediction.

    Each image has one random number, so that networks with the same prediction get the
    same target.
    """
    shares = torch.from_numpy(np.random.default_rng([seed, 2]).random(len(labels)))
    allowed = torch.ones(len(labels), classes, dtype=torch.bool)
    allowed.scatter_(1, labels[:, None], False)
    allowed.scatter_(1, predictions[:, None], False)
    rank = (shares * allowed.sum(1)).long() + 1
    return (allowed.cumsum(1) == rank[:, None]).int().argmax(1)


def next_targets(
    labels: Int[Tensor, " n"], predictions: Int[Tensor, " n"], classes: int
) -> Int[Tensor, " n"]:
    """Return label + 1, or label + 2 where the network already predicts label + 1."""
    following = (labels + 1) % classes
    return torch.where(following == predictions, (labels + 2) % classes, following)


def choose_targets(
    rule: str,
    labels: Int[Tensor, " n"],
    predictions: Int[Tensor, " n"],
    classes: int,
    seed: int,
) -> Int[Tensor, " n"] | None:
    """Return the targets by a rule's name; None, untargeted, for ``nearest``."""
    if rule == "random":
        return random_targets(labels, predictions, classes, seed)
    return next_targets(labels, predictions, classes) if rule == "next" else None
