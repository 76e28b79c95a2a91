"""Logits and error counts of many images, and models put back as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

BATCH, BATCH_VALUES = 4096, 2**22
"""Most images of a pass, and most pixels of them, which bounds the memory."""


def predict(
    network: nn.Module, pixels: Float[Tensor, "n ..."]
) -> Float[Tensor, "n classes"]:
    """Return the logits of images, computed in batches."""
    batch = max(1, min(BATCH, BATCH_VALUES // max(1, pixels[0].numel())))
    with torch.no_grad():
        return torch.cat([network(images) for images in pixels.split(batch)])


def count_errors(
    network: nn.Module, pixels: Float[Tensor, "n ..."], labels: Int[Tensor, " n"]
) -> dict[str, int]:
    """Return the numbers of misclassified images (``wrong``) and of all ``images``."""
    wrong = int((predict(network, pixels).argmax(1) != labels).sum())
    return {"wrong": wrong, "images": len(labels)}


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, and back as it was, random state included."""
    training = {module: module.training for module in model.modules()}
    devices = sorted({p.device.index for p in model.parameters() if p.is_cuda})
    with torch.inference_mode(False), torch.random.fork_rng(devices):
        try:
            model.eval()
            yield
        finally:
            for module, flag in training.items():
                module.training = flag
