"""The network as the search sees it: logits of many points, gradients at few of them.

A step tries a point for every image, and needs gradients only where the point was
accepted, and only of the classes in play: two or three of ten. So a forward pass leaves
a *trace* from which the gradient of any combination of logits can be taken later, for a
ragged list of rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.attack.inputs import AttackedModel

Trace = tuple[Tensor, ...]
Forward = Callable[[Tensor], tuple[Tensor, Trace]]
Backward = Callable[[Trace, Tensor, Tensor], Tensor]

LEAST_ROWS = 16
"""Fewest rows of a pass. Matrix products of fewer take another order of summation, so
that an image's path would depend on how many others are left."""

MOST_VALUES = 2**24
"""Most pixels of one backward pass, which bounds its memory."""

COMPARED, SAME_LOGITS = 256, 1e-4
"""Images on which a stack's logits are compared with the model's, and the difference
that rounding explains, as a share of the range of all logits."""

ELEMENTWISE = (
    nn.Sigmoid,
    nn.Tanh,
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.GELU,
    nn.SiLU,
    nn.Softplus,
)
NONSMOOTH = (nn.ReLU, nn.LeakyReLU)
"""Those whose derivative jumps."""


class Network(NamedTuple):
    """Both passes of a classifier.

    Attributes:
        forward: Maps points (N, D) to logits and their trace, one row a point.
        backward: Maps a trace, rows of it, and one weight a logit (P, classes) to the
            gradient (P, D) of the weighted logits.
        layers: Its layers if it is a stack of linear maps and functions of single
            values, else none.
        nonsmooth: Whether it is one and the derivative of some function jumps. Of any other
            network the search finds out, run by run.
    """

    forward: Forward
    backward: Backward
    layers: tuple[nn.Module, ...] = ()
    nonsmooth: bool = False


def network_on(model: nn.Module, images: Float[Tensor, "n ..."]) -> Network:
    """Return both passes of a classifier of some images.

    The layers of a stack are used only where they give the images the logits that the
    model gives them.
    """
    layers = stack_of(model)
    if layers is not None and not computes_the_same(layers, model, images[:COMPARED]):
        layers = None
    return with_passes(model, images.shape[1:], layers)


def network_of(model: nn.Module, shape: torch.Size) -> Network:
    """Return both passes of any classifier of images of this shape."""
    return with_passes(model, shape, stack_of(model))


def with_passes(
    model: nn.Module, shape: torch.Size, layers: list[nn.Module] | None
) -> Network:
    """Return both passes of a model, or of its layers where they are known."""
    forward, backward = any_model(model, shape) if layers is None else stacked(layers)

    def padded_forward(points: Tensor) -> tuple[Tensor, Trace]:
        count = len(points)
        with torch.no_grad():
            logits, trace = forward(padded(points))
        return logits[:count], tuple(part[:count] for part in trace)

    def padded_backward(trace: Trace, rows: Tensor, weights: Tensor) -> Tensor:
        size = max(LEAST_ROWS, MOST_VALUES // max(shape.numel(), 1))
        parts = [
            backward(
                tuple(padded(part.index_select(0, some)) for part in trace), padded(up)
            )[: len(up)]
            for some, up in zip(rows.split(size), weights.split(size), strict=True)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    known = tuple(layers or ())
    nonsmooth = any(isinstance(layer, NONSMOOTH) for layer in known)
    return Network(padded_forward, padded_backward, known, nonsmooth)


def padded(rows: Float[Tensor, "n ..."]) -> Float[Tensor, "m ..."]:
    """Repeat the first row until there are enough for a pass."""
    missing = LEAST_ROWS - len(rows)
    if missing <= 0 or not len(rows):
        return rows
    return torch.cat([rows, rows[:1].expand(missing, *rows.shape[1:])])


def stack_of(model: nn.Module) -> list[nn.Module] | None:
    """Return the layers of a fully connected network, None for any other.

    The classes of its modules have to decide alone what it computes: subclasses, hooks
    and methods of single objects may do anything.
    """
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
    known = all(type(layer) in (nn.Linear, *ELEMENTWISE) for layer in rest)
    ends = len(rest) > 0 and type(rest[0]) is nn.Linear
    return rest if flat and known and ends and type(rest[-1]) is nn.Linear else None


def is_altered(module: nn.Module) -> bool:
    """Return whether a module does more than its class says."""
    hooks = module._forward_hooks, module._forward_pre_hooks
    return any(map(len, hooks)) or "forward" in vars(module)


def computes_the_same(
    layers: list[nn.Module], model: nn.Module, images: Float[Tensor, "n ..."]
) -> bool:
    """Return whether the layers give images the model's logits, up to rounding."""
    with torch.no_grad():
        logits = model(images.clone())
        own, _ = stacked(layers)[0](images.flatten(1))
    if own.shape != logits.shape:
        return False
    tolerance = SAME_LOGITS * (logits.amax() - logits.amin()).abs()
    return bool(((own - logits).abs() <= tolerance).all())


def stacked(layers: list[nn.Module]) -> tuple[Forward, Callable[..., Tensor]]:
    """Linear maps and functions of single values: the trace holds their derivatives."""

    def forward(points: Tensor) -> tuple[Tensor, Trace]:
        values, derivatives = points, []
        for layer in layers:
            if isinstance(layer, nn.Linear):
                values = layer(values)
            else:
                values, derivative = with_derivative(layer, values)
                derivatives.append(derivative)
        # A linear network's gradients need no trace but the number of its rows.
        return values, (*derivatives, values)

    def backward(trace: Trace, weights: Tensor) -> Tensor:
        derivatives = list(trace[:-1])
        for layer in reversed(layers):
            if isinstance(layer, nn.Linear):
                weights = weights @ layer.weight
            else:
                weights = weights * derivatives.pop()
        return weights

    return forward, backward


def with_derivative(function: nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return a function of single values, and its derivative at each."""
    if type(function) is nn.Sigmoid:  # a tenth of what the general way takes
        result = torch.sigmoid(values)
        return result, result * (1 - result)
    with torch.enable_grad():
        points = values.detach().requires_grad_(True)
        result = function(points.clone())  # it may work in place
        (derivative,) = torch.autograd.grad(result.sum(), points)
    return result.detach(), derivative


def any_model(
    model: nn.Module, shape: torch.Size
) -> tuple[Forward, Callable[..., Tensor]]:
    """Any differentiable model: the trace is the point, gradients pass forward anew."""

    def forward(points: Tensor) -> tuple[Tensor, Trace]:
        return model(points.reshape(-1, *shape)), (points,)

    def backward(trace: Trace, weights: Tensor) -> Tensor:
        with torch.enable_grad():
            points = trace[0].detach().requires_grad_(True)
            logits = model(points.reshape(-1, *shape))
            (gradient,) = torch.autograd.grad((logits * weights).sum(), points)
        return gradient

    return forward, backward


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
        logits: Logits of the last forward pass, an array in float32.
        trace: Its trace.
        gradients: Gradients of the last backward pass, as pixels.
    """

    def __init__(self, network: Network, as_pixels: Callable[[Tensor], Any]) -> None:
        self.network, self.as_pixels = network, as_pixels
        self.logits, self.gradients, self.trace = np.empty((0, 0)), None, ()


def forward(passes: HostPasses, points: Any, chosen: np.ndarray) -> None:
    """Evaluate the network at chosen points."""
    logits, passes.trace = passes.network.forward(torch.as_tensor(points[chosen]))
    passes.logits = logits.float().cpu().contiguous().numpy()


def backward(passes: HostPasses, rows: np.ndarray, weights: np.ndarray) -> None:
    """Compute the gradients of weighted logits at rows of the last forward pass."""
    like = passes.trace[0]
    factors = torch.from_numpy(weights).to(like.device, like.dtype)
    chosen = torch.from_numpy(rows).to(like.device)
    gradients = passes.network.backward(passes.trace, chosen, factors)
    passes.gradients = passes.as_pixels(gradients)
