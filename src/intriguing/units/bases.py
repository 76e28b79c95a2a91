"""Bases of the activations of a layer: natural, rotated, of principal components.

The *natural basis* consists of the coordinates in which the nonlinearity acts, one for
each unit (section 3 of the paper). A basis is a matrix whose rows are its directions.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import expm, logm
from torch import Tensor

from intriguing.stats.components import leading_components

AXES = 100
"""Directions by which a rotation of a larger layer is represented."""
EXPLAINED = 0.99
"""Share of the variance that the principal components hold together."""


def random_axes(units: int, generator: torch.Generator) -> Float[Tensor, "axes units"]:
    """Return axes of a uniformly distributed random rotation, at most `AXES`."""
    normal = torch.randn(units, min(units, AXES), generator=generator)
    axes, upper = torch.linalg.qr(normal)
    return (axes * upper.diagonal().sign()).T


def random_rotation(units: int, seed: int) -> Float[Tensor, "units units"]:
    """Return a uniformly distributed random rotation."""
    normal = np.random.default_rng([seed, 8]).standard_normal((units, units))
    rotation, upper = np.linalg.qr(normal)
    rotation *= np.sign(np.diagonal(upper))
    rotation[0] *= np.linalg.det(rotation)  # a rotation, not a reflection
    return torch.from_numpy(rotation).float()


def principal_axes(
    activations: Float[Tensor, "n units"],
) -> Float[Tensor, "directions units"]:
    """Return the principal components that hold 99 % of the variance.

    Each is there in both directions, as it has no sign.
    """
    kept = leading_components(activations, EXPLAINED).T
    return torch.cat([kept, -kept])


def rotation_path(
    units: int, fractions: Sequence[float], seed: int
) -> Iterator[Float[Tensor, "units units"]]:
    """Yield bases from the natural one (0) to a random rotation (1).

    They lie on the shortest path between the two in the group of rotations. The end is
    `random_rotation` of the same seed, so that the path of a network with a rotated
    nonlinearity leads to its own basis.
    """
    generator = np.real(logm(random_rotation(units, seed).double().numpy()))
    generator = (generator - generator.T) / 2
    for fraction in fractions:
        yield torch.from_numpy(expm(fraction * generator)).float()
