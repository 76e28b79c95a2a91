"""The L-BFGS step: the two-loop recursion on the pixels that are free to move.

It starts from the penalty's own curvature, ``stiffness`` times the identity, which is
exact where the loss is flat. Pairs whose curvature on the free pixels is not clearly
positive are left out, so that every step goes downhill.
"""

import torch
from jaxtyping import Float
from torch import Tensor

LEAST_CURVATURE = 1e-3
"""A pair's curvature must exceed this share of the penalty's."""


def two_loop(
    gradient: Float[Tensor, "n d"],
    free: Float[Tensor, "n d"],
    stiffness: Float[Tensor, " n"],
    steps: Float[Tensor, "n m d"],
    changes: Float[Tensor, "n m d"],
    slot: int,
) -> Float[Tensor, "n d"]:
    """Return the step of each image, 0 on the pixels that are held.

    Args:
        gradient: Gradient of penalty and loss.
        free: 1 for free pixels, 0 for held ones.
        stiffness: Curvature of the penalty.
        steps: Last steps, a ring over the second axis.
        changes: Change of the loss gradient over each.
        slot: Oldest entry of the ring, to be replaced next.
    """
    changes = torch.addcmul(changes, stiffness[:, None, None], steps) * free[:, None]
    overlap = torch.linalg.vecdot(steps, changes)
    floor = LEAST_CURVATURE * stiffness[:, None] * torch.linalg.vecdot(steps, steps)
    inverse = torch.where(overlap > floor + 1e-30, 1 / overlap, 0.0)
    memory = steps.shape[1]
    newest_first = [(slot - 1 - age) % memory for age in range(memory)]
    rest = gradient * free
    shares = {}
    for i in newest_first:
        shares[i] = inverse[:, i] * torch.linalg.vecdot(steps[:, i], rest)
        rest = torch.addcmul(rest, shares[i][:, None], changes[:, i], value=-1)
    rest = rest / stiffness[:, None]
    for i in reversed(newest_first):
        share = inverse[:, i] * torch.linalg.vecdot(changes[:, i], rest)
        rest = torch.addcmul(rest, (shares[i] - share)[:, None], steps[:, i])
    return -rest * free
