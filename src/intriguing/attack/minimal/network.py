"""The network as the search sees it: logits of many points, gradients at few of them.

A step tries a point for every image, and needs gradients only where the point was
accepted, and only of the classes in play: two or three of ten. So a forward pass leaves
a *trace* from which the gradient of any combination of logits can be taken later, for a
ragged list of rows.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.errors import InputError

Trace = tuple[Tensor, ...]
Forward = Callable[[Tensor], tuple[Tensor, Trace]]
Backward = Callable[[Trace, Tensor, Tensor], Tensor]

NOT_FINITE = "the model returns NaN or infinite logits"

LEAST_ROWS = 16
"""Fewest rows of a pass. Matrix products of fewer take another order of summation, so
that an image's path would depend on how many others are left."""

MOST_VALUES = 2**24
"""Most pixels of one backward pass, which bounds its memory."""

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
WITH_KINKS = (nn.ReLU, nn.LeakyReLU)
"""Those whose slope jumps."""


class Network(NamedTuple):
    """Both directions of a classifier.

    Attributes:
        forward: Maps points (N, D) to logits and their trace, one row a point.
        backward: Maps a trace, rows of it, and one weight a logit (P, classes) to the
            gradient (P, D) of the weighted logits.
        layers: Its layers if it is a stack of linear maps and functions of single
            values, else none.
        kinked: Whether it is one and the slope of some function jumps. Of any other
            network the search finds out, run by run.
    """

    forward: Forward
    backward: Backward
    layers: tuple[nn.Module, ...] = ()
    kinked: bool = False


def network_of(model: nn.Module, shape: torch.Size) -> Network:
    """Return both directions of any classifier of images of this shape."""
    layers = stack_of(model)
    forward, backward = any_model(model, shape) if layers is None else stacked(layers)

    def checked_forward(points: Tensor) -> tuple[Tensor, Trace]:
        count = len(points)
        with torch.no_grad():
            logits, trace = forward(padded(points))
        if not torch.isfinite(logits).all():
            raise InputError(NOT_FINITE)
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
    kinked = any(isinstance(layer, WITH_KINKS) for layer in known)
    return Network(checked_forward, padded_backward, known, kinked)


def padded(rows: Float[Tensor, "n ..."]) -> Float[Tensor, "m ..."]:
    """Repeat the first row until there are enough for a pass."""
    missing = LEAST_ROWS - len(rows)
    if missing <= 0 or not len(rows):
        return rows
    return torch.cat([rows, rows[:1].expand(missing, *rows.shape[1:])])


def stack_of(model: nn.Module) -> list[nn.Module] | None:
    """Return the layers of a fully connected network, None for any other."""
    if not isinstance(model, nn.Sequential) or model._forward_hooks:
        return None
    layers: list[nn.Module] = []
    for part in model:
        inner = stack_of(part) if isinstance(part, nn.Sequential) else [part]
        if inner is None:
            return None
        layers += inner
    first, rest = layers[:1], layers[1:]
    flat = all(type(layer) is nn.Flatten for layer in first)
    known = all(type(layer) in (nn.Linear, *ELEMENTWISE) for layer in rest)
    ends = len(rest) > 0 and type(rest[0]) is nn.Linear
    return rest if flat and known and ends and type(rest[-1]) is nn.Linear else None


def stacked(layers: list[nn.Module]):
    """Linear maps and functions of single values: the trace holds their slopes."""

    def forward(points: Tensor) -> tuple[Tensor, Trace]:
        values, slopes = points, []
        for layer in layers:
            if isinstance(layer, nn.Linear):
                values = layer(values)
            else:
                values, slope = with_slope(layer, values)
                slopes.append(slope)
        # A linear network's gradients need no trace but the number of its rows.
        return values, (*slopes, values)

    def backward(trace: Trace, weights: Tensor) -> Tensor:
        slopes = list(trace[:-1])
        for layer in reversed(layers):
            if isinstance(layer, nn.Linear):
                weights = weights @ layer.weight
            else:
                weights = weights * slopes.pop()
        return weights

    return forward, backward


def with_slope(function: nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return a function of single values, and its derivative at each."""
    if type(function) is nn.Sigmoid:  # a tenth of what the general way takes
        result = torch.sigmoid(values)
        return result, result * (1 - result)
    with torch.enable_grad():
        points = values.detach().requires_grad_(True)
        result = function(points)
        (slope,) = torch.autograd.grad(result.sum(), points)
    return result.detach(), slope


def any_model(model: nn.Module, shape: torch.Size):
    """Any differentiable model: the trace is the point, gradients pass forward anew."""

    def forward(points: Tensor) -> tuple[Tensor, Trace]:
        return model(points.reshape(-1, *shape)), (points,)

    def backward(trace: Trace, weights: Tensor) -> Tensor:
        with torch.enable_grad():
            points = trace[0].detach().requires_grad_(True)
            logits = model(points.reshape(-1, *shape))
            (slope,) = torch.autograd.grad((logits * weights).sum(), points)
        return slope

    return forward, backward


def difference(
    winner: Int[Tensor, " p"], loser: Int[Tensor, " p"], like: Float[Tensor, "n c"]
) -> Float[Tensor, "p c"]:
    """Return weights that give the winner's logit less the loser's."""
    weights = like.new_zeros(len(winner), like.shape[1])
    weights.scatter_(1, winner[:, None], 1.0)
    return weights.scatter_(1, loser[:, None], -1.0)
