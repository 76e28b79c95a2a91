"""Sets of distorted images, and the networks that classify them (Tables 2 and 4)."""

from collections.abc import Mapping, Sequence

import pandas as pd
from jaxtyping import Float
from torch import Tensor, nn

from intriguing.models.perturbed import (
    Sets,
    add_noise,
    matched_noise,
    predictions_on,
    root_mean_square,
)
from intriguing.tables.row_names import CLEAN, MATCHED


def adversarial_sets(
    source: str,
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    seed: int,
) -> Sets:
    """Return the images made for a network, and noise of the same distortions."""
    noisy = matched_noise(clean, root_mean_square(adversarial - clean), seed)
    return {source: adversarial, f"{MATCHED}{source}": noisy}


def noise_sets(
    clean: Float[Tensor, " n *pixels"], deviations: Sequence[float], seed: int
) -> Sets:
    """Return the clean images, and each noise level without and with clipping."""
    sets = {CLEAN: clean}
    for deviation in deviations:
        noisy = add_noise(clean, deviation, seed)
        sets[f"noise-{deviation:g}"] = noisy
        sets[f"noise-{deviation:g}-clipped"] = noisy.clamp(0, 1)
    return sets


def predictions_of_seed(
    networks: Mapping[tuple[str, int], nn.Module],
    seed: int,
    sets: Sets,
    images: Mapping[str, Tensor],
) -> pd.DataFrame:
    """Return predictions for sets of images by the networks of a seed.

    These are the networks of the same seed, and the convex ones, which have only the
    seed 0. A network with several seeds but not this one is left out.

    Args:
        networks: By name and seed.
        seed: Seed of the images.
        sets: As for `predictions_on`.
        images: ``clean`` images, each with its ``label`` and ``index`` in its data set.
    """
    known = {"seed": seed, "label": images["label"], "index": images["index"]}
    own = networks_of_seed(networks, seed)
    return predictions_on(own, sets, images["clean"], known)


def networks_of_seed(
    networks: Mapping[tuple[str, int], nn.Module], seed: int
) -> dict[str, nn.Module]:
    """Return the networks that classify the images of one seed, by name."""
    several = {name for name, own in networks if own != 0}
    return {
        name: network
        for (name, own), network in networks.items()
        if own == (seed if name in several else 0)
    }
