"""Lipschitz constants of all layers of a network, and their product."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from intriguing.errors import InputError
from intriguing.models.architecture import Standardise
from intriguing.models.evaluation import undisturbed
from intriguing.spectra import conv_norm, linear_norm
from intriguing.spectra.convolution import Size, convolution
from intriguing.spectra.estimates import estimates_of
from intriguing.spectra.graph import product_bound
from intriguing.spectra.lipschitz import (
    NONEXPANSIVE,
    average_pool_norm,
    batch_norm_lipschitz,
    contrast_lipschitz,
    elementwise_lipschitz,
    max_pool_lipschitz,
)
from intriguing.spectra.matrices import singular_values
from intriguing.spectra.torus import circular_values

STORED_VALUES = 256
"""Singular values of a layer that are stored for the figure, at even ranks."""
KINDS: dict[type[nn.Module], str] = {
    nn.Conv2d: "conv",
    nn.Linear: "fc",
    nn.MaxPool2d: "pool",
    nn.AvgPool2d: "pool",
    nn.AdaptiveAvgPool2d: "pool",
    nn.LocalResponseNorm: "contrast",
    nn.Sigmoid: "sigmoid",
    Standardise: "standardise",
}
"""Names of layers in the tables; a layer of another class has the name of its class."""


class Layer(NamedTuple):
    """What Table 5 says of a layer; None where it does not apply.

    Attributes:
        name: ``conv1``, ``fc2``, ``pool1``; in nested networks the module's path.
        kind: ``conv``, ``fc``, ``pool``, ``contrast``, ``sigmoid``, ``standardise``.
        inputs: Channels or units of the input, of all groups together.
        outputs: Channels or units of the output.
        kernel: Height of the window.
        stride: Vertical step of the window.
        lower: Lower bound of the Lipschitz constant.
        upper: Upper bound of it; None without weights, or for an unknown layer.
        estimates: Cheaper numbers for the norm, by their column.
        spectrum: Singular values, descending; those of circular padding for ``conv``.
    """

    name: str
    kind: str
    inputs: int | None = None
    outputs: int | None = None
    kernel: int | None = None
    stride: int | None = None
    lower: float | None = None
    upper: float | None = None
    estimates: dict[str, float] | None = None
    spectrum: list[float] | None = None


def measure_network(
    network: nn.Module, shape: tuple[int, int, int], missing: Collection[str] = ()
) -> dict[str, Layer]:
    """Return the layers that are not nonexpansive, by their path in the network.

    Args:
        network: The network, which is measured in evaluation mode.
        shape: Channels, height and width of its images.
        missing: Paths of layers without weights.

    Raises:
        InputError: The network does not take images of this shape.
    """
    counts: dict[str, int] = {}
    layers = {}
    for path, module, size in _innermost_modules(network, shape):
        if type(module) in NONEXPANSIVE:
            continue
        if path in layers:  # used again, perhaps on another size
            again = measure(module, layers[path].name, size, path not in missing)
            layers[path] = max(layers[path], again, key=lambda one: one.upper or 0)
            continue
        kind = kind_of(module)
        counts[kind] = counts.get(kind, 0) + 1
        # Layers of flat networks are numbered as in the paper.
        name = path if path.count(".") > 1 else f"{kind}{counts[kind]}"
        layers[path] = measure(module, name, size, has_weights=path not in missing)
    return layers


def _innermost_modules(
    network: nn.Module, shape: tuple[int, int, int]
) -> list[tuple[str, nn.Module, Size]]:
    """Return path, module and input size of each layer, in the order of its use."""
    used: list[tuple[str, nn.Module, Size]] = []
    hooks = []
    for path, module in network.named_modules():
        if not list(module.children()):

            def note(module: nn.Module, inputs: tuple[Tensor], _, path=path) -> None:
                shapes = [one.shape for one in inputs if isinstance(one, Tensor)]
                used.append((path, module, tuple(shapes[0][2:]) if shapes else ()))

            hooks.append(module.register_forward_hook(note))
    first = next(network.parameters(), torch.zeros(()))
    images = torch.zeros(1, *shape, device=first.device, dtype=first.dtype)
    try:
        with undisturbed(network), torch.no_grad():
            network(images)
    except Exception as error:  # of whatever the model's own code does
        raise InputError(f"shape {shape}: the network does not take it") from error
    finally:
        for hook in hooks:
            hook.remove()
    return used


def kind_of(module: nn.Module) -> str:
    """Return the name of a kind of layer in the tables."""
    return KINDS.get(type(module), type(module).__name__)


def measure(
    module: nn.Module, name: str, size: Size, has_weights: bool = True
) -> Layer:
    """Return what Table 5 says of one layer.

    Args:
        module: The layer.
        name: Of its row.
        size: Height and width of its input; empty for a list of units.
        has_weights: Whether its weights are known.
    """
    if type(module) is nn.Conv2d:
        return _convolution(module, name, size, has_weights)
    if type(module) is nn.Linear:
        return _linear(module, name, has_weights)
    window, step = getattr(module, "kernel_size", None), getattr(module, "stride", None)
    bounds = lipschitz_bounds(module, size)
    return Layer(name, kind_of(module), None, None, window, step, *bounds)


def lipschitz_bounds(
    module: nn.Module, size: Size
) -> tuple[float | None, float | None]:
    """Return bounds of the Lipschitz constant of a layer without weights.

    They are None for a layer of an unknown kind.
    """
    if type(module) is nn.LocalResponseNorm and module.size % 2 == 0:
        return None, None
    if type(module) is nn.LocalResponseNorm:
        return contrast_lipschitz(module.size, module.beta, module.k)
    constant = elementwise_lipschitz(module)
    if type(module) is nn.MaxPool2d and module.dilation == 1:
        pool = (module.kernel_size, module.stride, module.padding)
        constant = max_pool_lipschitz(*pool, size, module.ceil_mode)
    elif type(module) in (nn.AvgPool2d, nn.AdaptiveAvgPool2d):
        constant = average_pool_norm(module, size)
    elif type(module) is nn.BatchNorm1d or type(module) is nn.BatchNorm2d:
        constant = batch_norm_lipschitz(module)
    elif type(module) is Standardise:
        constant = float((1 / module.deviation).max())
    return constant, constant


def _convolution(module: nn.Conv2d, name: str, size: Size, has_weights: bool) -> Layer:
    kernel, stride = module.kernel_size[0], module.stride[0]
    shape = module.in_channels, module.out_channels, kernel, stride
    if module.padding_mode != "zeros" or not has_weights:
        return Layer(name, "conv", *shape)
    given = module.weight, module.stride, module.padding, module.groups, size
    layer = convolution(*given, module.dilation)
    enclosure = conv_norm(*given, dilation=module.dilation)
    values = circular_values(layer)
    estimates = {"smallest": float(values[0]), "circular": float(values[-1])}
    estimates |= estimates_of(layer)
    return Layer(name, "conv", *shape, *enclosure, estimates, _at_even_ranks(values))


def _linear(module: nn.Linear, name: str, has_weights: bool) -> Layer:
    shape = module.in_features, module.out_features, None, None
    if not has_weights:
        return Layer(name, "fc", *shape)
    enclosure = linear_norm(module.weight)
    values = singular_values(module.weight.detach().double())
    smallest = {"smallest": float(values[0])}
    return Layer(name, "fc", *shape, *enclosure, smallest, _at_even_ranks(values))


def _at_even_ranks(values: Tensor) -> list[float]:
    """Return values at even ranks, descending, with the largest and the smallest."""
    count = min(len(values), STORED_VALUES)
    ranks = torch.linspace(0, len(values) - 1, count).round().long()
    return values.flip(0)[ranks].tolist()


def summary(
    network: nn.Module, layers: Mapping[str, Layer], shape: tuple[int, int, int]
) -> dict[str, Any]:
    """Return layers and products in a form that JSON can hold.

    ``product`` multiplies the constants of all layers, ``product-of-norms`` only the
    operator norms of weights, as the paper does.
    """
    constants = {path: layer.upper for path, layer in layers.items()}
    norms = {
        path: layer.upper if layer.kind in ("conv", "fc") else 1.0
        for path, layer in layers.items()
    }
    return {
        "layers": [layer._asdict() for layer in layers.values()],
        "product": product_bound(network, constants, shape),
        "product-of-norms": product_bound(network, norms, shape),
    }
