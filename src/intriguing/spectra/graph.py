"""Product bound along a network's own computation graph.

A bound on a network's Lipschitz constant may multiply the constants of its layers only
in the order in which the forward pass uses them. `torch.fx` traces that pass: a layer
used twice counts twice, branches that are added or concatenated are bounded as such,
and whatever the trace does not explain makes the bound unavailable.
"""

import copy
import operator
from collections.abc import Callable, Mapping
from math import hypot, inf, isfinite, isnan, nextafter
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn import functional

from intriguing.models.checks import is_altered, preserved, reason_of
from intriguing.spectra.lipschitz import NONEXPANSIVE

VIEW_CALLS = {
    torch.flatten,
    operator.getitem,
    *("flatten", "view", "reshape", "permute", "transpose", "contiguous"),
    *("squeeze", "unsqueeze", "float", "double"),
}
"""Functions and methods that may return the memory of their input."""
NONEXPANSIVE_CALLS = VIEW_CALLS | {
    torch.relu,
    functional.relu,
    functional.relu6,
    torch.tanh,
    torch.clone,
    torch.mean,
    torch.neg,
    operator.neg,
    *("relu", "relu_", "tanh", "clone", "mean", "neg"),
}
"""Functions and methods that move no two images apart either."""
SUMS = {operator.add, operator.iadd, torch.add, "add"}
SUMS |= {operator.sub, operator.isub, torch.sub, "sub"}
PRODUCTS = {operator.mul, operator.imul, torch.mul, "mul"}
QUOTIENTS = {operator.truediv, operator.itruediv, torch.div, "div"}
CONCATENATIONS = {torch.cat, torch.concat}
VIEWS = (nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d)
"""Layers that may return the memory of their input."""


class UnavailableError(ValueError):
    """The forward pass has a part whose constant is not known; the message says it."""


class ProductBound(NamedTuple):
    """Upper bound of a network's Lipschitz constant.

    Attributes:
        upper: The bound, None where it is not available.
        reason: Why it is not available; empty where it is.
    """

    upper: float | None
    reason: str


def network_bound(
    network: nn.Module,
    constants: Mapping[str, float | None],
    shape: tuple[int, ...] | None = None,
) -> ProductBound:
    """Bound the Lipschitz constant by the constants of the layers, along the graph.

    Args:
        network: The network, which is traced in evaluation mode.
        constants: Upper ends of the layers' constants by their place, as
            ``named_modules`` names it; `NONEXPANSIVE` layers need none.
        shape: Of one input, without the batch; needed unless the network is a chain of
            layers, as code between the layers is compared with its trace on images.
    """
    try:
        network = _own_copy(network)
        with preserved(network):
            graph = _Tracer(set(constants)).trace(network)
            if shape is not None:
                _check_trace(network, graph, shape)
            elif not _is_chain(network, set(constants)):
                raise UnavailableError("give the shape of the input")
        upper = _follow(graph, dict(network.named_modules()), constants)
    except UnavailableError as error:
        return ProductBound(None, str(error))
    return ProductBound(upper, "")


class _Tracer(fx.Tracer):
    """Takes every layer with a known constant as a whole."""

    def __init__(self, known: set[str]) -> None:
        super().__init__()
        self.known = known

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Say whether a module is one node of the graph."""
        known = module_qualified_name in self.known
        return known or super().is_leaf_module(m, module_qualified_name)

    def trace(self, root: Any, concrete_args: dict[str, Any] | None = None) -> fx.Graph:
        """Return the graph of the forward pass."""
        try:
            return super().trace(root, concrete_args)
        except Exception as error:  # of whatever the model's own code does
            reason = str(error).strip().splitlines()[:1]
            raise UnavailableError(
                f"the forward pass of {type(root).__name__} cannot be traced "
                f"({type(error).__name__}: {''.join(reason)})"
            ) from error


def _own_copy(network: nn.Module) -> nn.Module:
    """Return a copy, on whose attributes a trace may leave its own objects.

    Nothing but the classes of its modules may decide what the network does.
    """
    for place, module in network.named_modules():
        where = f"{type(module).__name__} at {place or 'the top'}"
        if is_altered(module):
            raise UnavailableError(f"{where} has a hook or a forward of its own")
    try:
        return copy.deepcopy(network)
    except Exception as error:  # of whatever the model holds
        raise UnavailableError(f"it cannot be copied ({reason_of(error)})") from error


def _follow(
    graph: fx.Graph,
    modules: Mapping[str, nn.Module],
    constants: Mapping[str, float | None],
) -> float:
    """Return the constant of the graph's output with respect to its input."""
    bounds: dict[fx.Node, float] = {}
    for node in graph.nodes:
        _refuse_aliases(node, modules)
        if node.op == "placeholder":
            if bounds:
                raise UnavailableError("the forward pass takes several arguments")
            bounds[node] = 1.0
        elif node.op == "get_attr":
            bounds[node] = 0.0
        elif node.op == "call_module":
            constant = _constant(str(node.target), modules, constants)
            if len(node.args) != 1 or node.kwargs:
                raise UnavailableError(
                    f"{node.target} is called with several arguments"
                )
            bounds[node] = _times(_of(node.args[0], bounds), constant)
        elif node.op == "output":
            return _of(node.args[0], bounds)
        else:
            bounds[node] = _of_function(node, bounds)
    raise UnavailableError("the forward pass returns nothing")


def _constant(
    place: str, modules: Mapping[str, nn.Module], constants: Mapping[str, float | None]
) -> float:
    module = modules[place]
    if place not in constants and type(module) in NONEXPANSIVE:
        return 1.0
    constant = constants.get(place)
    if constant is None or isnan(constant):
        raise UnavailableError(
            f"no constant is known of {type(module).__name__} at {place}"
        )
    return constant


def _of(argument: Any, bounds: Mapping[fx.Node, float]) -> float:
    """Return the constant of one value; numbers depend on no pixel."""
    if isinstance(argument, fx.Node):
        return bounds[argument]
    if isinstance(argument, int | float):
        return 0.0
    raise UnavailableError(
        f"the forward pass joins values in a {type(argument).__name__}"
    )


def _of_function(node: fx.Node, bounds: Mapping[fx.Node, float]) -> float:
    """Return the constant of what a function or method returns."""
    target, inputs = node.target, [bounds[one] for one in node.all_input_nodes]
    if not any(inputs) or (target is getattr and node.args[1] == "shape"):
        return 0.0
    if target == "size":
        return 0.0
    if target in SUMS and not node.kwargs and len(node.args) == 2:
        _require_one_shape(node, bounds)
        return _up(sum(_of(one, bounds) for one in node.args))
    if target in CONCATENATIONS:
        return _up(hypot(*(_of(one, bounds) for one in _parts(node))))
    first = _of(node.args[0], bounds) if node.args else inf
    if target is operator.getitem and not _is_slice(node.args[1]):
        raise UnavailableError("the forward pass picks values by a list of indices")
    if target in NONEXPANSIVE_CALLS and sum(map(bool, inputs)) == 1 and first:
        return first
    if target is functional.dropout and node.kwargs.get("training") is False:
        return first
    scale = None if node.kwargs else _scale(target, node.args)
    if scale is not None:
        return _times(inputs[0], scale)
    name = target if isinstance(target, str) else getattr(target, "__name__", target)
    raise UnavailableError(f"no constant is known of {name}() in the forward pass")


def _require_one_shape(node: fx.Node, bounds: Mapping[fx.Node, float]) -> None:
    """Refuse a sum in which a value that depends on the pixels is broadcast."""
    terms = [one for one in node.all_input_nodes if bounds[one]]
    metas = [one.meta.get("tensor_meta") for one in (*terms, node)]
    shapes = {meta.shape for meta in metas if meta is not None}
    if None in metas or len(shapes) > 1:
        raise UnavailableError("branches of different shapes are added")


def _refuse_aliases(node: fx.Node, modules: Mapping[str, nn.Module]) -> None:
    """Refuse operations in place on memory that is used elsewhere too."""
    name = node.target if isinstance(node.target, str) else ""
    in_place = bool(node.kwargs.get("inplace"))
    if node.op == "call_module":
        in_place |= bool(getattr(modules[name], "inplace", False))
    elif node.op == "call_method":
        in_place |= name.endswith("_")
    if in_place and any(len(one.users) > 1 for one in _sharing(node, modules)):
        raise UnavailableError(
            f"{name or node.name} changes in place what is used again"
        )


def _sharing(node: fx.Node, modules: Mapping[str, nn.Module]) -> list[fx.Node]:
    """Return the values whose memory the inputs of a node may be."""
    found = list(node.all_input_nodes)
    for one in found:
        is_layer = one.op == "call_module"
        is_view = is_layer and type(modules[str(one.target)]) in VIEWS
        if is_view or one.target in VIEW_CALLS or one.target is functional.dropout:
            found += one.all_input_nodes
    return found


def _is_chain(network: nn.Module, known: set[str]) -> bool:
    """Return whether nothing but `nn.Sequential` decides the order of the layers."""
    return all(
        type(module) is nn.Sequential or not any(module.children()) or path in known
        for path, module in network.named_modules()
    )


def _check_trace(network: nn.Module, graph: fx.Graph, shape: tuple[int, ...]) -> None:
    """Note the shape of every value, and compare the trace with the network."""
    first = next(network.parameters(), torch.zeros(()))
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, *shape, generator=generator).to(first.device, first.dtype)
    try:
        with torch.no_grad():
            traced = ShapeProp(fx.GraphModule(network, graph)).propagate(images.clone())
            outputs = network(images.clone())
        same = torch.allclose(traced, outputs, rtol=1e-4, atol=1e-6, equal_nan=True)
    except Exception as error:  # of whatever the model's own code does
        reason = str(error).strip().splitlines()[:1]
        raise UnavailableError(
            f"shape {shape}: the network does not take it ({''.join(reason)})"
        ) from error
    if not same:
        raise UnavailableError("the forward pass does more than its trace")


def _is_slice(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(part, int | slice) or part is ... for part in parts)


def _parts(node: fx.Node) -> list[Any]:
    parts = node.args[0] if node.args else node.kwargs.get("tensors")
    if not isinstance(parts, list | tuple):
        raise UnavailableError(
            "the forward pass concatenates an unknown number of parts"
        )
    return list(parts)


def _scale(target: Callable | str, arguments: tuple[Any, ...]) -> float | None:
    """Return the factor of a product with, or a quotient by, a plain number."""
    numbers = [one for one in arguments if isinstance(one, int | float)]
    if len(arguments) != 2 or len(numbers) != 1 or not isfinite(numbers[0]):
        return None
    number = abs(float(numbers[0]))
    if target in PRODUCTS:
        return number
    divides = target in QUOTIENTS and arguments[1] is numbers[0]
    return _up(1 / number) if divides and number else None


def _times(one: float, other: float) -> float:
    """Return a product, rounded up: no factor above zero is lost by underflow."""
    return _up(one * other) if one and other else 0.0


def _up(value: float) -> float:
    return nextafter(value, inf)
