"""Images and labels as arrays: reading, splitting and sampling them."""

import math
import struct

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from intriguing.errors import InputError

# Number of axes by the magic number of an IDX file of unsigned bytes.
AXES = {b"\0\0\x08\x01": 1, b"\0\0\x08\x03": 3}


def parse_idx(content: bytes, name: str) -> np.ndarray:
    """Return the images (N, H, W) or labels (N,) of an IDX file, as uint8.

    Args:
        content: The whole file, uncompressed.
        name: Of the file, for messages.

    Raises:
        InputError: The content is not IDX, or its length differs from its header's.
    """
    axes = AXES.get(content[:4])
    if axes is None:
        raise InputError(
            f"{name} is no IDX file of images or labels: it starts with "
            f"{content[:4].hex() or 'nothing'}; fetch the file again"
        )
    start = 4 + 4 * axes
    if len(content) < start:
        raise InputError(f"{name} is truncated in its header; fetch the file again")
    shape = struct.unpack(f">{axes}I", content[4:start])
    length, expected = len(content) - start, math.prod(shape)
    if length != expected:
        problem = "truncated" if length < expected else "too long"
        raise InputError(
            f"{name} is {problem}: {length} bytes of data where its header "
            f"says {expected}; fetch the file again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def to_pixels(
    images: Shaped[Tensor, "n c h w"] | Shaped[np.ndarray, "n c h w"],
) -> Float[Tensor, "n c h w"]:
    """Return images as float32 pixels in [0, 1], the unit of every distance.

    Args:
        images: uint8 values, 0 to 255.

    Raises:
        InputError: The images are not uint8, so that their unit is in doubt.
    """
    images = torch.as_tensor(images)
    if images.dtype != torch.uint8:
        raise InputError(
            f"images: uint8 values 0..255 are expected, not {images.dtype}"
        )
    return images.to(torch.float32) / 255


def disjoint_splits(
    count: int, seed: int
) -> tuple[Int64[np.ndarray, " p1"], Int64[np.ndarray, " p2"]]:
    """Return the indices of P1 and P2, two random halves of a set (section 4.2).

    Both are ascending; P2 has one index more when ``count`` is odd.

    Args:
        count: Size of the training set.
        seed: Decides which image goes to which split.
    """
    order = np.random.default_rng(seed).permutation(count)
    first, second = order[: count // 2], order[count // 2 :]
    return np.sort(first), np.sort(second)


def sample_indices(count: int, size: int, seed: int) -> Int64[np.ndarray, " size"]:
    """Return ``size`` of ``count`` indices, sampled uniformly without replacement.

    They are in random order: a smaller sample with the same seed is a prefix of a
    larger one.

    Raises:
        InputError: The sample is larger than the set.
    """
    if size > count:
        raise InputError(
            f"{size} images are requested of {count}; ask for {count} or fewer"
        )
    # The second number makes the sample independent of the splits of the same seed.
    return np.random.default_rng([seed, 1]).permutation(count)[:size]
