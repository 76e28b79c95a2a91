"""How far the images of a network are from their adversarial images, as one number."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack import find_adversarial


def typical_distance(
    network: nn.Module, images: Float[Tensor, "n ..."], labels: Int[Tensor, " n"]
) -> float:
    """Return the geometric mean of the Euclidean lengths of minimal perturbations.

    Images without an adversarial image do not count.

    Args:
        network: A classifier.
        images: Classified correctly, with pixels in [0, 1].
        labels: Their classes.
    """
    found = find_adversarial(network, images, labels=labels, method="minimal")
    lengths = (found.images - images)[found.reached].double().flatten(1).norm(dim=1)
    return float(lengths.log().mean().exp())
