"""An independent check of certificates.

It recomputes every bound in the coordinates of the pixels, from the weights and the
stored multipliers, and bounds its own rounding. It shares no code with the methods that
find certificates.
"""

import numpy as np
from jaxtyping import Bool, Float
from torch import nn

from intriguing.attack.inputs import Classes, Images, checked_images
from intriguing.attack.model_checks import attacked_model
from intriguing.bounds.certificates import (
    BY_CROWN,
    BY_LEAVES,
    BY_PRODUCT,
    Certificates,
    multiplier_kinds,
)
from intriguing.bounds.check_leaf import leaf_proves
from intriguing.bounds.check_linear import (
    Claim,
    intervals_hold,
    linear_bound,
    margin_of,
    product_proves,
)
from intriguing.bounds.inputs import checked_labels, require_same_logits
from intriguing.bounds.network import Network, fully_connected
from intriguing.bounds.rounding import norm_above
from intriguing.errors import InputError
from intriguing.models.checks import preserved


def verify(
    model: nn.Module, images: Images, labels: Classes, certificates: Certificates
) -> Bool[np.ndarray, " n"]:
    """Return of which images the certified radius is proved.

    The proof is about the network in exact arithmetic, with these weights and pixels.
    Normalisations are part of the weights, in double precision.

    Args:
        model: The fully connected network.
        images: The certified images.
        labels: Their classes.
        certificates: As `certify` returns them, or read from a file.

    Raises:
        InputError: The certificates are of other images or another network, or the
            model computes something else than its layers in sequence.
    """
    network = fully_connected(model)
    pixels = checked_images(images)
    classes = checked_labels(network, labels, pixels)
    points = pixels.double().flatten(1).cpu().numpy()
    require_fitting(network, points, certificates)
    with preserved(model):
        attacked, _, logits = attacked_model(model, pixels)
        require_same_logits(network, attacked, pixels, logits)
    norms = tuple(norm_above(weight) for weight in network.weights)
    cuts = np.cumsum(network.sizes)
    proved = np.zeros(len(points), bool)
    for i, radius in enumerate(certificates.radius):
        ends = (certificates.lower[i], certificates.upper[i])
        lower, upper = (np.split(end, cuts)[:-1] for end in ends)
        ball = points[i], float(radius), bool(certificates.in_box[i])
        claim = Claim(network, norms, *ball, lower, upper)
        proved[i] = _is_proved(claim, int(classes[i]), certificates, i)
    return proved


def require_fitting(
    network: Network, points: Float[np.ndarray, "n d"], certificates: Certificates
) -> None:
    """Refuse certificates of another number of images, or of another network."""
    units, classes = sum(network.sizes), len(network.biases[-1])
    count, pixels = points.shape
    leaves = len(certificates.leaf_image)
    expected = {
        "radius": (count,),
        "in_box": (count,),
        "lower": (count, units),
        "upper": (count, units),
        "proof": (count, classes),
        "leaf_value": (leaves,),
        "leaf_class": (leaves,),
        "leaf_splits": (leaves, units),
        "leaf_ball": (leaves,),
        "leaf_box": (leaves, pixels),
        "leaf_units": (leaves, multiplier_kinds(network), units),
    }
    for name, shape in expected.items():
        found = getattr(certificates, name).shape
        if found != shape:
            raise InputError(
                f"certificates: {name} has shape {found}, and {shape} is needed for "
                "these images and this network; give those that were certified"
            )


def _is_proved(claim: Claim, label: int, found: Certificates, image: int) -> bool:
    """Return whether all margins of an image are proved."""
    if not claim.radius > 0 or not np.isfinite(claim.radius):
        return False
    if not intervals_hold(claim):
        return False
    for other, how in enumerate(found.proof[image]):
        if other == label:
            continue
        mine = (found.leaf_image == image) & (found.leaf_class == other)
        if how == BY_PRODUCT:
            holds = product_proves(claim, label, other)
        elif how == BY_CROWN:
            weight, bias = margin_of(claim.network, label, other)
            holds = linear_bound(claim, len(claim.lower), weight, bias)[0] > 0
        elif how == BY_LEAVES:
            places = np.flatnonzero(mine).tolist()
            holds = _cover_everything(list(found.leaf_splits[places])) and all(
                leaf_proves(claim, label, other, found.leaf(place)) for place in places
            )
        else:
            return False
        if not holds:
            return False
    return True


def _cover_everything(leaves: list[np.ndarray]) -> bool:
    """Return whether the leaves are those of a tree of splits, none missing."""
    if any(not leaf.any() for leaf in leaves):
        return True
    if not leaves:
        return False
    for unit in np.flatnonzero(np.all(leaves, axis=0)):
        parts = []
        for side in (1, -1):
            half = [leaf.copy() for leaf in leaves if leaf[unit] == side]
            for leaf in half:
                leaf[unit] = 0
            parts.append(half)
        if sum(map(len, parts)) == len(leaves) and all(map(_cover_everything, parts)):
            return True
    return False
