"""How far the images of a network are from their adversarial images, as one number."""

from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack import find_adversarial
from intriguing.models.evaluation import predict


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


def error_and_distance(
    network: nn.Module,
    images: Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"],
    attacked: int,
) -> dict[str, float]:
    """Return the ``error``, and the ``distance`` of the first images that are correct.

    ``distance`` is `typical_distance` of as many images as are to be ``attacked``.
    """
    right = predict(network, images).argmax(1) == labels
    shown, own = images[right][:attacked], labels[right][:attacked]
    error = 1 - float(right.double().mean())
    return {"error": error, "distance": typical_distance(network, shown, own)}
