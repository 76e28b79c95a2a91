"""What is measured on each trained network."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack import find_adversarial
from intriguing.attack.targets import random_targets
from intriguing.data import to_pixels
from intriguing.errors import InputError
from intriguing.models.evaluation import predict
from intriguing.smoothness.design import Setting
from intriguing.smoothness.training import DIGITS

VARIANCE = 0.95
"""Share of the variance that the principal components of the data explain."""
SLOPES = {"sigmoid": 0.25, "squares": float("inf")}
"""Lipschitz constant of an activation, 1 where it is not listed."""


class Digits(nn.Module):
    """A network that tells parts of the digits apart, as one of the ten digits.

    The probability of a digit is the sum of those of its parts.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n 10"]:
        """Return the logits of the digits."""
        logits = self.network(images)
        return logits.reshape(len(logits), -1, DIGITS).logsumexp(1)


def measured(
    network: nn.Sequential,
    setting: Setting,
    images: Float[Tensor, "n 1 h w"],
    labels: Int[Tensor, " n"],
    components: Float[Tensor, "d k"],
    starts: int,
) -> dict[str, float]:
    """Return the measures of one network.

    Distances are L2 in pixels, of correctly classified images; means of logarithms, so
    that a factor multiplies them.

    Args:
        network: From pixels to logits.
        setting: How it was trained.
        images: Test images.
        labels: Their digits.
        components: Principal components of the data, orthonormal columns.
        starts: Starts of the minimal attack.
    """
    classes = min(setting.classes, DIGITS)
    model = Digits(network) if setting.classes > DIGITS else network
    truth = labels % classes
    logits = predict(model, images)
    right = logits.argmax(1) == truth
    if not right.any():
        raise InputError(
            f"smoothness: a network with {setting} classifies none of {len(images)} "
            "test images correctly; raise smoothness.steps or smoothness.attacked"
        )
    shown, own = images[right], truth[right]
    # The far starts begin near other images; one start begins at the image itself.
    attack: dict[str, Any] = {"method": "minimal", "starts": starts}
    attack |= {"start_images": images} if starts > 1 else {}
    found = find_adversarial(model, shown, labels=own, **attack)
    shift = (found.images - shown).flatten(1)[found.reached].double()
    lengths = shift.norm(dim=1)
    inside = (shift @ components.double()).square().sum(1) / lengths.square()
    margin, slope = margins(model, shown, own)
    targeted = float("nan")
    if classes > 2:
        target = random_targets(own, own, classes, seed=0)
        aimed = find_adversarial(model, shown, target, labels=own, **attack)
        shifts = (aimed.images - shown).flatten(1)[aimed.reached]
        targeted = float(shifts.double().norm(dim=1).log().mean())
    return {
        "error": 1 - float(right.float().mean()),
        "reached": float(found.reached.float().mean()),
        "log-distance": float(lengths.log().mean()),
        "log-distance-targeted": targeted,
        "log-margin": float(margin.log().mean()),
        "log-slope": float(slope.log().mean()),
        "log-product": float(np.log(product_of_norms(network, setting.activation))),
        "outside": float((1 - inside).mean()),
    }


def margins(
    model: nn.Module, images: Float[Tensor, "n 1 h w"], labels: Int[Tensor, " n"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Return the margins of correctly classified images and their gradients' norms."""
    inputs = images.clone().requires_grad_(True)
    logits = model(inputs)
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], float("-inf")).amax(1)
    margin = own - others
    (slope,) = torch.autograd.grad(margin.sum(), inputs)
    return margin.detach(), slope.flatten(1).norm(dim=1)


def product_of_norms(network: nn.Sequential, activation: str) -> float:
    """Return the product of the layers' operator norms and the activations' slopes."""
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    norms = [torch.linalg.matrix_norm(layer.weight.detach(), 2) for layer in layers]
    slopes = SLOPES.get(activation, 1.0) ** (len(layers) - 1)
    return float(torch.stack(norms).prod()) * slopes


def ceilings(
    test: Mapping[str, Tensor],
    train: Mapping[str, Tensor],
    attacked: int,
    counts: Sequence[int],
) -> dict[int, Float[np.ndarray, " n"]]:
    """Return `nearest_other_class` of the attacked images, by training images."""
    shown = to_pixels(test["images"][:attacked]).flatten(1)
    pixels, labels = to_pixels(train["images"]).flatten(1), train["labels"]
    return {
        n: nearest_other_class(
            shown, test["labels"][:attacked], pixels[:n], labels[:n]
        ).numpy()
        for n in counts
    }


def nearest_other_class(
    images: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    references: Float[Tensor, "m d"],
    classes: Int[Tensor, " m"],
) -> Float[Tensor, " n"]:
    """Return the distance of each image to the nearest reference of another class."""
    return torch.cat(list(_distances(images, labels, references, classes)))


def _distances(images, labels, references, classes) -> Iterator[Tensor]:
    for part, own in zip(images.split(64), labels.split(64), strict=True):
        distance = torch.cdist(part, references)
        distance[own[:, None] == classes[None]] = float("inf")
        yield distance.amin(1)
