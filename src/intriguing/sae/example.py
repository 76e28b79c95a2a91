"""One perturbed image, the latents that change most, and what the code leaves over."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from intriguing.sae.code import SparseCode
from intriguing.sae.measure import Layer
from intriguing.sae.perturbations import Attacked, margin

LATENTS, IMAGES = 4, 6
"""Latents shown of each kind, and images of each latent."""


class Latent(NamedTuple):
    """A latent that a perturbation changes.

    Attributes:
        change: Of its value, in units of the layer's root mean square distance from the
            mean.
        images: Test images that activate it most, by number.
    """

    change: float
    images: Int[Tensor, " images"]


class Example(NamedTuple):
    """An image, its perturbation, and both through a code.

    Attributes:
        clean: The image, flattened.
        perturbation: Its adversarial perturbation r.
        label: The network's prediction for the image.
        target: Its prediction for the perturbed image.
        falling: Latents that r weakens most.
        rising: Latents that r strengthens most.
        margins: Logit of the target less that of the label: clean, with r, with the
            code's part of r only, with the rest only.
    """

    clean: Float[Tensor, " d"]
    perturbation: Float[Tensor, " d"]
    label: int
    target: int
    falling: list[Latent]
    rising: list[Latent]
    margins: dict[str, float]


def example_of(
    layer: Layer,
    code: SparseCode,
    attacked: Attacked,
    number: int,
    activations: Float[Tensor, "n units"],
) -> Example:
    """Return what the perturbation of one image does.

    Args:
        layer: The layer.
        code: Of its activations.
        attacked: Images and their perturbations.
        number: Of the image among them.
        activations: Of the test images from which those of a latent are taken.
    """
    pixels, labels, targets, r = (part[number : number + 1] for part in attacked)
    before, after = layer.encoder(pixels), layer.encoder(pixels + r)
    coded = code(after) - code(before)
    states = {
        "clean image": before,
        "with r": after,
        "with the code's part of r": before + coded,
        "with the rest of r": after - coded,
    }
    margins = {
        name: float(margin(layer.head(state), labels, targets))
        for name, state in states.items()
    }
    change = (code.encode(after) - code.encode(before))[0]
    order, latents = change.argsort(), code.encode(activations)

    def shown(places: Tensor) -> list[Latent]:
        top = latents[:, places].topk(IMAGES, dim=0).indices.T
        return [
            Latent(float(change[j]), one) for j, one in zip(places, top, strict=True)
        ]

    falling, rising = shown(order[:LATENTS]), shown(order.flip(0)[:LATENTS])
    which = int(labels), int(targets)
    return Example(pixels[0], r[0], *which, falling, rising, margins)


def typical_image(attacked: Attacked) -> int:
    """Return the number of the image whose perturbation has the median length."""
    lengths = attacked.perturbations.norm(dim=1)
    return int(torch.argsort(lengths)[len(lengths) // 2])
