"""Pools of adversarial examples at the layers of a network (section 4.2).

The paper keeps a pool of adversarial examples, replaces a random part of it all the
time, and mixes it with the training set; in its best runs one pool for the output of
each layer, whose examples train all layers above. It gives no settings. Here an example
is made in one step: towards the boundary with the strongest wrong class, by a length
that is the same for all examples of a layer. A pool has one example for each training
image, kept as the shift from the image's own output, which moves while the network is
trained.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional


def parts_of(network: nn.Sequential) -> list[nn.Sequential]:
    """Return the parts from each layer's output to the next one's; the last to logits.

    Args:
        network: Flattens, then linear maps with sigmoids between them.
    """
    ends = [i + 1 for i, part in enumerate(network) if isinstance(part, nn.Sigmoid)]
    bounds = [1, *ends, len(network)]
    return [network[start:end] for start, end in pairwise(bounds)]


def adversarial_shifts(
    network: nn.Sequential,
    pixels: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    lengths: Mapping[int, float],
) -> dict[int, Float[Tensor, "n _"]]:
    """Return shifts of the outputs of some layers against the labels.

    Each goes along the gradient of the strongest wrong logit less the label's, by a
    given L2 length. It is 0 for what is answered wrongly already, which is adversarial
    as it is.

    Args:
        network: As for `parts_of`.
        pixels: Images, flattened.
        labels: True classes.
        lengths: L2 length of a shift, by layer; 0 is the pixels.
    """
    outputs = [pixels.clone().requires_grad_()]
    for part in parts_of(network):
        outputs.append(part(outputs[-1]))
    logits = outputs[-1]
    own = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, labels[:, None], True)
    margin = logits[own] - logits.masked_fill(own, -torch.inf).amax(1)
    wanted = [outputs[layer] for layer in lengths]
    slopes = torch.autograd.grad(-margin.sum(), wanted)
    right = margin.detach()[:, None] > 0
    return {
        layer: length * right * functional.normalize(slope)
        for (layer, length), slope in zip(lengths.items(), slopes, strict=True)
    }


def moved(
    outputs: Float[Tensor, "n d"], shifts: Float[Tensor, "n d"]
) -> Float[Tensor, "n d"]:
    """Return shifted outputs, cut back to [0, 1], where pixels and sigmoids lie."""
    return (outputs + shifts).clamp(0, 1)


class Pools:
    """One adversarial example for each training image, at each of some layers.

    Attributes:
        lengths: L2 length of the shifts, by layer; 0 is the pixels.
        shifts: From the output of each of these layers.
        met: Which images have examples.
    """

    def __init__(
        self, images: int, widths: Sequence[int], lengths: Mapping[int, float]
    ) -> None:
        self.lengths = lengths
        self.shifts = {layer: torch.zeros(images, widths[layer]) for layer in lengths}
        self.met = torch.zeros(images, dtype=torch.bool)

    def renew(
        self,
        network: nn.Sequential,
        pixels: Float[Tensor, "n d"],
        labels: Int[Tensor, " n"],
        rows: Int[Tensor, " n"],
    ) -> None:
        """Replace the examples of some images by those for the network as it is now.

        Args:
            network: As for `parts_of`.
            pixels: Images, flattened.
            labels: True classes.
            rows: Places of the images in the training set.
        """
        made = adversarial_shifts(network, pixels, labels, self.lengths)
        for layer, shifts in made.items():
            self.shifts[layer][rows] = shifts
        self.met[rows] = True

    def due(
        self, rows: Int[Tensor, " n"], share: float, generator: torch.Generator
    ) -> Int[Tensor, " m"]:
        """Return those images that have no examples, and a random share of the rest."""
        drawn = torch.rand(len(rows), generator=generator) < share
        return rows[drawn | ~self.met[rows]]
