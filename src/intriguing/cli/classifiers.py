"""Networks by the name or file that the command line gives."""

import warnings
from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from intriguing.attack.model_checks import FROZEN, probe, require_logits
from intriguing.errors import InputError
from intriguing.models.architecture import Standardise
from intriguing.models.checks import reason_of
from intriguing.models.files import load_model

TORCHVISION = "torchvision:"


class Classifier(NamedTuple):
    """A network from pixels in [0, 1] to logits, and the pictures that it takes.

    Attributes:
        network: In eval mode, its weights frozen.
        shape: Channels, height and width of a picture.
        resize: Length that a picture's shorter side is scaled to before it is cropped.
        names: Of the classes; empty where only their numbers are known.
    """

    network: nn.Module
    shape: tuple[int, int, int]
    resize: int
    names: tuple[str, ...] = ()

    def name(self, number: int) -> str:
        """Return the name of a class with its number."""
        return f"{self.names[number]} ({number})" if self.names else f"class {number}"

    def number(self, name: str) -> int:
        """Return the number of a class by its number or name.

        Raises:
            InputError: There is no such class, or the name is not known.
        """
        if name.isdecimal():
            return int(name)
        if name not in self.names:
            hint = "as torchvision spells it" if self.names else "names are not known"
            raise InputError(f"target {name!r}: give a number or a name, {hint}")
        return self.names.index(name)


def read_classifier(model: str, weights: Path | None, size: int | None) -> Classifier:
    """Return a network by its file or its name in torchvision.

    Args:
        model: ``torchvision:NAME``, a ``.safetensors`` file of this project, or a
            TorchScript file.
        weights: File with the weights of a network of torchvision, which are otherwise
            downloaded.
        size: Height and width of the pictures, needed where the file does not say it.

    Raises:
        InputError: The network or its weights cannot be read, or the size is missing.
    """
    if model.startswith(TORCHVISION):
        return from_torchvision(model.removeprefix(TORCHVISION), weights)
    if weights is not None:
        raise InputError(f"--weights goes with --model {TORCHVISION}NAME, not {model}")
    path = Path(model)
    if not path.is_file():
        known = f"or {TORCHVISION}NAME"
        raise InputError(f"{model}: no such file; give a file of a network, {known}")
    network = load_model(path) if path.suffix == ".safetensors" else read_script(path)
    shape = shape_of(network, size)
    require_classifier(path, network, shape)
    return Classifier(network, shape, shape[1])


def require_classifier(
    path: Path, network: nn.Module, shape: tuple[int, int, int]
) -> None:
    """Refuse a network that gives a float32 picture no logits."""
    try:
        output = probe(network, torch.zeros(1, *shape))
    except RuntimeError as error:
        raise InputError(
            f"{path}: the network does not take float32 pictures of shape {shape} "
            f"({reason_of(error)}); --size gives the height"
        ) from error
    require_logits(output, 1)


def read_script(path: Path) -> nn.Module:
    """Return a TorchScript network; a plain pickle could run code and is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TorchScript will not be developed
            network = torch.jit.load(path, map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"{path}: neither a .safetensors file of this project nor TorchScript; "
            "pickled networks are not loaded, as they can run code"
        ) from error
    for weights in network.parameters():  # the module's own method is not supported
        weights.requires_grad_(False)
    if not all(hasattr(module, "training") for module in network.modules()):
        raise InputError(f"{path}: {FROZEN}")
    return network.eval()


def shape_of(network: nn.Module, size: int | None) -> tuple[int, int, int]:
    """Return channels, height and width of the pictures that a network takes.

    Raises:
        InputError: The first layer does not tell the size, and none or a wrong one is
            given.
    """
    first = next((p for p in network.parameters() if p.dim() in (2, 4)), None)
    if first is not None and first.dim() == 4 and size is not None:
        return first.shape[1], size, size
    if first is not None and first.dim() == 2:
        for channels in (1, 3):
            side = isqrt(first.shape[1] // channels)
            if channels * side**2 == first.shape[1] and size in (None, side):
                return channels, side, side
    if size is not None:
        raise InputError(f"--size {size}: the network takes pictures of another size")
    raise InputError("give the height of the pictures that the network takes: --size")


def from_torchvision(name: str, weights: Path | None) -> Classifier:
    """Return a network of torchvision with its own standardisation of pixels.

    Raises:
        InputError: The name is unknown, or the weights do not fit or are out of reach.
    """
    from torchvision import models  # takes a second, and is not always needed

    if name not in models.list_models(module=models):
        raise InputError(
            f"torchvision has no classifier {name!r}; known: "
            "https://docs.pytorch.org/vision/stable/models.html#classification"
        )
    published = models.get_model_weights(name).DEFAULT
    preset, network = published.transforms(), models.get_model(name, weights=None)
    try:
        network.load_state_dict(read_weights(published, weights))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"weights of {name} do not fit it: {reason}") from error
    whole = nn.Sequential(Standardise(preset.mean, preset.std), network)
    (size,), (resize,) = preset.crop_size, preset.resize_size
    names = tuple(published.meta["categories"])
    frozen = whole.eval().requires_grad_(False)
    return Classifier(frozen, (3, size, size), resize, names)


def read_weights(published: Any, path: Path | None) -> Mapping[str, Tensor]:
    """Return weights from a file, or torchvision's own, which it downloads.

    Raises:
        InputError: They cannot be read, or are out of reach.
    """
    try:
        if path is None:
            return published.get_state_dict(progress=True, check_hash=True)
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:150]
        raise InputError(
            f"{path or published.url}: weights cannot be read ({reason}); "
            "give a file of them: --weights"
        ) from error
    except Exception as error:  # of torch, about pickles that hold more than tensors
        raise InputError(f"{path}: holds more than tensors, not loaded") from error
