"""Networks and adversarial images in a form that a page in a browser can compute with.

Arrays are base64 of their bytes, little-endian. Weights and adversarial images stay in
single precision, because adversarial images lie at the decision boundary.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from intriguing.models.perceptron import linear_layers


def described_network(network: nn.Sequential) -> list[dict[str, Any]]:
    """Return the linear layers of a network of the paper; sigmoids lie between them."""
    return [
        {
            "inputs": layer.in_features,
            "outputs": layer.out_features,
            "weight": _encoded(layer.weight, "<f4"),
            "bias": None if layer.bias is None else _encoded(layer.bias, "<f4"),
        }
        for layer in linear_layers(network)
    ]


def described_images(
    made: Mapping[str, Mapping[str, Tensor]], targets: int
) -> dict[str, Any]:
    """Return some images of each digit, with what each attack made of them.

    Args:
        made: By attack: ``clean``, ``adversarial``, ``label``, ``target``, of the same
            images in the same order.
        targets: Number of targets for each digit; the first image of each is taken.
    """
    first, *_ = made.values()
    labels, classes = first["label"], first["target"]
    found = chosen_images(labels, classes, _reached(made), targets)
    return {
        "labels": labels[found].tolist(),
        "targets": classes[found].tolist(),
        "clean": _encoded((255 * first["clean"][found]).round(), "u1"),
        "adversarial": {
            attack: _encoded(images["adversarial"][found], "<f4")
            for attack, images in made.items()
        },
    }


def chosen_images(
    labels: Int64[Tensor, " n"],
    targets: Int64[Tensor, " n"],
    reached: Bool[Tensor, " n"],
    count: int,
) -> list[int]:
    """Return indices of images with different targets, ``count`` for each label."""
    chosen: dict[int, dict[int, int]] = {}
    for index in reached.nonzero().flatten().tolist():
        own = chosen.setdefault(int(labels[index]), {})
        if len(own) < count:
            own.setdefault(int(targets[index]), index)
    return [i for label in sorted(chosen) for _, i in sorted(chosen[label].items())]


def _reached(made: Mapping[str, Mapping[str, Tensor]]) -> Bool[Tensor, " n"]:
    """Return for which images all attacks succeeded; the others are left clean."""
    changed = [
        (one["adversarial"] != one["clean"]).flatten(1).any(1) for one in made.values()
    ]
    together = changed[0]
    for other in changed[1:]:
        together = together & other
    return together


def _encoded(values: Float[Tensor, "..."], kind: str) -> str:
    return b64encode(values.detach().numpy().astype(np.dtype(kind)).tobytes()).decode()
