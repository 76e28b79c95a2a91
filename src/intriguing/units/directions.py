"""Images with the largest activations along a direction of a layer (section 3).

The paper compares single units with random directions of the same layer. Images are
ranked by inner products, so that centring the activations changes nothing.
"""

from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from intriguing.errors import InputError


def activations(
    network: nn.Module,
    pixels: Float[Tensor, "n c h w"],
    layers: list[str],
    batch: int = 500,
) -> dict[str, Float[Tensor, "n units"]]:
    """Return the outputs of some layers for images, flattened, by layer.

    The network is in eval mode. Layers are named by their paths in
    `torch.nn.Module.named_modules`.

    Raises:
        InputError: The network has no such layer.
    """
    modules = dict(network.named_modules())
    if unknown := [path for path in layers if path not in modules]:
        raise InputError(f"layer {unknown[0]!r}: the network has {list(modules)[1:]}")
    outputs: dict[str, list[Tensor]] = {path: [] for path in layers}
    with ExitStack() as hooks:
        for path, found in outputs.items():
            append = partial(_append_output, found)
            hooks.callback(modules[path].register_forward_hook(append).remove)
        with torch.no_grad():
            for images in pixels.split(batch):
                network(images)
    return {path: torch.cat(batches) for path, batches in outputs.items()}


def _append_output(found: list[Tensor], _: nn.Module, __: Any, output: Tensor) -> None:
    found.append(output.flatten(1))


def sample_units(
    activations: Float[Tensor, "n units"], count: int, least: int, seed: int
) -> Int64[np.ndarray, " count"]:
    """Return random units among those that are active on enough images to rank them.

    Activations are not negative; ``least`` is the number of images on which a unit must
    be active.

    Raises:
        InputError: There are fewer such units.
    """
    active = np.flatnonzero(((activations > 0).sum(0) >= least).numpy())
    if len(active) < count:
        raise InputError(
            f"{count} units are requested, {len(active)} are active; ask for fewer"
        )
    return np.random.default_rng([seed, 5]).choice(active, count, replace=False)


def random_directions(
    units: int, count: int, seed: int
) -> Float[Tensor, "count units"]:
    """Return random directions, isotropically distributed and not normalised."""
    normal = np.random.default_rng([seed, 6]).standard_normal((count, units))
    return torch.from_numpy(normal).float()


def top_images(
    scores: Float[Tensor, "n directions"], count: int
) -> Int64[np.ndarray, "directions count"]:
    """Return the indices of the images with the largest scores, in descending order.

    Of images with equal scores the earlier one comes first.
    """
    order = torch.sort(scores, dim=0, descending=True, stable=True).indices
    return order[:count].T.numpy()
