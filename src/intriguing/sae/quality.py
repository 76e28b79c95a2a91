"""How good a sparse code is: reconstruction, dead latents, accuracy, agreement."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from intriguing.sae.code import SparseCode
from intriguing.stats.selectivity import top_shares


def unexplained(code: SparseCode, activations: Float[Tensor, "n units"]) -> float:
    """Return the fraction of variance that the code leaves unexplained (FVU)."""
    error = (code(activations) - activations).square().sum()
    return float(error / (activations - activations.mean(0)).square().sum())


def dead_share(code: SparseCode, activations: Float[Tensor, "n units"]) -> float:
    """Return the share of latents that no image activates."""
    return float((code.encode(activations) == 0).all(0).float().mean())


def accuracy(
    head: nn.Module, activations: Float[Tensor, "n units"], labels: Int[Tensor, " n"]
) -> float:
    """Return the share of correct predictions from the activations of a layer."""
    return float((head(activations).argmax(1) == labels).float().mean())


def agreement(
    first: Float[Tensor, "units latents"], second: Float[Tensor, "units others"]
) -> float:
    """Return the mean over latents of the largest cosine with one of another code.

    Args:
        first: Unit vectors, the columns.
        second: Unit vectors of a code of the same activations, with another seed.
    """
    return float((first.T @ second).amax(1).mean())


def purities(
    code: SparseCode,
    activations: Float[Tensor, "n units"],
    labels: Int64[Tensor, " n"],
    generator: torch.Generator,
) -> dict[str, float]:
    """Return the mean purity of the top images of latents, units and directions.

    Latents are ranked by their values before most are set to 0: linear functions of the
    activations, as units and random directions are.

    Args:
        code: Of the layer.
        activations: Of images.
        labels: Their classes.
        generator: Decides the random directions, as many as there are latents.
    """
    latents = code.scores(activations)
    units = activations.shape[1]
    random = torch.randn(units, latents.shape[1], generator=generator)
    ranked = {"latents": latents, "units": activations, "random": activations @ random}
    return {
        f"purity-{name}": float(top_shares(scores.T, labels).amax(1).mean())
        for name, scores in ranked.items()
    }


def quality(
    code: SparseCode,
    head: nn.Module,
    activations: Float[Tensor, "n units"],
    labels: Int[Tensor, " n"],
) -> dict[str, float]:
    """Return the measures of a code, on images that it was not trained on.

    Args:
        code: Of the layer.
        head: The network from that layer to the logits.
        activations: Of the images.
        labels: Their classes.
    """
    with torch.no_grad():
        return {
            "fvu": unexplained(code, activations),
            "dead": dead_share(code, activations),
            "accuracy": accuracy(head, activations, labels),
            "spliced": accuracy(head, code(activations), labels),
        }
