"""Selectivity of the bases of a layer, beside that of random rotations."""

from collections.abc import Mapping, Sequence

import pandas as pd
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from intriguing.stats.selectivity import TOP, means, selectivity
from intriguing.units.bases import principal_axes, random_axes, rotation_path

NEURONS, PRINCIPAL, ROTATION, PATH = "neurons", "principal", "rotation", "path"
"""What a row measures: the natural basis, principal components, one random rotation,
one basis between the natural one and a random rotation."""


def hidden_layers(network: nn.Sequential) -> list[str]:
    """Return the places of the nonlinearities that follow a linear layer."""
    layers = list(network)
    followers = zip(layers[:-1], range(1, len(layers)), strict=True)
    return [str(place) for layer, place in followers if isinstance(layer, nn.Linear)]


def measure_bases(
    activations: Float[Tensor, "n units"],
    labels: Int64[Tensor, " n"],
    bases: Mapping[str, Float[Tensor, "directions units"]],
) -> list[dict[str, float | str]]:
    """Return the mean selectivity of the directions of each basis.

    Args:
        activations: Of images that the network was not trained on.
        labels: Their classes.
        bases: By name; directions that too few images activate are left out.
    """
    transposed = activations.T.contiguous()
    rows = []
    for name, basis in bases.items():
        scores = basis @ transposed
        active = (scores > scores.amin(1, keepdim=True)).sum(1) >= TOP
        rows.append({"basis": name, **means(selectivity(scores[active], labels))})
    return rows


def measure_layer(
    activations: Float[Tensor, "n units"],
    labels: Int64[Tensor, " n"],
    others: Mapping[str, Float[Tensor, "directions units"]],
    rotations: int,
    fractions: Sequence[float],
    seed: int,
) -> pd.DataFrame:
    """Return one row a basis, with its mean selectivity.

    Args:
        activations: Of images that the network was not trained on.
        labels: Their classes.
        others: Bases beside neurons, principal components and rotations, by name.
        rotations: Number of random rotations, each measured by itself.
        fractions: Places on the path from the natural basis to a random rotation.
        seed: Decides the rotations.

    Returns:
        ``basis``, ``part`` (number of the rotation, or fraction of the path) and the
        measures of `Selectivity`.
    """
    units = activations.shape[1]
    generator = torch.Generator().manual_seed(seed)
    named = {NEURONS: torch.eye(units), PRINCIPAL: principal_axes(activations)}
    frames = [pd.DataFrame(measure_bases(activations, labels, {**named, **others}))]
    random = (random_axes(units, generator) for _ in range(rotations))
    path = rotation_path(units, fractions, seed) if len(fractions) else ()
    for name, bases, parts in (
        (ROTATION, random, range(rotations)),
        (PATH, path, fractions),
    ):
        rows = [
            measure_bases(activations, labels, {name: basis})[0] | {"part": part}
            for basis, part in zip(bases, parts, strict=True)
        ]
        frames.append(pd.DataFrame(rows))
    return pd.concat(frames, ignore_index=True)
