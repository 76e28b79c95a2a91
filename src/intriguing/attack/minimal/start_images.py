"""Images to start from, sorted by class, and which of them an image gets."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def pool_of(
    images: Float[Tensor, "m d"], logits: Float[Tensor, "m c"]
) -> tuple[Float[Tensor, "m d"], Int[Tensor, " c"], Int[Tensor, " c"]]:
    """Return images sorted by prediction, where each class begins, and its count."""
    predictions, order = logits.argmax(1).sort(stable=True)
    count = torch.bincount(predictions, minlength=logits.shape[1])
    return images[order], count.cumsum(0) - count, count


def seeds_of(images: Float[Tensor, "n d"]) -> Int[Tensor, " n"]:
    """Return a number that follows from each image's own bits."""
    # Neither the place in the batch nor the other images may change the start.
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
