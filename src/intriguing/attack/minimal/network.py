"""The network as the search sees it: logits of many points, gradients at few of them.

A step tries a point for every image, and needs gradients only where the point was
accepted, and only of the classes in play: two or three of ten. So the gradient of any
combination of logits is computed later, for a ragged list of rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack.inputs import AttackedModel
from intriguing.models.checks import is_altered

LEAST_ROWS = 16
"""Fewest rows of a pass. Matrix products of fewer take another order of summation, so
that an image's path would depend on how many others are left."""
MOST_PADDED = 4096
"""Most pixels of an image for which passes are filled up. Of larger images the further
rows would take most of the time."""
MOST_VALUES = 2**24
"""Most pixels of one backward pass, which bounds its memory."""
COMPARED, SAME_LOGITS = 256, 1e-4
"""Images on which a stack's logits are compared with the model's, and the difference
that rounding explains, as a share of the range of all logits."""

SMOOTH = (nn.Sigmoid, nn.Tanh, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus)
NONSMOOTH = (nn.ReLU, nn.LeakyReLU)
"""Elementwise functions; the derivative of the last two jumps."""


class Network(NamedTuple):
    """Both passes of a classifier.

    Attributes:
        forward: Maps points (N, D) to logits.
        backward: Maps points (P, D) and one weight a logit (P, classes) to the
            gradient (P, D) of the weighted logits.
        layers: Its layers if it is a stack of linear maps and functions of single
            values, else none.
        nonsmooth: Whether it is one and the derivative of some function jumps. Of other
            networks the search finds out, run by run.
    """

    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]
    layers: tuple[nn.Module, ...] = ()
    nonsmooth: bool = False


def network_on(model: nn.Module, images: Float[Tensor, "n ..."]) -> Network:
    """Return both passes; layers only where they give the images the model's logits."""
    network = network_of(model, images.shape[1:])
    if network.layers and not computes_the_same(network, images[:COMPARED]):
        return network._replace(layers=(), nonsmooth=False)
    return network


def network_of(model: nn.Module, shape: torch.Size) -> Network:
    """Return both passes of any classifier of images of this shape."""
    least = LEAST_ROWS if shape.numel() <= MOST_PADDED else 1
    size = max(least, MOST_VALUES // max(shape.numel(), 1))

    def forward(points: Tensor) -> Tensor:
        with torch.no_grad():
            return model(padded(points, least).reshape(-1, *shape))[: len(points)]

    def gradients(points: Tensor, weights: Tensor) -> Tensor:
        with torch.enable_grad():
            inputs = padded(points, least).detach().requires_grad_(True)
            logits = model(inputs.reshape(-1, *shape))
            value = (logits * padded(weights, least)).sum()
            return torch.autograd.grad(value, inputs)[0][: len(points)]

    def backward(points: Tensor, weights: Tensor) -> Tensor:
        if not len(points):
            return points
        parts = zip(points.split(size), weights.split(size), strict=True)
        return torch.cat([gradients(*part) for part in parts])

    layers = tuple(stack_of(model) or ())
    nonsmooth = any(isinstance(layer, NONSMOOTH) for layer in layers)
    return Network(forward, backward, layers, nonsmooth)


def padded(rows: Float[Tensor, "n ..."], least: int) -> Float[Tensor, "m ..."]:
    """Repeat the first row until there are enough for a pass."""
    missing = least - len(rows)
    if missing <= 0 or not len(rows):
        return rows
    return torch.cat([rows, rows[:1].expand(missing, *rows.shape[1:])])


def stack_of(model: nn.Module) -> list[nn.Module] | None:
    """Return the layers of a fully connected network, None for any other."""
    # Subclasses, hooks and methods of single objects may compute anything.
    if isinstance(model, AttackedModel):
        return None if model.cast else stack_of(model.model)
    if type(model) is not nn.Sequential or is_altered(model):
        return None
    layers: list[nn.Module] = []
    for part in model:
        inner = stack_of(part) if isinstance(part, nn.Sequential) else [part]
        if inner is None or any(map(is_altered, inner)):
            return None
        layers += inner
    first, rest = layers[:1], layers[1:]
    flat = all(type(layer) is nn.Flatten for layer in first)
    known = all(type(layer) in (nn.Linear, *SMOOTH, *NONSMOOTH) for layer in rest)
    ends = len(rest) > 0 and type(rest[0]) is nn.Linear
    return rest if flat and known and ends and type(rest[-1]) is nn.Linear else None


def computes_the_same(network: Network, images: Float[Tensor, "n ..."]) -> bool:
    """Return whether the layers give images the model's logits, up to rounding."""
    values = images.flatten(1).clone()
    logits = network.forward(values)
    with torch.no_grad():
        for layer in network.layers:
            values = layer(values)
    if values.shape != logits.shape:
        return False
    tolerance = SAME_LOGITS * (logits.amax() - logits.amin()).abs()
    return bool(((values - logits).abs() <= tolerance).all())


def margin_weights(
    target: Int[Tensor, " p"], competing: Int[Tensor, " p"], like: Float[Tensor, "n c"]
) -> Float[Tensor, "p c"]:
    """Return weights that give the target's logit less the competing class's."""
    weights = like.new_zeros(len(target), like.shape[1])
    weights.scatter_(1, target[:, None], 1.0)
    return weights.scatter_(1, competing[:, None], -1.0)


class HostPasses:
    """Both passes for decisions on the host.

    Attributes:
        network: Both passes on the network's device.
        as_pixels: What makes pixels of gradients.
        points: Points of the last forward pass.
        logits: Their logits, an array in float32.
        gradients: Gradients of the last backward pass, as pixels.
    """

    def __init__(self, network: Network, as_pixels: Callable[[Tensor], Any]) -> None:
        self.network, self.as_pixels = network, as_pixels
        self.points, self.gradients = torch.empty(0), None
        self.logits = np.empty((0, 0), np.float32)


def forward(passes: HostPasses, points: Any, chosen: np.ndarray) -> None:
    """Evaluate the network at chosen points."""
    passes.points = torch.as_tensor(points[chosen])
    logits = passes.network.forward(passes.points)
    passes.logits = logits.float().cpu().contiguous().numpy()


def backward(passes: HostPasses, rows: np.ndarray, weights: np.ndarray) -> None:
    """Compute the gradients of weighted logits at rows of the last forward pass."""
    points = passes.points[torch.from_numpy(rows).to(passes.points.device)]
    factors = torch.from_numpy(weights).to(points.device, points.dtype)
    passes.gradients = passes.as_pixels(passes.network.backward(points, factors))
