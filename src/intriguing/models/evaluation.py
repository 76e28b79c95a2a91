"""Logits and error counts of many images."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


BATCH, BATCH_VALUES = 4096, 2**22
"""Most images of a pass, and most pixels of them, which bounds the memory."""


def predict(
    network: nn.Module, pixels: Float[Tensor, "n ..."]
) -> Float[Tensor, "n classes"]:
    """Return the logits of many images, computed in batches."""
    batch = max(1, min(BATCH, BATCH_VALUES // max(1, pixels[0].numel())))
    with torch.no_grad():
        return torch.cat([network(part) for part in pixels.split(batch)])


def count_errors(
    network: nn.Module, pixels: Float[Tensor, "n ..."], labels: Int[Tensor, " n"]
) -> dict[str, int]:
    """Return how many images are given another class than their label, of how many."""
    wrong = int((predict(network, pixels).argmax(1) != labels).sum())
    return {"wrong": wrong, "images": len(labels)}
