"""Pools of adversarial examples at the layers of a network (section 4.2).

The paper keeps a pool of adversarial examples, replaces a random part of it at each
step, and mixes it with the training set. Its best networks have one pool for the output
of each layer, and the examples of a pool train the layers above. The paper gives no
settings. Here an example is made by one step of fixed length along the gradient that
raises the strongest wrong logit above the label's. A pool has one example for each
training image; it stores the perturbation, which is added to the activations that the
network has when the example is used.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional


def stages(network: nn.Sequential) -> list[nn.Sequential]:
    """Return the maps from each layer's activations to the next, the last to logits.

    Args:
        network: A flattening, then linear maps with sigmoids between them.
    """
    ends = [i + 1 for i, layer in enumerate(network) if isinstance(layer, nn.Sigmoid)]
    return [network[start:end] for start, end in pairwise([1, *ends, len(network)])]


def adversarial_perturbations(
    network: nn.Sequential,
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    lengths: Mapping[int, float],
) -> dict[int, Float[Tensor, "n _"]]:
    """Return adversarial perturbations of the activations of some layers.

    Each follows the gradient of the largest wrong logit minus the label's logit, and
    has the L2 length of its layer; layer 0 is the pixels. It is 0 for an image that the
    network misclassifies.
    """
    activations = [pixels.clone().requires_grad_()]
    for stage in stages(network):
        activations.append(stage(activations[-1]))
    logits = activations[-1]
    is_label = torch.zeros_like(logits, dtype=torch.bool)
    is_label.scatter_(1, labels[:, None], True)
    margins = logits[is_label] - logits.masked_fill(is_label, -torch.inf).amax(1)
    gradients = torch.autograd.grad(
        -margins.sum(), [activations[layer] for layer in lengths]
    )
    is_correct = margins.detach()[:, None] > 0
    return {
        layer: length * is_correct * functional.normalize(gradient)
        for (layer, length), gradient in zip(lengths.items(), gradients, strict=True)
    }


def perturbed(
    activations: Float[Tensor, "n d"], perturbations: Float[Tensor, "n d"]
) -> Float[Tensor, "n d"]:
    """Return perturbed activations, clamped to [0, 1] as pixels and sigmoids are."""
    return (activations + perturbations).clamp(0, 1)


class Pools:
    """One adversarial example for each training image, at each of some layers.

    Attributes:
        lengths: L2 length of the perturbations, by layer; layer 0 is the pixels.
        perturbations: Of the activations of each of these layers, (images, units).
        is_filled: Which images have examples.
    """

    def __init__(
        self, images: int, widths: Sequence[int], lengths: Mapping[int, float]
    ) -> None:
        self.lengths = lengths
        self.perturbations = {
            layer: torch.zeros(images, widths[layer]) for layer in lengths
        }
        self.is_filled = torch.zeros(images, dtype=torch.bool)

    def update(
        self,
        network: nn.Sequential,
        pixels: Float[Tensor, "n d"],
        labels: Int[Tensor, " n"],
        indices: Int[Tensor, " n"],
    ) -> None:
        """Replace the examples of some images of the training set, for this network."""
        found = adversarial_perturbations(network, pixels, labels, self.lengths)
        for layer, perturbations in found.items():
            self.perturbations[layer][indices] = perturbations
        self.is_filled[indices] = True

    def due(
        self, indices: Int[Tensor, " n"], share: float, generator: torch.Generator
    ) -> Int[Tensor, " m"]:
        """Return the images without examples, and a random share of the others."""
        is_sampled = torch.rand(len(indices), generator=generator) < share
        return indices[is_sampled | ~self.is_filled[indices]]
