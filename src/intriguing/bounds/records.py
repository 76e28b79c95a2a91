"""Certified distances and constants of one network, as records for tables."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack import find_adversarial
from intriguing.bounds.certificates import Certificates
from intriguing.bounds.certify import certify
from intriguing.bounds.decisions import ladder
from intriguing.bounds.gradients import gradient_norms, steepest_in_box
from intriguing.bounds.largest import largest_radius
from intriguing.bounds.lipschitz import METHODS, lipschitz, verify_lipschitz
from intriguing.bounds.network import fully_connected
from intriguing.bounds.verify import verify

CHEAP = ("product", "crown")
"""Methods that are reported beside the strongest."""
ATTACKS = ("minimal", "lbfgs")
"""Attacks that may be proved minimal."""


class Bounded(NamedTuple):
    """Records, one row an image, and the certificates behind them."""

    records: pd.DataFrame
    certificates: Certificates


def certified_records(
    model: nn.Module, images: Float[Tensor, "n ..."], labels: Int[Tensor, " n"]
) -> Bounded:
    """Return certified and attacked distances of images that are classified correctly.

    Raises:
        ArithmeticError: A certified distance is larger than an attacked one, or a
            certificate does not pass the check: a bound or the attack is wrong.
    """
    with torch.no_grad():
        right = (model(images).argmax(1) == labels).nonzero()[:, 0]
    images, labels = images[right], labels[right]
    found = certify(model, images, labels)
    proved = verify(model, images, labels, found.certificate)
    change = (found.counterexample - images).double().flatten(1).norm(dim=1).numpy()
    attacked = np.where(change > 0, change, np.inf)
    records = {"index": right.numpy(), "label": labels.numpy(), "attacked": attacked}
    points = images.double().flatten(1).numpy()
    for method in CHEAP:
        steps = ladder(fully_connected(model), method, 1, 0)
        records[method] = [
            largest_radius(steps, point, int(label), float(upper)).radius
            for point, label, upper in zip(points, labels, attacked, strict=True)
        ]
    records |= {"certified": found.radius, "on_ball": found.on_ball}
    given = model, images, labels
    records["lbfgs"] = attack_lengths(*given, method="lbfgs")
    records["minimal"] = attack_lengths(*given, method="minimal")
    frame = pd.DataFrame(records)
    require_consistent(frame, proved)
    return Bounded(frame, found.certificate)


def attack_lengths(
    model: nn.Module, images: Float[Tensor, "n ..."], labels: Int[Tensor, " n"], **how
) -> Float[np.ndarray, " n"]:
    """Return lengths of an attack's perturbations, infinite where it finds none."""
    found = find_adversarial(model, images, labels=labels, **how)
    lengths = (found.images - images).double().flatten(1).norm(dim=1)
    return np.where(found.reached.numpy(), lengths.numpy(), np.inf)


def require_consistent(records: pd.DataFrame, proved: np.ndarray) -> None:
    """Refuse a certified distance above an attacked one, or one without a proof."""
    above = records["certified"] > records[["attacked", *ATTACKS]].min(axis=1)
    failed = (records["certified"] > 0) & ~proved
    for problem, rows in (("is above the attack", above), ("fails the check", failed)):
        if rows.any():
            index = int(records["index"][rows].iloc[0])
            raise ArithmeticError(f"image {index}: its certified distance {problem}")


def constants(
    model: nn.Module, images: Float[Tensor, "n ..."], seed: int
) -> dict[str, float]:
    """Return bounds of a fully connected network's Lipschitz constant, from both sides.

    Raises:
        ArithmeticError: The certificate of LipSDP does not pass its check.
    """
    found = {name: lipschitz(model, name) for name in METHODS}
    if found["lipsdp"].multipliers and not verify_lipschitz(model, found["lipsdp"]):
        raise ArithmeticError("the certificate of LipSDP fails the check")
    network, points = fully_connected(model), images.double().flatten(1).numpy()
    on_data = gradient_norms(network, points)
    starts = points[np.argsort(-on_data)[:16]]
    in_box = max(steepest_in_box(network, starts, seed), float(on_data.max()))
    below = {"box": in_box, "data": float(on_data.max())}
    above = {name: bound.upper for name, bound in found.items()}
    return above | below | {"median": float(np.median(on_data))}
