"""Classes in the order of their distance, where any of several counts as success.

A label is left as soon as one class beats it: the smallest perturbation is the shortest
of one small problem for each class. A linear estimate ranks them, and `runs` leaves out
those that are far behind.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.minimal.constants import CHUNK
from intriguing.attack.minimal.network import MOST_VALUES, Network, margin_weights


def ranked_classes(
    network: Network, clean: Float[Tensor, "n d"], target_mask: Bool[Tensor, "n c"]
) -> tuple[Int[Tensor, "n j"], Float[Tensor, "n j"]]:
    """Return the classes that count as success, nearest first, and their distances."""
    if not (target_mask.sum(1) > 1).any():
        return target_mask.int().argmax(1)[:, None], clean.new_zeros(len(clean), 1)
    chunks = zip(clean.split(CHUNK), target_mask.split(CHUNK), strict=True)
    estimates = torch.cat([distances(network, *chunk) for chunk in chunks])
    most = int(target_mask.sum(1).max())
    lowest, classes = estimates.topk(most, 1, largest=False)
    return classes, lowest


def distances(
    network: Network, clean: Float[Tensor, "n d"], target_mask: Bool[Tensor, "n c"]
) -> Float[Tensor, "n c"]:
    """Return the linear estimate of the distance to each class, or infinity."""
    logits = network.forward(clean)
    rows, targets = target_mask.nonzero(as_tuple=True)
    competing = logits.masked_fill(target_mask, -torch.inf).argmax(1)[rows]
    estimate = torch.full_like(logits, torch.inf)
    size = max(1, MOST_VALUES // max(clean.shape[1], logits.shape[1]))
    for part in torch.arange(len(rows), device=rows.device).split(size):
        row, target, other = rows[part], targets[part], competing[part]
        points, weights = clean[row], margin_weights(target, other, logits)
        gradient = network.backward(points, weights)
        held = (points <= 0) & (gradient < 0)
        held |= (points >= 1) & (gradient > 0)
        norm = gradient.masked_fill_(held, 0).norm(dim=1).clamp_min(1e-9)
        gap = (logits[row, other] - logits[row, target]).clamp_min(0)
        estimate[row, target] = gap / norm
    return estimate
