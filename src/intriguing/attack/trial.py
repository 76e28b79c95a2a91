"""The point that each image tries next: a quasi-Newton step, clipped to the box."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.attack import compiled_lbfgs
from intriguing.attack.objective import free_pixels
from intriguing.attack.recursion import LEAST_CURVATURE, two_loop

LONGEST_STEP = 2.0
"""Cap on the L2 length of one step."""


class Trial(NamedTuple):
    """What each image tries.

    Attributes:
        point: The point.
        length: Its distance from the clean image.
        descent: Inner product of the objective's gradient and the move, not positive.
    """

    point: Float[Tensor, "n d"]
    length: Float[Tensor, " n"]
    descent: Float[Tensor, " n"]


def next_trial(
    image: Float[Tensor, "n d"],
    clean: Float[Tensor, "n d"],
    slope: Float[Tensor, "n d"],
    stiffness: Float[Tensor, " n"],
    halvings: Float[Tensor, " n"],
    steps: Float[Tensor, "n m d"],
    changes: Float[Tensor, "n m d"],
    slot: int,
) -> Trial:
    """Return the next trial of each image, and enter the move in its ring of steps.

    Args:
        image: Accepted iterates.
        clean: Unperturbed images.
        slope: Gradient of the loss at the iterates.
        stiffness: Curvature of the penalty.
        halvings: How often the step is to be halved.
        steps: Last steps, a ring over the second axis.
        changes: Change of the loss gradient over each.
        slot: Oldest entry of the ring, to be replaced.
    """
    arrays = (image, clean, slope, stiffness, halvings, steps, changes)
    if image.device.type != "cpu" or image.dtype != torch.float32:
        return trial_by_torch(*arrays, slot)
    trial = Trial(
        torch.empty_like(image),
        torch.empty_like(stiffness),
        torch.empty_like(stiffness),
    )
    every = (a.detach().numpy() for a in (*arrays, *trial))
    compiled_lbfgs.trials(*every, slot, LONGEST_STEP, LEAST_CURVATURE)
    return trial


def trial_by_torch(
    image: Float[Tensor, "n d"],
    clean: Float[Tensor, "n d"],
    slope: Float[Tensor, "n d"],
    stiffness: Float[Tensor, " n"],
    halvings: Float[Tensor, " n"],
    steps: Float[Tensor, "n m d"],
    changes: Float[Tensor, "n m d"],
    slot: int,
) -> Trial:
    """The same in plain torch, on any device."""
    gradient = torch.addcmul(slope, stiffness[:, None], image - clean)
    free = free_pixels(image, gradient)
    step = two_loop(gradient, free, stiffness, steps, changes, slot)
    cap = LONGEST_STEP / step.norm(dim=1).clamp_min(1e-12)
    scale = torch.minimum(0.5**halvings, cap)
    point = torch.addcmul(image, scale[:, None], step).clamp_(0, 1)
    moved = steps[:, slot] = point - image
    length = (point - clean).norm(dim=1)
    return Trial(point, length, torch.linalg.vecdot(gradient, moved))
