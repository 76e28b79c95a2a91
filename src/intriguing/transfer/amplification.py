"""Perturbations made longer or shorter (section 4.2, Table 4).

The paper amplifies by ``x + 0.1 (x' - x) / |x' - x|``, with an L2 norm, and says that
distortions go from 0.06 to 0.1, 40 % up on average. The three do not fit together:

- an L2 length of 0.1 is a root mean square of ``0.1 / sqrt(784) = 0.0036``, far less
  than before;
- from 0.06 to 0.1 is 67 % up; 40 % is what 0.1 loses on the way back.

Tables 4's rows are headed by the standard deviation 0.1, so `amplify` reads the norm as
the root mean square. The other two readings are here to show what they would give.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.tables.row_names import (
    AMPLIFIED,
    AMPLIFIED_CLIPPED,
    LITERAL,
    MATCHED,
    TIMES,
    TOGETHER,
)
from intriguing.transfer.predictions import Sets, matched_noise

TEXT_FACTOR = 1.4
"""By how much the paper's text says that amplification lengthens a perturbation."""


def root_mean_square(
    perturbation: Float[Tensor, " n *pixels"],
) -> Float[Tensor, " n"]:
    """Return the distortion of each image: root mean square over its pixels."""
    return perturbation.flatten(1).square().mean(1).sqrt()


def lengthen(
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    factor: Float[Tensor, " n"] | float,
) -> Float[Tensor, " n *pixels"]:
    """Return images whose perturbations are some times as long; nothing is clipped.

    Args:
        clean: Unperturbed images.
        adversarial: Perturbed ones.
        factor: Multiple of each perturbation's length, or one for all.
    """
    shape = (-1, *[1] * (clean.dim() - 1))
    factors = torch.as_tensor(factor, dtype=clean.dtype).reshape(shape)
    return clean + factors * (adversarial - clean)


def amplify(
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    distortion: float,
) -> Float[Tensor, " n *pixels"]:
    """Return images whose perturbations all have one root mean square.

    Pixels may leave [0, 1]: the paper does not mention clipping, and clipped images
    would miss the distortion that heads its rows. An image that was not perturbed
    stays as it is.
    """
    length = root_mean_square(adversarial - clean)
    factor = torch.where(length > 0, distortion / length, torch.zeros_like(length))
    return lengthen(clean, adversarial, factor)


def amplify_together(
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    distortion: float,
) -> Float[Tensor, " n *pixels"]:
    """Return images with one factor for all, so that their mean distortion is given."""
    mean = root_mean_square(adversarial - clean).mean()
    return lengthen(clean, adversarial, float(distortion / mean))


def amplify_literally(
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    length: float,
) -> Float[Tensor, " n *pixels"]:
    """Return images whose perturbations all have one L2 length, as printed."""
    pixels = clean[0].numel()
    return amplify(clean, adversarial, length / pixels**0.5)


def amplified_sets(
    source: str,
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    amount: float,
    seed: int,
) -> Sets:
    """Return all that is made of one network's adversarial images for Table 4.

    Args:
        source: The network.
        clean: Unperturbed images.
        adversarial: Images made for the network.
        amount: Root mean square to amplify to; as printed, L2 length.
        seed: Decides the noise.
    """
    amplified = amplify(clean, adversarial, amount)
    length = root_mean_square(adversarial - clean)
    return {
        source: adversarial,
        f"{AMPLIFIED}{source}": amplified,
        f"{MATCHED}{source}": matched_noise(clean, length, seed),
        f"{AMPLIFIED_CLIPPED}{source}": amplified.clamp(0, 1),
        f"{TOGETHER}{source}": amplify_together(clean, adversarial, amount),
        f"{LITERAL}{source}": amplify_literally(clean, adversarial, amount),
        f"{TIMES}{source}": lengthen(clean, adversarial, TEXT_FACTOR),
    }
