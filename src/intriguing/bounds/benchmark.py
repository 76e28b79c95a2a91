"""Other people's networks and images: the benchmarks of SDP-CROWN and GLipSDP."""

import io
import re

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from safetensors.torch import load
from torch import Tensor, nn

from intriguing.bounds.lipschitz import bound_of
from intriguing.models.architecture import build
from intriguing.tables.tidy import Entry
from intriguing.training.rectified import rectified_architecture

LOGIT = 7
"""The logit whose Lipschitz constant the networks of GLipSDP are compared by."""
METHODS = ("product", "liplt", "lipsdp")


def benchmark_data(
    weights: bytes, images: bytes
) -> tuple[nn.Sequential, Float[Tensor, "n 1 28 28"], Int[Tensor, " n"]]:
    """Return the network of SDP-CROWN's benchmark, its images and their labels.

    Args:
        weights: Content of the safetensors file.
        images: Content of the npz file.
    """
    stored = load(weights)
    layers = sorted({name.split(".")[0] for name in stored})
    sizes = [stored[f"{layers[0]}.weight"].shape[1]]
    sizes += [len(stored[f"{layer}.bias"]) for layer in layers]
    model = build(rectified_architecture(sizes))
    linear = [layer for layer in model if isinstance(layer, nn.Linear)]
    for name, layer in zip(layers, linear, strict=True):
        layer.weight.data.copy_(stored[f"{name}.weight"])
        layer.bias.data.copy_(stored[f"{name}.bias"])
    arrays = np.load(io.BytesIO(images))
    pixels, labels = (torch.from_numpy(arrays[name]) for name in ("images", "labels"))
    return model.eval().requires_grad_(False), pixels, labels


def reference_entries(weights: bytes, reference: bytes) -> list[Entry]:
    """Return our bounds of each network beside the published ones.

    Args:
        weights: Content of the npz file of the networks.
        reference: Content of the table of published bounds.
    """
    arrays = np.load(io.BytesIO(weights))
    entries = []
    for line in pd.read_csv(io.BytesIO(reference), sep="\t").itertuples():
        row = f"{line.network}/{line.seed}"
        found = {name: bound_of(matrices(arrays, row), 1.0, name) for name in METHODS}
        for name in (*METHODS, "lower"):
            ours = found[name].upper if name in found else None
            known = float(getattr(line, name))
            entries.append(Entry(row, name, ours, published=known))
    return entries


def matrices(arrays: np.lib.npyio.NpzFile, row: str) -> list[np.ndarray]:
    """Return the matrices of a network, the last one for the logit that is compared."""
    names = sorted(n for n in arrays if re.fullmatch(rf"{row}/fc\d+_weight", n))
    *first, last = (arrays[name].astype(float) for name in names)
    return [*first, last[LOGIT : LOGIT + 1]]
