"""Perturbations scaled to another length (section 4.2 and Table 4).

The paper amplifies by ``x + 0.1 (x' - x) / |x' - x|`` with the L2 norm, and says that
distortions grow from 0.06 to 0.1, by 40 % on average. These statements contradict each
other:

- An L2 length of 0.1 is a root mean square of ``0.1 / sqrt(784) = 0.0036``, far less
  than before.
- From 0.06 to 0.1 is an increase of 67 %. The reverse is a decrease of 40 %.

The rows of Table 4 are labelled with a standard deviation of 0.1, so `amplify` takes
the norm to be the root mean square. The other two readings show what they would give.
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
from intriguing.transfer.predictions import Sets, matched_noise, root_mean_square

TEXT_FACTOR = 1.4
"""Factor by which amplification lengthens a perturbation, by the paper's text."""


def lengthen(
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    factor: Float[Tensor, " n"] | float,
) -> Float[Tensor, " n *pixels"]:
    """Return images with perturbations multiplied by a factor; nothing is clipped.

    Args:
        clean: Unperturbed images.
        adversarial: Perturbed images.
        factor: One for each image, or one for all.
    """
    shape = (-1, *[1] * (clean.dim() - 1))
    factors = torch.as_tensor(factor, dtype=clean.dtype).reshape(shape)
    return clean + factors * (adversarial - clean)


def amplify(
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    distortion: float,
) -> Float[Tensor, " n *pixels"]:
    """Return images with perturbations scaled to one distortion (root mean square).

    Pixels may leave [0, 1]: the paper does not mention clipping, and clipped images
    would not have the distortion that labels its rows. An image without perturbation
    stays unchanged.
    """
    length = root_mean_square(adversarial - clean)
    factor = torch.where(length > 0, distortion / length, torch.zeros_like(length))
    return lengthen(clean, adversarial, factor)


def amplified_sets(
    source: str,
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    amount: float,
    seed: int,
) -> Sets:
    """Return the sets that Table 4 derives from one network's adversarial images.

    Args:
        source: Name of the network.
        clean: Unperturbed images.
        adversarial: Images made for the network.
        amount: Distortion to amplify to; the L2 length in the formula as printed.
        seed: Seed of the noise.
    """
    amplified = amplify(clean, adversarial, amount)
    length, pixels = root_mean_square(adversarial - clean), clean[0].numel()
    mean = length.mean()
    return {
        source: adversarial,
        f"{AMPLIFIED}{source}": amplified,
        f"{MATCHED}{source}": matched_noise(clean, length, seed),
        f"{AMPLIFIED_CLIPPED}{source}": amplified.clamp(0, 1),
        f"{TOGETHER}{source}": lengthen(clean, adversarial, float(amount / mean)),
        f"{LITERAL}{source}": amplify(clean, adversarial, amount / pixels**0.5),
        f"{TIMES}{source}": lengthen(clean, adversarial, TEXT_FACTOR),
    }
