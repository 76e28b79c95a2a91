"""Minimal perturbations of images towards random targets."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack import find_adversarial
from intriguing.attack.targets import random_targets
from intriguing.models.evaluation import predict
from intriguing.sae.perturbations import Attacked

STARTS = 8


def attack_both(
    network: nn.Module,
    other: nn.Module,
    images: Float[Tensor, "n c h w"],
    labels: Int[Tensor, " n"],
    start_images: Float[Tensor, "m c h w"],
    seed: int,
) -> tuple[Attacked, Float[Tensor, "k d"]]:
    """Return minimal perturbations for a network, and those for another network.

    Both are of the same images towards the same targets. Images that one of the two
    does not give, or that it gives the target already, are left out. The ``labels`` of
    the result are the network's predictions for the clean images, so that an untrained
    network has a margin too.

    Args:
        network: The network whose code is examined.
        other: One of the same kind with another seed.
        images: Clean images.
        labels: Their classes, which are no targets.
        start_images: Training images from which the search starts.
        seed: Decides the targets.
    """
    logits = predict(network, images)
    predicted = logits.argmax(1)
    targets = random_targets(labels, predicted, logits.shape[1], seed)
    how = {"method": "minimal", "starts": STARTS, "start_images": start_images}
    found, again = (
        find_adversarial(one, images, targets, **how) for one in (network, other)
    )
    lengths = torch.minimum(found.distortion, again.distortion)
    kept = found.reached & again.reached & (lengths > 0)
    pixels = images[kept].flatten(1)
    own, others = (one.images[kept].flatten(1) - pixels for one in (found, again))
    return Attacked(pixels, predicted[kept], targets[kept], own), others
