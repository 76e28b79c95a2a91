"""The way out of the saturated region around the clean image.

At the image itself the gradients of a saturated network point nowhere near the goal:
the linearised sub-problem fails there on two images of five. A few normalised gradient
steps on the log odds of the goal lead to where it says something.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.minimal.network import Network

FIRST, GROWTH = 1.6, 1.15
"""L2 length of the first step, and what each further one is multiplied by."""
LEADING, FIRST_LEADING = 2, 2.2
"""Smoothed networks in each of which the walk takes a step before all others, and
length of the first of these: such networks are not saturated."""
WITHIN = 1.0
"""Most that the first step may be of the shortest perturbation known."""
AIM = 0.05
"""Log odds at which a Newton step along the gradient aims, as a share of the logits'
span: what lies far behind the boundary in one network is beyond reach in another."""
MOST_STEPS = 40


def log_odds(
    logits: Float[Tensor, "n c"], goal: Int[Tensor, " n"], rivals: Bool[Tensor, "n c"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n c"]]:
    """Return the goal's log odds against its rivals, and their slope by the logits."""
    against = logits.masked_fill(~rivals, -torch.inf)
    column = goal[:, None]
    value = logits.gather(1, column)[:, 0] - against.logsumexp(1)
    return value, (-against.softmax(1)).scatter(1, column, 1.0)


def missing(
    logits: Float[Tensor, "n c"], odds: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """Return by how much the log odds fall short of those aimed at."""
    return AIM * (logits.amax(1) - logits.amin(1)) - odds


def longest_step(
    taken: Int[Tensor, " n"], bound: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """Return the L2 length that the next step has at most.

    Args:
        taken: Steps taken so far.
        bound: Shortest perturbation known, infinite if there is none.
    """
    return (WITHIN * bound).clamp_max(FIRST) * GROWTH**taken


def next_point(
    image: Float[Tensor, "n d"],
    short: Float[Tensor, " n"],
    slope: Float[Tensor, "n d"],
    longest: Float[Tensor, " n"],
) -> Float[Tensor, "n d"]:
    """Return the next point of the walk: up the slope, as far as the box lets it.

    Args:
        image: Present points.
        short: Log odds of the goal that are `missing` there.
        slope: Gradient of the log odds by the pixels.
        longest: Most that the step may be.
    """
    held = ((image <= 0) & (slope < 0)) | ((image >= 1) & (slope > 0))
    slope = slope.masked_fill(held, 0)
    steepness = slope.norm(dim=1).clamp_min(1e-20)
    length = torch.minimum(short / steepness, longest)
    return torch.addcmul(image, (length / steepness)[:, None], slope).clamp_(0, 1)


def led(
    networks: Sequence[Network],
    image: Float[Tensor, "n d"],
    goal: Int[Tensor, " n"],
    rivals: Bool[Tensor, "n c"],
) -> tuple[Float[Tensor, "n d"], Int[Tensor, " n"]]:
    """Return where a step in each of some smoothed networks leads, and the steps taken.

    None is taken where such a network gives the goal already.
    """
    steps = torch.zeros_like(goal)
    for number, network in enumerate(networks):
        logits, trace = network.forward(image)
        odds, pull = log_odds(logits, goal, rivals)
        rows = (odds <= 0).nonzero()[:, 0]
        slope = network.backward(trace, rows, pull[rows])
        longest = torch.full_like(odds, FIRST_LEADING * GROWTH**number)
        short = missing(logits, odds)[rows]
        further = next_point(image[rows], short, slope, longest[rows])
        image, steps = image.index_copy(0, rows, further), steps + (odds <= 0)
    return image, steps
