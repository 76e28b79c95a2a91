"""Logits and error counts of many images."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


def predict(
    network: nn.Module, pixels: Float[Tensor, "n ..."], batch: int = 4096
) -> Float[Tensor, "n classes"]:
    """Return the logits of images, computed in batches."""
    with torch.no_grad():
        return torch.cat([network(images) for images in pixels.split(batch)])


def count_errors(
    network: nn.Module, pixels: Float[Tensor, "n ..."], labels: Int[Tensor, " n"]
) -> dict[str, int]:
    """Return the numbers of misclassified images (``wrong``) and of all ``images``."""
    wrong = int((predict(network, pixels).argmax(1) != labels).sum())
    return {"wrong": wrong, "images": len(labels)}
