"""What rounding leaves open at the end: a plain forward pass has the last word.

The search asks for a margin, as another order of summation changes the logits. Where
their terms cancel it may be too small, and where the clean image lies almost on the
boundary it is a noticeable part of the perturbation. Both are mended along the
perturbation, on which the margin is all but linear. These passes are not counted.
"""

import copy

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from intriguing.attack.objective import target_margin
from intriguing.attack.pixel_grid import in_target
from intriguing.models.evaluation import predict

STRETCHES = tuple(1e-6 * 4**k for k in range(6))
"""Shares by which a perturbation is made longer until a plain pass succeeds."""
SHORT = 0.05
"""L2 length below which a perturbation is made as short as the least margin lets it."""
LEAST_MARGIN = 6e-7
"""That margin, as a share of the logits' span: twice what rounding changes in the
paper's fully connected networks. The search asks for more, as it needs a target that
rounding does not blur."""
BATCH = 1024
"""Images evaluated at once in float64."""


def enforce_margin(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    image: Float[Tensor, "n d"],
) -> Float[Tensor, "n d"]:
    """Return images trimmed where very short, stretched where a plain pass fails."""
    flat, enforced = clean.flatten(1), image.clone()
    trim = trimmable(model, clean, target_mask, image)
    perturbed = (image != flat).any(1)
    rows = perturbed.nonzero()[:, 0]
    for stretch in (-trim, *(torch.full_like(trim, share) for share in STRETCHES)):
        scale = 1 + stretch[rows, None]
        enforced[rows] = flat[rows].lerp(image[rows], scale).clamp_(0, 1)
        # All of them each time: in another batch they may be rounded otherwise.
        success = in_target(model, enforced.reshape(clean.shape), target_mask)
        rows = (~success & perturbed).nonzero()[:, 0]
        if not len(rows):
            break
    return enforced


def trimmable(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    image: Float[Tensor, "n d"],
) -> Float[Tensor, " n"]:
    """Return the share of each perturbation that the least margin can do without."""
    length = (image - clean.flatten(1)).norm(dim=1)
    rows = ((length > 0) & (length < SHORT)).nonzero()[:, 0]
    share = torch.zeros_like(length)
    if not len(rows):
        return share
    before = target_margin(precise_logits(model, clean[rows]), target_mask[rows])
    shifted = image[rows].reshape(-1, *clean.shape[1:])
    logits = precise_logits(model, shifted)
    after = target_margin(logits, target_mask[rows])
    least = LEAST_MARGIN * (logits.amax(1) - logits.amin(1))
    gained = (after - before).clamp_min(least)
    share_there = ((after - least) / gained).clamp(0, 1)
    return share.index_copy(0, rows, share_there.to(share.dtype))


def precise_logits(
    model: nn.Module, pixels: Float[Tensor, "n ..."]
) -> Float[Tensor, "n classes"]:
    """Return the logits in float64, if the model lets itself be evaluated so."""
    # A model that converts its input may refuse float64, and so may a device. The copy
    # leaves the caller's model to other threads, and its shared layers shared.
    with torch.no_grad():
        try:
            double = copy.deepcopy(model).double()
            double(pixels[:1].double())
        except Exception:  # of whatever the model's own code does
            return predict(model, pixels)
        return torch.cat([double(part.double()) for part in pixels.split(BATCH)])
