"""Networks as safetensors files."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from intriguing.errors import InputError
from intriguing.models.architecture import Architecture, build


def serialise_model(
    network: nn.Module, architecture: Architecture, metadata: Mapping[str, str]
) -> bytes:
    """Return the safetensors file of a network.

    The same network gives the same bytes.

    Args:
        network: The trained network.
        architecture: From which `build` makes the network.
        metadata: Other strings for the header, such as name and seed.
    """
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    header = {"architecture": json.dumps(dict(architecture), sort_keys=True)}
    return sorted_header(save(weights, metadata={**metadata, **header}))


def sorted_header(content: bytes) -> bytes:
    """Return a safetensors file with the keys of its header in order.

    The library writes metadata in the random order of a hash map.
    """
    (length,) = struct.unpack("<Q", content[:8])
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True)
    padded = header.encode() + b" " * (-len(header.encode()) % 8)
    return struct.pack("<Q", len(padded)) + padded + content[8 + length :]


def load_model(path: Path | str) -> nn.Sequential:
    """Return a trained network, in eval mode and with frozen weights.

    The network maps pixels (N, C, H, W) in [0, 1] to logits (N, classes); any
    normalisation is one of its layers.

    Raises:
        InputError: The file is missing, is no network of this project, or has weights
            that do not fit or are not finite.
    """
    path = Path(path)
    architecture = read_architecture(path)
    try:
        network = build(architecture)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a network of this project ({reason})") from error
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
            return dict(json.loads((stored.metadata() or {})["architecture"]))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; train the network first") from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a network of this project ({error})") from error
