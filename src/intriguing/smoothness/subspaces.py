"""Minimal distances when the perturbation must stay in a subspace.

The dimpled manifold model (Shamir et al., arXiv 2106.10151) says that perturbations are
short because they leave the manifold of the data. Here the manifold is the affine space
through an image that is spanned by the principal components of the data.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack import find_adversarial

ANYWHERE = "anywhere"
SUBSPACES = (
    "within the components",
    "orthogonal to the components",
    "within a random subspace",
)
CONFINED = 64
"""Images that are attacked within subspaces."""
REACH = 40.0
"""Length, in pixels, of one unit of a coordinate; large, so that no box binds."""


def confined_distances(
    network: nn.Sequential,
    images: Float[Tensor, "n 1 h w"],
    labels: Int[Tensor, " n"],
    components: Float[Tensor, "d k"],
    seed: int,
) -> dict[str, float]:
    """Return `mean_log_distances` of the first images that are classified correctly.

    Args:
        network: ``Flatten``, then a linear layer, then other layers.
        images: Test images.
        labels: Their classes.
        components: Principal components of the data, orthonormal columns.
        seed: Of the random subspace.
    """
    right = network(images).argmax(1) == labels
    shown = images[right][:CONFINED], labels[right][:CONFINED]
    return mean_log_distances(network, *shown, compared_subspaces(components, seed))


def within(
    network: nn.Sequential, image: Float[Tensor, " d"], basis: Float[Tensor, "d k"]
) -> nn.Sequential:
    """Return the network as a function of coordinates around an image.

    The coordinates c stand for the image x + REACH · B(c - 1/2).

    Args:
        network: ``Flatten``, then a linear layer, then other layers.
        image: x, at the coordinates 1/2.
        basis: B, orthonormal columns.
    """
    _, first, *others = network
    assert isinstance(first, nn.Linear)
    moved = nn.Linear(basis.shape[1], first.out_features)
    with torch.no_grad():
        moved.weight.copy_(REACH * first.weight @ basis)
        moved.bias.copy_(first(image) - moved.weight.sum(1) / 2)
    return nn.Sequential(nn.Flatten(), moved, *others).eval()


def mean_log_distances(
    network: nn.Sequential,
    images: Float[Tensor, "n 1 h w"],
    labels: Int[Tensor, " n"],
    subspaces: Mapping[str, Float[Tensor, "d _"]],
) -> dict[str, float]:
    """Return the mean log distance to another class within each subspace.

    Pixels may leave [0, 1], so that the distances differ by the subspace alone. An
    image without an adversarial image within `REACH` / 2 of a subspace does not count
    there.

    Args:
        network: ``Flatten``, then a linear layer, then other layers.
        images: Classified correctly.
        labels: Their classes.
        subspaces: Orthonormal columns by name.
    """
    found = {}
    for name, basis in subspaces.items():
        middle = torch.full((1, 1, 1, basis.shape[1]), 0.5)
        lengths = []
        for image, label in zip(images.flatten(1), labels, strict=True):
            model = within(network, image, basis)
            one = find_adversarial(model, middle, labels=label[None], method="minimal")
            if one.reached[0]:
                lengths.append(REACH * (one.images - middle).norm())
        found[name] = (
            float(torch.stack(lengths).log().mean()) if lengths else float("nan")
        )
    return found


def compared_subspaces(
    components: Float[Tensor, "d k"], seed: int
) -> dict[str, Float[Tensor, "d _"]]:
    """Return the components, what is orthogonal to them, and two controls.

    The controls are all of the space, and a random subspace as large as the components.
    """
    whole, size = len(components), components.shape[1]
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(whole, size, generator=generator)
    completed = torch.linalg.qr(components, mode="complete").Q
    bases = components, completed[:, size:], torch.linalg.qr(drawn).Q
    return {ANYWHERE: torch.eye(whole), **dict(zip(SUBSPACES, bases, strict=True))}
