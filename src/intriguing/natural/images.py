"""Adversarial images after rounding or amplification, and as Figure 5 shows them."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.models.perturbed import Sets, lengthen, matched_noise, root_mean_square
from intriguing.tables.row_names import CLEAN

MAGNIFICATION = 10.0
"""Factor by which the paper's Figure 5 magnifies differences, about mid-grey."""


def evaluation_sets(
    clean: Float[Tensor, "n ..."],
    adversarial: Float[Tensor, "n ..."],
    factors: Sequence[float],
    seed: int,
) -> Sets:
    """Return the images by name: clean, adversarial, rounded, amplified, with noise.

    Rounding is to 8 bits per channel. Perturbations are amplified by each factor, and
    pixels then clamped to [0, 1]. The noise, ``matched``, has the distortion of the
    perturbation and its own seed.
    """
    rounded = (adversarial * 255).round() / 255
    sets = {CLEAN: clean, "adversarial": adversarial, "rounded": rounded}
    for factor in factors:
        longer = lengthen(clean, adversarial, factor)
        sets[f"amplified-{factor:g}"] = longer.clamp(0, 1)
    distortion = root_mean_square(adversarial - clean)
    return {**sets, "matched": matched_noise(clean, distortion, seed)}


def triples(
    clean: Float[Tensor, "n c h w"], adversarial: Float[Tensor, "n c h w"]
) -> Float[np.ndarray, "n 3 h w c"]:
    """Return original, difference and adversarial image, for display side by side.

    The difference is as in Figure 5: magnified, about mid-grey, clamped.
    """
    difference = 128 / 255 + MAGNIFICATION * (adversarial - clean)
    stacked = torch.stack([clean, difference.clamp(0, 1), adversarial], dim=1)
    return stacked.permute(0, 1, 3, 4, 2).numpy()
