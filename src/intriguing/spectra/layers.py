"""Every layer of a network: its gain, and what others would say of it."""

from collections.abc import Collection, Iterator, Mapping
from math import hypot, prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from intriguing.models.architecture import Standardise
from intriguing.spectra import conv_norm, estimates, linear_norm
from intriguing.spectra.convolution import describe
from intriguing.spectra.gains import contrast_gain, linear_pool_gain, max_pool_gain
from intriguing.spectra.matrices import singular_values
from intriguing.spectra.torus import circular_values

CONTRACTIVE = (nn.ReLU, nn.Dropout, nn.Dropout2d, nn.Flatten, nn.Identity)
"""Layers that push no two images apart; they get no row."""
Size = tuple[int, ...]
"""Height and width of a layer's input; empty where it takes a list of units."""
CHAINS = ("Sequential", "AlexNet", "SqueezeNet", "VGG")
"""Classes of networks that apply their parts one after the other."""
SHOWN = 256
"""Singular values kept of a layer, at even ranks, for the figure."""


class Layer(NamedTuple):
    """One layer; what it does not have is None.

    Attributes:
        name: ``conv1``, ``fc2``, ``pool1``; in nested networks its place.
        kind: ``conv``, ``fc``, ``pool``, ``contrast``, ``sigmoid``, ``standardise``.
        inputs: Channels or units that it reads, of all groups together.
        outputs: Channels or units that it gives.
        kernel: Height of its window.
        stride: Step of its window.
        lower: Gain that it has at least.
        upper: Gain that it has at most; None when its weights are not to be had.
        estimates: What cheaper methods give in place of the norm, by their name.
        spectrum: Singular values, descending; of a convolution with circular padding.
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
    """Return every layer that is not simply contractive, by its place in the network.

    Args:
        network: In eval mode.
        shape: Channels, height and width of its images.
        missing: Places of layers whose weights are not to be had.
    """
    counts: dict[str, int] = {}
    found = {}
    for place, module, size in _visited(network, shape):
        if isinstance(module, CONTRACTIVE):
            continue
        kind = kind_of(module)
        counts[kind] = counts.get(kind, 0) + 1
        # Flat networks are numbered as the paper does.
        name = place if place.count(".") > 1 else f"{kind}{counts[kind]}"
        found[place] = measure(module, name, size, known=place not in missing)
    return found


def _visited(
    network: nn.Module, shape: tuple[int, int, int]
) -> Iterator[tuple[str, nn.Module, Size]]:
    """List each innermost module in the order of its use, with its input's size."""
    seen: list[tuple[str, nn.Module, Size]] = []
    hooks = []
    for place, module in network.named_modules():
        if not list(module.children()):

            def note(module: nn.Module, inputs: tuple[Tensor], _, place=place) -> None:
                seen.append((place, module, tuple(inputs[0].shape[2:])))

            hooks.append(module.register_forward_hook(note))
    first = next(network.parameters(), torch.zeros(()))
    with torch.no_grad():
        network(torch.zeros(1, *shape, device=first.device, dtype=first.dtype))
    for hook in hooks:
        hook.remove()
    yield from seen


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


def kind_of(module: nn.Module) -> str:
    """Return what a layer is called in the tables; its class where we know no gain."""
    return KINDS.get(type(module), type(module).__name__)


def measure(module: nn.Module, name: str, size: Size, known: bool = True) -> Layer:
    """Return one layer and its gain.

    Args:
        module: The layer.
        name: What to call it.
        size: Height and width of its input, where it has any.
        known: Whether its weights are to be had.
    """
    if isinstance(module, nn.Conv2d):
        return _convolution(module, name, size, known)
    if isinstance(module, nn.Linear):
        return _linear(module, name, known)
    lower, upper = simple_gain(module, size)
    window, step = getattr(module, "kernel_size", None), getattr(module, "stride", None)
    return Layer(name, kind_of(module), None, None, window, step, lower, upper)


def simple_gain(
    module: nn.Module, size: Size
) -> tuple[float, float] | tuple[None, None]:
    """Return the gain of a layer without weights, from below and from above."""
    if isinstance(module, nn.MaxPool2d) and module.dilation == 1:
        pool = (module.kernel_size, module.stride, module.padding)
        return (max_pool_gain(*pool, size, module.ceil_mode),) * 2
    if isinstance(module, nn.AvgPool2d | nn.AdaptiveAvgPool2d):
        return (linear_pool_gain(module, size),) * 2
    if isinstance(module, nn.LocalResponseNorm):
        return contrast_gain(module.size, module.beta, module.k)
    if isinstance(module, Standardise):
        return (float((1 / module.deviation).max()),) * 2
    if isinstance(module, nn.Sigmoid):
        return 0.25, 0.25
    return None, None


def _convolution(module: nn.Conv2d, name: str, size: Size, known: bool) -> Layer:
    kernel, stride = module.kernel_size[0], module.stride[0]
    shape = module.in_channels, module.out_channels, kernel, stride
    if not known or module.padding_mode != "zeros" or set(module.dilation) != {1}:
        return Layer(name, "conv", *shape)
    given = module.weight, module.stride, module.padding, module.groups, size
    layer, enclosure = describe(*given), conv_norm(*given)
    values, printed = circular_values(layer), estimates.printed(layer)
    beside = {
        "smallest": float(values[0]),
        "circular": float(values[-1]),
        "reshaped": estimates.reshaped(layer),
        "singla-feizi": estimates.singla_feizi(layer),
        "araujo": estimates.araujo(layer),
        "printed": printed,
        "printed-corrected": printed * prod(module.stride) ** 0.5,
    }
    return Layer(name, "conv", *shape, *enclosure, beside, _thinned(values))


def _linear(module: nn.Linear, name: str, known: bool) -> Layer:
    shape = module.in_features, module.out_features, None, None
    if not known:
        return Layer(name, "fc", *shape)
    enclosure = linear_norm(module.weight)
    values = singular_values(module.weight.detach().double())
    smallest = {"smallest": float(values[0])}
    return Layer(name, "fc", *shape, *enclosure, smallest, _thinned(values))


def _thinned(values: Tensor) -> list[float]:
    """Return values at even ranks, the largest and the smallest among them."""
    ranks = torch.linspace(0, len(values) - 1, min(len(values), SHOWN)).round().long()
    return values.flip(0)[ranks].tolist()


def product_bound(
    network: nn.Module, gains: Mapping[str, float | None], place: str = ""
) -> float | None:
    """Return the product of gains along a network: a bound of its Lipschitz constant.

    Parts whose outputs are laid side by side, as in SqueezeNet, count with the root of
    the sum of their squares.

    Args:
        network: Or a part of it.
        gains: Of the layers, by place; layers not among them count as contractive.
        place: Of the part in the network.

    Returns:
        The product; None if a gain is None or parts are joined in an unknown way.
    """
    if place in gains:
        return gains[place]
    parts = [
        product_bound(part, gains, f"{place}.{name}" if place else name)
        for name, part in network.named_children()
    ]
    kind = type(network).__name__
    if None in parts or (parts and kind not in (*CHAINS, "Fire")):
        return None
    if kind == "Fire":  # squeeze, then two expansions of its output
        squeeze, _, narrow, _, wide, _ = parts
        return squeeze * hypot(narrow, wide)
    return prod(parts)


def summary(network: nn.Module, found: Mapping[str, Layer]) -> dict[str, Any]:
    """Return layers and products as JSON takes them.

    ``product`` multiplies all gains, ``product-of-norms`` those of weights alone, as
    the paper does.
    """
    upper = {place: layer.upper for place, layer in found.items()}
    weighted = {p: u for p, u in upper.items() if found[p].kind in ("conv", "fc")}
    return {
        "layers": [layer._asdict() for layer in found.values()],
        "product": product_bound(network, upper),
        "product-of-norms": product_bound(network, weighted),
    }
