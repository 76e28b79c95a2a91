"""Adversarial perturbations, controls of equal norm, and what they do to a code.

Every perturbation of an image has the norm of its adversarial perturbation r. Images
are not clipped to [0, 1], so that a control keeps its norm.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.sae.code import SparseCode
from intriguing.stats.components import principal_components

ADVERSARIAL, RANDOM, NATURAL, MEAN = "adversarial", "random", "natural", "target-mean"
OTHER, SIGNS = "other-network", "random-signs"
"""Rows of the table: r; a random direction; towards an image of the target class;
towards that class's mean; r of another network; r with random signs in its principal
components."""


class Attacked(NamedTuple):
    """Images, flattened, and what they were perturbed to."""

    pixels: Float[Tensor, "n d"]
    labels: Int[Tensor, " n"]
    targets: Int[Tensor, " n"]
    perturbations: Float[Tensor, "n d"]


class Background(NamedTuple):
    """Training images, flattened, from which controls are made."""

    pixels: Float[Tensor, "m d"]
    labels: Int[Tensor, " m"]

    def means(self) -> Float[Tensor, "classes d"]:
        """Return the mean image of each class."""
        return class_means(self.pixels, self.labels)


def class_means(
    values: Float[Tensor, "n d"], labels: Int[Tensor, " n"]
) -> Float[Tensor, "classes d"]:
    """Return the mean of each class."""
    classes = range(int(labels.max()) + 1)
    return torch.stack([values[labels == one].mean(0) for one in classes])


def perturbations_of(
    attacked: Attacked,
    other: Float[Tensor, "n d"],
    background: Background,
    generator: torch.Generator,
) -> dict[str, Float[Tensor, "n d"]]:
    """Return the adversarial perturbations and their controls, all of equal norm.

    Args:
        attacked: Images and their perturbations.
        other: Perturbations of the same images to the same targets, found for a network
            with another seed.
        background: Training images.
        generator: Decides what is random.
    """
    pixels, r = attacked.pixels, attacked.perturbations
    _, axes = principal_components(background.pixels)
    signs = torch.randint(0, 2, r.shape, generator=generator) * 2.0 - 1
    found = {
        ADVERSARIAL: r,
        OTHER: other,
        MEAN: background.means()[attacked.targets] - pixels,
        NATURAL: images_of_class(background, attacked.targets, generator) - pixels,
        SIGNS: ((r @ axes) * signs) @ axes.T,
        RANDOM: torch.randn(r.shape, generator=generator),
    }
    length = r.norm(dim=1, keepdim=True)
    return {
        name: one * (length / one.norm(dim=1, keepdim=True).clamp(min=1e-12))
        for name, one in found.items()
    }


def images_of_class(
    background: Background, classes: Int[Tensor, " n"], generator: torch.Generator
) -> Float[Tensor, "n d"]:
    """Return a random training image of each class."""
    weight = (background.labels[None, :] == classes[:, None]).float()
    return background.pixels[torch.multinomial(weight, 1, generator=generator)[:, 0]]


def margin(
    logits: Float[Tensor, "n classes"],
    labels: Int[Tensor, " n"],
    targets: Int[Tensor, " n"],
) -> Float[Tensor, " n"]:
    """Return the logit of the target less that of the label."""
    rows = torch.arange(len(logits))
    return logits[rows, targets] - logits[rows, labels]


def margin_changes(
    code: SparseCode,
    head: nn.Module,
    before: Float[Tensor, "n units"],
    after: Float[Tensor, "n units"],
    attacked: Attacked,
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Return how much the margin changes, and how much of it the code carries.

    The part that the code carries is the change when only the reconstruction changes
    and its error stays as it was: ``m(h + c(h') - c(h)) - m(h)``.

    Args:
        code: Of the layer.
        head: The network from that layer to the logits.
        before: Activations h of the clean images.
        after: Activations h' of the perturbed images.
        attacked: Gives labels and targets.
    """

    def change(activations: Tensor) -> Tensor:
        classes = attacked.labels, attacked.targets
        return margin(head(activations), *classes) - margin(head(before), *classes)

    return change(after), change(before + code(after) - code(before))


def code_changes(
    code: SparseCode, before: Float[Tensor, "n units"], after: Float[Tensor, "n units"]
) -> dict[str, Float[Tensor, " n"]]:
    """Return how a perturbation changes the latents of each image.

    Returns:
        ``switched``: latents that are active in one of the two; ``jaccard``: those
        active in both, as a share of those active in one or both; ``participation``:
        effective number of latents that share the change,
        ``(sum |dz|)^2 / sum dz^2``.
    """
    old, new = code.encode(before), code.encode(after)
    either = ((old > 0) | (new > 0)).sum(1)
    both = ((old > 0) & (new > 0)).sum(1)
    change = (new - old).abs()
    squares = change.square().sum(1).clamp(min=1e-12)
    return {
        "switched": (either - both).float(),
        "jaccard": both / either.clamp(min=1),
        "participation": change.sum(1).square() / squares,
    }


def alignments(
    change: Float[Tensor, "n units"],
    latents: Float[Tensor, "units latents"],
    components: Float[Tensor, "units units"],
    towards: Float[Tensor, "n units"],
) -> dict[str, Float[Tensor, " n"]]:
    """Return the largest absolute cosine of each change with directions of the layer.

    Args:
        change: Of the activations.
        latents: Unit vectors of the code, the columns.
        components: Principal components of the activations, the columns.
        towards: From the mean activations of the label to those of the target.
    """
    unit = change / change.norm(dim=1, keepdim=True).clamp(min=1e-12)
    straight = towards / towards.norm(dim=1, keepdim=True)
    return {
        "cos-latent": (unit @ latents).abs().amax(1),
        "cos-neuron": unit.abs().amax(1),
        "cos-component": (unit @ components).abs().amax(1),
        "cos-means": (unit * straight).sum(1),
    }
