"""The paper's networks, from pixels in [0, 1] to logits, and their files.

A network is described by its *architecture*, a small JSON-able dict that travels in
the header of its safetensors file, so that `load_model` needs nothing but the file.
"""

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from intriguing.errors import InputError

Architecture = Mapping[str, Any]


def perceptron(sizes: list[int], biases: list[bool]) -> nn.Sequential:
    """Flatten, then linear maps with sigmoids between them; the last gives logits."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs, bias in zip(sizes[:-1], sizes[1:], biases, strict=True):
        layers += [nn.Linear(inputs, outputs, bias=bias), nn.Sigmoid()]
    return nn.Sequential(*layers[:-1])


class Standardise(nn.Module):
    """Subtract a mean from each channel and divide by a deviation."""

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
    """Return layers one after the other: settings and, as ``layer``, the kind."""
    return nn.Sequential(*(_layer(**settings) for settings in layers))


def _layer(layer: str, **settings: Any) -> nn.Module:
    if layer not in LAYERS:
        raise InputError(f"unknown kind of layer {layer!r}; known: {list(LAYERS)}")
    return LAYERS[layer](**settings)


# Of the training images of ImageNet, by which torchvision's networks are trained.
IMAGENET = {"mean": [0.485, 0.456, 0.406], "deviation": [0.229, 0.224, 0.225]}


def registered(name: str) -> nn.Sequential:
    """Return one of torchvision's classifiers of ImageNet, on pixels in [0, 1]."""
    from torchvision.models import get_model  # a second, and rarely needed

    return nn.Sequential(Standardise(**IMAGENET), get_model(name, weights=None))


BUILDERS: Mapping[str, Callable[..., nn.Sequential]] = {
    "perceptron": perceptron,
    "sequential": sequential,
    "registered": registered,
}


def build(architecture: Architecture) -> nn.Sequential:
    """Return the untrained network that ``architecture`` describes."""
    settings = dict(architecture)
    kind = settings.pop("kind", None)
    if kind not in BUILDERS:
        raise InputError(f"unknown kind of network {kind!r}; known: {sorted(BUILDERS)}")
    return BUILDERS[kind](**settings)


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    """Return the linear maps of a network, from the pixels to the logits."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def perceptron_architecture(network: nn.Module) -> Architecture:
    """Describe a fully connected network, so that `build` can make it again."""
    layers = linear_layers(network)
    sizes = [layers[0].in_features, *(layer.out_features for layer in layers)]
    biases = [layer.bias is not None for layer in layers]
    return {"kind": "perceptron", "sizes": sizes, "biases": biases}


def serialise_model(
    network: nn.Module, architecture: Architecture, facts: Mapping[str, str]
) -> bytes:
    """Return a network as the bytes of a safetensors file.

    Args:
        network: The trained network.
        architecture: What `build` needs to make it again.
        facts: Further strings for the header, such as name and seed.
    """
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    header = {"architecture": json.dumps(dict(architecture), sort_keys=True)}
    return sort_header(save(weights, metadata={**facts, **header}))


def sort_header(content: bytes) -> bytes:
    """Order the keys of a safetensors header.

    The writer keeps metadata in a hash map with a random order, so that without
    this the same network would not give the same bytes.
    """
    (length,) = struct.unpack("<Q", content[:8])
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True)
    padded = header.encode() + b" " * (-len(header.encode()) % 8)
    return struct.pack("<Q", len(padded)) + padded + content[8 + length :]


def load_model(path: Path | str) -> nn.Sequential:
    """Return a trained network in eval mode, its weights frozen.

    The network maps pixels (N, C, H, W) in [0, 1] to logits (N, classes);
    normalisation, where there is any, is one of its layers.

    Raises:
        InputError: The file is no network of ours or holds weights that are not finite.
    """
    path = Path(path)
    network = build(read_architecture(path))
    try:
        network.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: weights do not fit the network: {reason}") from error
    for name, weights in network.state_dict().items():
        if not torch.isfinite(weights).all():
            raise InputError(
                f"{path}: {name} holds NaN or infinite weights; "
                "delete the file and train the network again"
            )
    return network.eval().requires_grad_(False)


def read_architecture(path: Path) -> Architecture:
    """Return the architecture stored in the header of a safetensors file."""
    try:
        with safe_open(path, "pt") as stored:
            return json.loads(stored.metadata()["architecture"])
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; train the network first") from error
    except (SafetensorError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a network of this project ({error})") from error


def predict(
    network: nn.Module, pixels: Float[Tensor, "n ..."], batch: int = 4096
) -> Float[Tensor, "n classes"]:
    """Return the logits of many images, computed in batches."""
    with torch.no_grad():
        return torch.cat([network(part) for part in pixels.split(batch)])


def count_errors(
    network: nn.Module, pixels: Float[Tensor, "n ..."], labels: Int[Tensor, " n"]
) -> dict[str, int]:
    """Return how many images are given another class than their label, of how many."""
    wrong = int((predict(network, pixels).argmax(1) != labels).sum())
    return {"wrong": wrong, "images": len(labels)}
