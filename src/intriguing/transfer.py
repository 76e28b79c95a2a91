"""Images made for one network, fed to another (the paper's Tables 2 and 4)."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.names import CLEAN, MATCHED

Sets = dict[str, Tensor]
"""Distorted images by the name of their row in the tables."""


def add_noise(
    images: Float[Tensor, " n *pixels"], deviation: float, seed: int, clip: bool
) -> Float[Tensor, " n *pixels"]:
    """Return images with Gaussian noise of one standard deviation.

    Args:
        images: Pixels in [0, 1].
        deviation: Standard deviation, in units of pixels.
        seed: Decides the noise.
        clip: Whether to bring pixels back into [0, 1]. The paper's noise is not
            clipped: its Figure 7 shows pixels darker than the background.
    """
    noisy = images + deviation * standard_noise(images, seed)
    return noisy.clamp(0, 1) if clip else noisy


def matched_noise(
    images: Float[Tensor, " n *pixels"], distortion: Float[Tensor, " n"], seed: int
) -> Float[Tensor, " n *pixels"]:
    """Return images with Gaussian noise of each image's given distortion.

    The control for an adversarial image: as long, in a random direction.
    """
    noise = standard_noise(images, seed)
    length = noise.flatten(1).square().mean(1).sqrt()
    factor = (distortion / length).reshape(-1, *[1] * (images.dim() - 1))
    return images + factor * noise


def standard_noise(
    like: Float[Tensor, " n *pixels"], seed: int
) -> Float[Tensor, " n *pixels"]:
    """Draw standard normal noise of a tensor's shape, by the seed alone."""
    drawn = np.random.default_rng([seed, 3]).standard_normal(
        tuple(like.shape), np.float32
    )
    return torch.from_numpy(drawn)


def adversarial_sets(
    source: str,
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    seed: int,
) -> Sets:
    """Return the images made for a network, and noise as long as each of them."""
    distortion = (adversarial - clean).flatten(1).square().mean(1).sqrt()
    matched = matched_noise(clean, distortion, seed)
    return {source: adversarial, f"{MATCHED}{source}": matched}


def noise_sets(
    clean: Float[Tensor, " n *pixels"], deviations: Sequence[float], seed: int
) -> Sets:
    """Return the clean images, and noise of each deviation, as it is and clipped."""
    sets = {CLEAN: clean}
    for deviation in deviations:
        name = f"noise-{deviation:g}"
        sets[name] = add_noise(clean, deviation, seed, clip=False)
        sets[f"{name}-clipped"] = add_noise(clean, deviation, seed, clip=True)
    return sets
