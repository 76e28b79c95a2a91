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

from jaxtyping import Float
from torch import Tensor

from intriguing.models.perturbed import (
    Sets,
    amplify,
    lengthen,
    matched_noise,
    root_mean_square,
)
from intriguing.tables import row_names

TEXT_FACTOR = 1.4
"""Factor by which amplification lengthens a perturbation, by the paper's text."""


def amplified_sets(
    source: str,
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    amount: float,
    seed: int,
) -> Sets:
    """Return the sets that Table 4 derives from one network's adversarial images.

    ``amount`` is the distortion to amplify to, and the L2 length in the formula as
    printed. The seed is that of the noise.
    """
    amplified, pixels = amplify(clean, adversarial, amount), clean[0].numel()
    length = root_mean_square(adversarial - clean)
    factor = float(amount / length.mean())
    changed = {
        "": adversarial,
        row_names.AMPLIFIED: amplified,
        row_names.MATCHED: matched_noise(clean, length, seed),
        row_names.AMPLIFIED_CLIPPED: amplified.clamp(0, 1),
        row_names.TOGETHER: lengthen(clean, adversarial, factor),
        row_names.LITERAL: amplify(clean, adversarial, amount / pixels**0.5),
        row_names.TIMES: lengthen(clean, adversarial, TEXT_FACTOR),
    }
    return {f"{prefix}{source}": images for prefix, images in changed.items()}
