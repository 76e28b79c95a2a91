"""Sparse autoencoders of the activations of a layer: TopK and BatchTopK.

A code represents activations h by few of many *latents*: ``z = keep(W (h - c) + b)``
and ``h ~ c + D z``, where the columns of D have unit norm. TopK (Makhzani and Frey
2013, Gao et al. 2024) keeps the k largest of each image, BatchTopK (Bussmann et al.
2024) the k n largest of n images.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intriguing.stats.components import leading_components
from intriguing.training.loop import Adam, AdamRecipe, cosine_schedule

SPAN = 0.99
"""Share of the variance of activations held by the space in which latents start.

A direction outside it would lose to others on every image, and its latent stay dead.
"""

Keep = Callable[[Float[Tensor, "n latents"]], Float[Tensor, "n latents"]]
"""Sets all but some values to 0; those kept are positive."""


def top_k(k: int) -> Keep:
    """Return the function that keeps the k largest values of each image."""

    def keep(values: Tensor) -> Tensor:
        largest = values.topk(k, dim=1)
        zeros = torch.zeros_like(values)
        return zeros.scatter(1, largest.indices, largest.values.relu())

    return keep


def batch_top_k(k: int) -> Keep:
    """Return the function that keeps the ``k n`` largest values of n images."""

    def keep(values: Tensor) -> Tensor:
        return above(least_of_batch(values, k))(values)

    return keep


def least_of_batch(values: Float[Tensor, "n latents"], k: int) -> float:
    """Return the smallest value that BatchTopK keeps, at least 0."""
    kept = values.detach().flatten().topk(k * len(values), sorted=False).values
    return max(float(kept.min()), 0.0)


def above(threshold: float) -> Keep:
    """Return the function that keeps the values from a threshold on."""
    return lambda values: values.relu() * (values >= threshold)


class SparseCode(nn.Module):
    """A code; its units are those of the activations.

    Attributes:
        keep: Chooses the latents of each image.
        centre: Mean activations, subtracted first, (units,).
        scale: Root mean square distance from them, by which the latents are measured.
        encoder: Gives the latents, (latents, units), with ``bias`` (latents,).
        decoder: Column ``j`` is the direction of latent ``j``, (units, latents).
    """

    centre: Tensor
    scale: Tensor

    def __init__(
        self,
        activations: Float[Tensor, "n units"],
        latents: int,
        keep: Keep,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        units = activations.shape[1]
        self.keep = keep
        span = leading_components(activations, SPAN)
        random = torch.randn(units, latents, generator=generator)
        directions = span @ (span.T @ random)
        directions = directions / directions.norm(dim=0)
        self.decoder = nn.Parameter(directions)
        self.encoder = nn.Parameter(directions.T.clone())
        self.bias = nn.Parameter(torch.zeros(latents))
        self.register_buffer("centre", activations.mean(0))
        deviation = (activations - self.centre).square().sum(1).mean().sqrt()
        self.register_buffer("scale", deviation)

    def directions(self) -> Float[Tensor, "units latents"]:
        """Return the unit vectors that the latents stand for."""
        return self.decoder / self.decoder.norm(dim=0)

    def scores(self, activations: Float[Tensor, "n units"]) -> Float[Tensor, "n m"]:
        """Return the values of all latents before most are set to 0."""
        return (activations - self.centre) / self.scale @ self.encoder.T + self.bias

    def encode(self, activations: Float[Tensor, "n units"]) -> Float[Tensor, "n m"]:
        """Return the latents of activations."""
        return self.keep(self.scores(activations))

    def decode(self, latents: Float[Tensor, "n m"]) -> Float[Tensor, "n units"]:
        """Return the activations that latents stand for."""
        return self.centre + self.scale * (latents @ self.directions().T)

    def forward(self, activations: Float[Tensor, "n units"]) -> Tensor:
        """Return the reconstruction of activations."""
        return self.decode(self.encode(activations))


def fit_code(
    code: SparseCode,
    activations: Float[Tensor, "n units"],
    recipe: AdamRecipe,
    generator: torch.Generator,
    fixed: tuple[str, ...] = (),
) -> SparseCode:
    """Return the code trained on the squared error of its reconstruction.

    Args:
        code: Changed in place.
        activations: Of the training images.
        recipe: Settings of Adam.
        generator: Decides the order of the images.
        fixed: Names of parameters that are not trained.
    """
    trained = [p for name, p in code.named_parameters() if name not in fixed]
    optimiser, step = Adam({0.0: trained}), 0
    batch = min(recipe.batch, len(activations))
    steps = recipe.epochs * (len(activations) // batch)
    share = cosine_schedule(steps, recipe.warmup)
    for _ in range(recipe.epochs):
        order = torch.randperm(len(activations), generator=generator)
        for rows in order[: len(order) // batch * batch].split(batch):
            error = (code(activations[rows]) - activations[rows]) / code.scale
            error.square().sum(1).mean().backward()
            optimiser.step(recipe.learning_rate * share(step))
            step += 1
    return code.requires_grad_(False)
