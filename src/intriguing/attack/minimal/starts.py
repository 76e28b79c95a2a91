"""Where to start: networks trained to no error have several minima.

After the walk comes the minimum of a smoothed network (`smoothing`), then, if such
networks led the first walk, one that none leads. What also finds another basin is to
come from far away in another direction: from a point well on the way to a *start
image*, one that the network puts in the class of the best image so far. An image closes
by the *hit rule*: its best value was reached from some of its starts (`hits_for`), or
all of them are used up.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

HITS, HIT_SHARE = 4, 0.25
"""Starts that reach the best length before an image closes, and the share of all its
starts that has to, if that is more."""
SAME = 1e-3
"""Relative difference of two lengths below which they count as one minimum."""
SHARE = 0.75
"""Share of the way to a start image at which a run begins."""


class Pool(NamedTuple):
    """Images to start from, sorted by the class that the network gives them.

    Attributes:
        images: The images, flat.
        first: Where each class begins.
        count: How many each class has.
    """

    images: Float[Tensor, "m d"]
    first: Int[Tensor, " c"]
    count: Int[Tensor, " c"]


def pool_of(images: Float[Tensor, "m d"], logits: Float[Tensor, "m c"]) -> Pool:
    """Sort images by the network's answers."""
    answers, order = logits.argmax(1).sort(stable=True)
    count = torch.bincount(answers, minlength=logits.shape[1])
    return Pool(images[order], count.cumsum(0) - count, count)


def seeds_of(images: Float[Tensor, "n d"]) -> Int[Tensor, " n"]:
    """Return a number drawn from each image's own bits.

    What an image starts from then depends neither on its place in the batch nor on the
    other images.
    """
    width = images.shape[1]
    factors = mixed(torch.arange(width, device=images.device)) | 1
    integer = {4: torch.int32, 8: torch.int64, 2: torch.int16}[images.element_size()]
    parts = [part.contiguous().view(integer).long() for part in images.split(4096)]
    return mixed(torch.cat([(part * factors).sum(1) for part in parts]))


def mixed(numbers: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Scramble integers: multiplications that overflow, and shifts, each reversible."""
    for factor, shift in ((-7046029254386353131, 29), (-4658895280553007687, 32)):
        numbers = (numbers ^ (numbers >> shift)) * factor
    return numbers ^ (numbers >> 32)


def draw(
    pool: Pool,
    goal: Int[Tensor, " n"],
    seed: Int[Tensor, " n"],
    number: Int[Tensor, " n"],
) -> Float[Tensor, "n d"]:
    """Return the start image of a given number in each goal.

    They are consecutive ones of those that the network puts there, from a place that
    the seed decides: none comes twice.
    """
    place = (seed + number) % pool.count[goal]
    return pool.images[pool.first[goal] + place]


def hits_for(starts: int) -> int:
    """Return how many starts have to reach the best length."""
    return max(HITS, int(HIT_SHARE * starts))


def counted(
    hits: Int[Tensor, " n"],
    best: Float[Tensor, " n"],
    length: Float[Tensor, " n"],
) -> Int[Tensor, " n"]:
    """Return how often the best length is known after another run's."""
    better = length < best * (1 - SAME)
    same = (length <= best * (1 + SAME)) & ~better
    return torch.where(better, 1, hits + (same & best.isfinite()).long())
