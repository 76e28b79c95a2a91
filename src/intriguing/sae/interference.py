"""Interference: latents that move because their directions overlap with others.

Stevinson et al. (2025) hold that adversarial perturbations use the overlaps between the
directions of features, so that the features of the target and of the label predict how
much every other feature is moved.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from intriguing.sae.code import SparseCode
from intriguing.sae.perturbations import Attacked

RANDOM_DIRECTIONS = 100


class Interference(NamedTuple):
    """What overlaps predict for each image.

    Attributes:
        code: The code.
        before: Activations of the clean images.
        predicted: Changes of the scores of all latents, up to a factor.
        compared: Latents that the clean image does not activate, but others do.
    """

    code: SparseCode
    before: Float[Tensor, "n units"]
    predicted: Float[Tensor, "n latents"]
    compared: Bool[Tensor, "n latents"]

    def correlations(self, after: Float[Tensor, "n units"]) -> Float[Tensor, " n"]:
        """Return the correlation over latents of predicted and actual changes."""
        change = self.code.scores(after) - self.code.scores(self.before)
        return correlations_where(self.compared, change, self.predicted)


def interference_of(
    code: SparseCode,
    before: Float[Tensor, "n units"],
    attacked: Attacked,
    activations: Float[Tensor, "m units"],
    labels: Int[Tensor, " m"],
) -> Interference:
    """Return what the latents of target and label predict for all other latents.

    The prediction is ``(G - I) (z_target - z_label)``, where G is the Gram matrix of
    the directions and ``z`` are the mean latents of a class. A latent's own part is
    left out with the diagonal. ``before`` are the activations of the clean images,
    ``activations`` and ``labels`` those of the training images.
    """
    classes = range(int(labels.max()) + 1)
    means = [code.encode(activations[labels == one]).mean(0) for one in classes]
    latents = torch.stack(means)  # by class, as all latents at once are large
    overlaps = code.directions().T @ code.directions()
    overlaps = overlaps.fill_diagonal_(0.0)
    predicted = (latents[attacked.targets] - latents[attacked.labels]) @ overlaps
    compared = (code.encode(before) == 0) & (latents > 0).any(0)
    return Interference(code, before, predicted, compared)


def correlations_where(
    compared: Bool[Tensor, "n m"],
    first: Float[Tensor, "n m"],
    second: Float[Tensor, "n m"],
) -> Float[Tensor, " n"]:
    """Return Pearson's correlation of the entries compared, 0 if a row is constant."""
    count = compared.sum(1, keepdim=True).clamp(min=1)

    def centred(values: Tensor) -> Tensor:
        mean = (values * compared).sum(1, keepdim=True) / count
        return (values - mean) * compared

    return cosine_similarity(centred(first), centred(second))


def random_directions(
    perturbations: Float[Tensor, "n d"], generator: torch.Generator
) -> Iterator[Float[Tensor, "n d"]]:
    """Yield `RANDOM_DIRECTIONS` random perturbations with the norms of those given."""
    lengths = perturbations.norm(dim=1, keepdim=True)
    for _ in range(RANDOM_DIRECTIONS):
        yield lengths * normalize(torch.randn(perturbations.shape, generator=generator))
