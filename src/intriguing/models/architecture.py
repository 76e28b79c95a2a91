"""Networks built from a description, their *architecture*.

An architecture is a small dict that JSON can hold. It is stored in the header of the
safetensors file of a network, so that `load_model` needs only the file.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from intriguing.errors import InputError
from intriguing.models.perceptron import perceptron

Architecture = Mapping[str, Any]


class Standardise(nn.Module):
    """Subtract the mean of each channel, and divide by its standard deviation."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: list[float], deviation: list[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(-1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation).reshape(-1, 1, 1))

    def forward(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Return the standardised pixels."""
        return (pixels - self.mean) / self.deviation


LAYERS: Mapping[str, type[nn.Module]] = {
    "standardise": Standardise,
    "conv": nn.Conv2d,
    "relu": nn.ReLU,
    "max-pool": nn.MaxPool2d,
    "contrast": nn.LocalResponseNorm,
    "flatten": nn.Flatten,
    "dropout": nn.Dropout,
    "linear": nn.Linear,
}


def sequential(layers: list[dict[str, Any]]) -> nn.Sequential:
    """Return layers in sequence; ``layer`` names the kind, other keys are settings."""
    return nn.Sequential(*(_layer(**settings) for settings in layers))


def _layer(layer: str, **settings: Any) -> nn.Module:
    if layer not in LAYERS:
        raise InputError(f"unknown kind of layer {layer!r}; known: {list(LAYERS)}")
    return LAYERS[layer](**settings)


IMAGENET = {"mean": [0.485, 0.456, 0.406], "deviation": [0.229, 0.224, 0.225]}
"""Statistics of ImageNet, by which torchvision's networks standardise pixels."""


def torchvision_classifier(name: str) -> nn.Sequential:
    """Return an untrained ImageNet classifier of torchvision, on pixels in [0, 1]."""
    from torchvision.models import get_model  # takes a second, and is rarely needed

    return nn.Sequential(Standardise(**IMAGENET), get_model(name, weights=None))


BUILDERS: Mapping[str, Callable[..., nn.Sequential]] = {
    "perceptron": perceptron,
    "sequential": sequential,
    "torchvision": torchvision_classifier,
}


def build(architecture: Architecture) -> nn.Sequential:
    """Return the untrained network that ``architecture`` describes."""
    settings = dict(architecture)
    kind = settings.pop("kind", None)
    if kind not in BUILDERS:
        raise InputError(f"unknown kind of network {kind!r}; known: {sorted(BUILDERS)}")
    return BUILDERS[kind](**settings)
