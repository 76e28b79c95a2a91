"""Images and labels as arrays: reading them, splitting them, drawing from them."""

import math
import struct

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from intriguing.errors import InputError

# Magic number of an IDX file of unsigned bytes: 0, 0, 8, number of axes.
AXES = {b"\0\0\x08\x01": 1, b"\0\0\x08\x03": 3}


def parse_idx(content: bytes, name: str) -> np.ndarray:
    """Read the images or labels of an uncompressed IDX file.

    Args:
        content: The whole file.
        name: What to call the file in messages.

    Returns:
        uint8 array: images (N, H, W), or labels (N,).

    Raises:
        InputError: The content is not IDX, or is longer or shorter than it says.
    """
    axes = AXES.get(content[:4])
    if axes is None:
        raise InputError(
            f"{name} is no IDX file of images or labels: it starts with "
            f"{content[:4].hex() or 'nothing'}; fetch the file anew"
        )
    start = 4 + 4 * axes
    if len(content) < start:
        raise InputError(f"{name} is truncated in its header; fetch the file anew")
    shape = struct.unpack(f">{axes}I", content[4:start])
    found, wanted = len(content) - start, math.prod(shape)
    if found != wanted:
        problem = "truncated" if found < wanted else "too long"
        raise InputError(
            f"{name} is {problem}: {found} bytes of data where its header "
            f"says {wanted}; fetch the file anew"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def to_pixels(
    images: Shaped[Tensor, "n c h w"] | Shaped[np.ndarray, "n c h w"],
) -> Float[Tensor, "n c h w"]:
    """Turn bytes 0..255 into float32 pixels in [0, 1], the unit of every distance.

    Args:
        images: uint8 values.

    Raises:
        InputError: The images are not uint8, so that their unit is in doubt.
    """
    images = torch.as_tensor(images)
    if images.dtype != torch.uint8:
        raise InputError(
            f"images: uint8 values 0..255 are expected, not {images.dtype}"
        )
    return images.to(torch.float32) / 255


def halves(
    count: int, seed: int
) -> tuple[Int64[np.ndarray, " p1"], Int64[np.ndarray, " p2"]]:
    """Split a training set into the disjoint halves P1 and P2 of section 4.2.

    Args:
        count: Size of the training set.
        seed: Decides which image goes where.

    Returns:
        Indices of P1 and of P2, ascending; P2 has one more when ``count`` is odd.
    """
    order = np.random.default_rng(seed).permutation(count)
    first, second = order[: count // 2], order[count // 2 :]
    return np.sort(first), np.sort(second)


def draw(count: int, wanted: int, seed: int) -> Int64[np.ndarray, " wanted"]:
    """Draw ``wanted`` of ``count`` indices uniformly, without replacement.

    They stay in the order drawn, so that any number of the first ones is itself a
    uniform draw, the same one that asking for fewer would have given.

    Raises:
        InputError: More are wanted than there are.
    """
    if wanted > count:
        raise InputError(
            f"{wanted} images are wanted of {count}; ask for {count} or fewer"
        )
    # The second number keeps this stream apart from the one that cuts the halves.
    return np.random.default_rng([seed, 1]).permutation(count)[:wanted]
