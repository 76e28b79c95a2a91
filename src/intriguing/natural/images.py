"""Adversarial images after rounding or amplification, and as Figure 5 shows them."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.models.perturbed import Sets, matched_noise, root_mean_square
from intriguing.tables.row_names import CLEAN

MAGNIFICATION = 10.0
"""Factor by which the paper's Figure 5 magnifies differences, about mid-grey."""


def rounded(images: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
    """Return images rounded to 8 bits per channel."""
    return (images * 255).round() / 255


def amplified(
    clean: Float[Tensor, "n ..."], adversarial: Float[Tensor, "n ..."], factor: float
) -> Float[Tensor, "n ..."]:
    """Return images with the perturbation times a factor, clamped to [0, 1]."""
    return (clean + factor * (adversarial - clean)).clamp(0, 1)


def evaluation_sets(
    clean: Float[Tensor, "n ..."],
    adversarial: Float[Tensor, "n ..."],
    factors: Sequence[float],
    seed: int,
) -> Sets:
    """Return the images by name: clean, adversarial, rounded, amplified, with noise.

    The noise, ``matched``, has the distortion of the perturbation and its own seed.
    """
    distortion = root_mean_square(adversarial - clean)
    sets = {CLEAN: clean, "adversarial": adversarial, "rounded": rounded(adversarial)}
    for factor in factors:
        sets[f"amplified-{factor:g}"] = amplified(clean, adversarial, factor)
    return {**sets, "matched": matched_noise(clean, distortion, seed)}


def magnified_difference(
    clean: Float[Tensor, "n ..."], adversarial: Float[Tensor, "n ..."]
) -> Float[Tensor, "n ..."]:
    """Return differences as in Figure 5: magnified, about mid-grey, clamped."""
    return (128 / 255 + MAGNIFICATION * (adversarial - clean)).clamp(0, 1)


def triples(
    clean: Float[Tensor, "n c h w"], adversarial: Float[Tensor, "n c h w"]
) -> Float[np.ndarray, "n 3 h w c"]:
    """Return original, difference and adversarial image, for display side by side."""
    difference = magnified_difference(clean, adversarial)
    stacked = torch.stack([clean, difference, adversarial], dim=1)
    return stacked.permute(0, 1, 3, 4, 2).numpy()
