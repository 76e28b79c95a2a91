"""Which class to leave towards, when any other than the label will do.

The label is left as soon as one class beats it: the smallest perturbation is the
shortest of one small problem for each class, with a single constraint. A linear
estimate ranks them, and those that it puts far behind are left out.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.minimal.network import Network, difference

TRUSTED, DOUBTFUL = 1.3, 2.5
"""A class is left out where its estimate exceeds that of the first class by this much:
the first number where the estimates are true, the second where they are not."""


def ranked(
    network: Network, clean: Float[Tensor, "n d"], wanted: Bool[Tensor, "n c"]
) -> tuple[Int[Tensor, "n j"], Float[Tensor, "n j"]]:
    """Return the wanted classes, nearest first, with their estimated distances.

    Args:
        network: Both directions of the classifier.
        clean: Images.
        wanted: Classes that count as success; rows may have different numbers of them,
            missing ones come last with an infinite estimate.
    """
    logits, trace = network.forward(clean)
    rows, goals = wanted.nonzero(as_tuple=True)
    rival = logits.masked_fill(wanted, -torch.inf).argmax(1)[rows]
    slope = network.backward(trace, rows, difference(goals, rival, logits))
    held = ((clean[rows] <= 0) & (slope < 0)) | ((clean[rows] >= 1) & (slope > 0))
    steepness = slope.masked_fill_(held, 0).norm(dim=1).clamp_min(1e-9)
    gap = (logits[rows, rival] - logits[rows, goals]).clamp_min(0)
    estimate = torch.full_like(logits, torch.inf)
    estimate[rows, goals] = gap / steepness
    most = int(wanted.sum(1).max())
    lowest, classes = estimate.topk(most, 1, largest=False)
    return classes, lowest


def worthwhile(
    estimate: Float[Tensor, " n"],
    first: Float[Tensor, " n"],
    best: Float[Tensor, " n"],
) -> Bool[Tensor, " n"]:
    """Return where a class may still come below the best known.

    Args:
        estimate: Its estimated distance.
        first: Estimate of the class attacked first.
        best: Shortest perturbation found so far.
    """
    off = best / first.clamp_min(1e-12)
    doubt = TRUSTED * torch.maximum(off, 1 / off.clamp_min(1e-12)).square()
    return estimate < doubt.clamp_max(DOUBTFUL) * torch.minimum(best, first)
