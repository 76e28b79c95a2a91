"""Images that a direction of a layer's activations ranks first (section 3).

The paper compares single units with random directions of the same layer. Ranking by an
inner product does not see where the origin lies, so that it makes no difference whether
activations are centred.
"""

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from intriguing.errors import InputError


def activations(
    network: nn.Module,
    pixels: Float[Tensor, "n c h w"],
    places: list[str],
    batch: int = 500,
) -> dict[str, Float[Tensor, "n units"]]:
    """Return what layers give for images, flattened, by the layer's place.

    Args:
        network: In eval mode.
        pixels: In [0, 1].
        places: Of the layers, as `torch.nn.Module.named_modules` names them.
        batch: Images at a time.

    Raises:
        InputError: The network has no such layer.
    """
    known = dict(network.named_modules())
    if strangers := [place for place in places if place not in known]:
        raise InputError(f"layer {strangers[0]!r}: the network has {list(known)[1:]}")
    parts: dict[str, list[Tensor]] = {place: [] for place in places}
    hooks = [
        known[place].register_forward_hook(
            lambda _, __, output, place=place: parts[place].append(output.flatten(1))
        )
        for place in places
    ]
    with torch.no_grad():
        for part in pixels.split(batch):
            network(part)
    for hook in hooks:
        hook.remove()
    return {place: torch.cat(found) for place, found in parts.items()}


def unit_directions(
    found: Float[Tensor, "n units"], count: int, least: int, seed: int
) -> Int64[np.ndarray, " count"]:
    """Draw single units, of those that are active on enough images to rank them.

    Args:
        found: Activations, not below 0.
        count: Units wanted.
        least: Images on which a unit must be active.
        seed: Decides the draw.

    Raises:
        InputError: There are not so many such units.
    """
    able = np.flatnonzero(((found > 0).sum(0) >= least).numpy())
    if len(able) < count:
        raise InputError(f"{count} units are wanted, {len(able)} are active; ask fewer")
    return np.random.default_rng([seed, 5]).choice(able, count, replace=False)


def random_directions(
    units: int, count: int, seed: int
) -> Float[Tensor, "count units"]:
    """Draw directions, all equally likely."""
    drawn = np.random.default_rng([seed, 6]).standard_normal((count, units))
    return torch.from_numpy(drawn).float()


def top_images(
    scores: Float[Tensor, "n directions"], count: int
) -> Int64[np.ndarray, "directions count"]:
    """Return the images that each direction ranks first, the first one first."""
    # Ties, as between images that leave a unit silent, go to the earlier image.
    order = torch.sort(scores, dim=0, descending=True, stable=True).indices
    return order[:count].T.numpy()
