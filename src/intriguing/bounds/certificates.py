"""Certificates as arrays: what proves each image's radius, for a later check."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import nn

from intriguing.bounds.network import Network
from intriguing.errors import InputError

UNPROVED, BY_PRODUCT, BY_CROWN, BY_LEAVES = range(4)
"""How the margin over a class is proved."""


def multiplier_kinds(network: Network) -> int:
    """Return how many multipliers a hidden unit has in a leaf."""
    return 3 if network.activation is nn.ReLU else 6


class Leaf(NamedTuple):
    """Multipliers that prove the margin where some units are split.

    Attributes:
        value: Lower bound of the margin that they prove where all of the units'
            constraints hold exactly.
        splits: What is assumed of each hidden unit.
        ball: Multiplier of ``radius^2 - |x - x0|^2``.
        box: Multiplier of x (1 - x) of each pixel; zeros for the whole ball.
        units: Multipliers mu, omega, xi of each ReLU, or the six coefficients of each
            sigmoid or tanh unit's polynomial.
    """

    value: float
    splits: Int[np.ndarray, " units"]
    ball: float
    box: Float[np.ndarray, " pixels"]
    units: Float[np.ndarray, "kinds units"]


class Certificates(NamedTuple):
    """Proofs that the prediction of images is constant near them.

    The claim about image i: for each x with |x - x_i| <= radius[i], and in [0, 1] where
    ``in_box`` says so, the label's logit is the largest.

    Attributes:
        radius: Certified Euclidean distance of each image; 0 where there is none.
        in_box: Whether the claim is only about the part of the ball in [0, 1].
        lower: Lower ends of the pre-activations of all hidden units there.
        upper: Upper ends.
        proof: How the margin over each class is proved, `BY_PRODUCT` for instance.
        leaf_image: Image that a leaf belongs to.
        leaf_class: Class over which it proves the margin.
        leaf_value: Lower bound of the margin, as in `Leaf`.
        leaf_splits: 1 for a hidden unit assumed active, -1 for inactive, 0 for none.
        leaf_ball: Multiplier of ``radius^2 - |x - x_i|^2``.
        leaf_box: Multiplier of x (1 - x) of each pixel.
        leaf_units: Multipliers of each hidden unit, as in `Leaf`.
    """

    radius: Float[np.ndarray, " n"]
    in_box: Bool[np.ndarray, " n"]
    lower: Float[np.ndarray, "n units"]
    upper: Float[np.ndarray, "n units"]
    proof: Int[np.ndarray, "n classes"]
    leaf_image: Int[np.ndarray, " leaves"]
    leaf_class: Int[np.ndarray, " leaves"]
    leaf_value: Float[np.ndarray, " leaves"]
    leaf_splits: Int[np.ndarray, "leaves units"]
    leaf_ball: Float[np.ndarray, " leaves"]
    leaf_box: Float[np.ndarray, "leaves pixels"]
    leaf_units: Float[np.ndarray, "leaves kinds units"]

    def __repr__(self) -> str:
        """Return their numbers; the arrays would take pages."""
        images, leaves = len(self.radius), len(self.leaf_value)
        return f"<certificates of {images} images, {leaves} leaves>"

    def leaf(self, place: int) -> Leaf:
        """Return one leaf."""
        return Leaf(
            float(self.leaf_value[place]),
            self.leaf_splits[place],
            float(self.leaf_ball[place]),
            self.leaf_box[place],
            self.leaf_units[place],
        )


def save_certificates(path: Path | str, certificates: Certificates) -> None:
    """Write certificates as a safetensors file."""
    arrays = {k: np.ascontiguousarray(v) for k, v in certificates._asdict().items()}
    save_file(arrays, path)


def load_certificates(path: Path | str) -> Certificates:
    """Return the certificates of a file.

    Raises:
        InputError: The file is missing, or holds something else.
    """
    try:
        return Certificates(**load_file(path))
    except (OSError, SafetensorError, TypeError) as error:
        raise InputError(f"{path}: no file of certificates ({error})") from error
