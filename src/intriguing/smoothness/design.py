"""Which networks are trained: a fractional factorial, and one curve for each factor."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Setting(NamedTuple):
    """How a network is built and trained; the defaults are those of the curves.

    Attributes:
        images: Training images.
        noise: Share of the training labels that are replaced by a random class.
        width: Units of each hidden layer.
        depth: Hidden layers.
        activation: ``relu``, ``tanh``, ``sigmoid``, ``linear`` or ``squares``, the
            squares of rectified units.
        decay: λ of the penalty λ/2 · Σw².
        scale: Factor of the initial weights.
        radius: L2 length of the perturbations of adversarial training; 0 for none.
        length: Steps of Adam, as a multiple of the configured number.
        classes: Labels told apart in training: fewer than ten are digits merged, more
            are digits split by k-means.
        batch_norm: Whether pre-activations are normalised over the batch.
        optimiser: ``adam``, or ``lbfgs`` on all training images at once.
    """

    images: int
    noise: float = 0.0
    width: int = 100
    depth: int = 2
    activation: str = "relu"
    decay: float = 1e-5
    scale: float = 1.0
    radius: float = 0.0
    length: float = 1.0
    classes: int = 10
    batch_norm: bool = False
    optimiser: str = "adam"


GROUPS = {
    "data": ("images", "noise"),
    "architecture": ("width", "depth", "activation"),
    "training": ("decay", "scale", "radius"),
}
"""Factors of the factorial by what they belong to."""
FACTORS = tuple(factor for group in GROUPS.values() for factor in group)
LEVELS: dict[str, tuple] = {
    "noise": (0.0, 0.1),
    "width": (50, 200),
    "depth": (1, 3),
    "activation": ("relu", "tanh"),
    "decay": (1e-5, 1e-3),
    "scale": (0.25, 1.0),
    "radius": (0.0, 0.75),
}
"""Low and high level of each factor; the config has those of ``images``."""
GENERATORS = {
    "scale": ("images", "noise", "width", "depth"),
    "radius": ("images", "noise", "activation", "decay"),
}
"""Factors whose sign is the product of others. The six that remain vary freely, so
there are 64 settings."""
CURVES: dict[str, tuple] = {
    "noise": (0.05, 0.1, 0.2, 0.4),
    "width": (25, 50, 200, 400),
    "depth": (1, 3, 4, 6),
    "activation": ("tanh", "sigmoid", "linear", "squares"),
    "decay": (0.0, 1e-4, 1e-3, 3e-3),
    "scale": (0.1, 0.25, 0.5, 2.0),
    "radius": (0.25, 0.5, 0.75, 1.5),
    "length": (0.25, 0.5, 2.0, 4.0),
    "classes": (2, 5, 20, 50),
    "batch_norm": (True,),
    "optimiser": ("lbfgs",),
}
"""Values of one factor while the others keep the default of `Setting`; the config has
those of ``images``."""


def factorial(images: Sequence[int]) -> list[tuple[Setting, dict[str, int]]]:
    """Return the settings of the factorial, each with the sign of every factor.

    Args:
        images: Low and high number of training images.
    """
    levels = {"images": images, **LEVELS}
    free = [factor for factor in FACTORS if factor not in GENERATORS]
    found = []
    for choice in product((-1, 1), repeat=len(free)):
        signs: dict[str, int] = dict(zip(free, choice, strict=True))
        for factor, others in GENERATORS.items():
            signs[factor] = int(np.prod([signs[other] for other in others]))
        chosen = {factor: levels[factor][(signs[factor] + 1) // 2] for factor in levels}
        found.append((Setting(**chosen), signs))
    return found


def curves(images: Sequence[int], base: int) -> dict[str, list[Setting]]:
    """Return the settings of each curve; each starts with the default setting.

    Args:
        images: Numbers of training images.
        base: Number of training images of the other curves.
    """
    first = Setting(base)
    values = {"images": tuple(n for n in images if n != base), **CURVES}
    return {
        factor: [first, *(first._replace(**{factor: value}) for value in chosen)]
        for factor, chosen in values.items()
    }


def settings(images: Sequence[int], extremes: Sequence[int]) -> list[Setting]:
    """Return every setting once, in a fixed order; the larger extreme is the base."""
    designed = [setting for setting, _ in factorial(extremes)]
    drawn = curves(images, extremes[1]).values()
    return list(dict.fromkeys([*designed, *(one for curve in drawn for one in curve)]))


def terms() -> list[tuple[str, ...]]:
    """Return the main effects, then the interactions of two factors."""
    return [(factor,) for factor in FACTORS] + list(combinations(FACTORS, 2))


def contrasts(
    signs: Sequence[Mapping[str, int]],
) -> Float[np.ndarray, "settings terms"]:
    """Return the column of signs of each term."""
    columns = [[np.prod([row[f] for f in term]) for row in signs] for term in terms()]
    return np.array(columns, dtype=float).T
