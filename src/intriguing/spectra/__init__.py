"""Operator norms and Lipschitz constants of layers (section 4.3, Table 5).

`network_norms` lists the constants of all layers of a network, with a bound of the
whole; `norm` takes one layer, `conv_norm` and `linear_norm` its weights. All of them
return certified enclosures, or say why there is none.

In reading order: `convolution` has the layer as a linear map, `lanczos` its lower and
`torus` its upper bound, `lipschitz` the constants of other layers, `graph` the bound of
a network, `estimates` the cheaper numbers that others compute, the paper's formula
among them, and `summary` and `table` the rows of Table 5.
"""

from collections import Counter
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from math import inf, nextafter, prod, sqrt
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm import tqdm

from intriguing.errors import InputError
from intriguing.models.architecture import Standardise
from intriguing.models.checks import is_altered, preserved, reason_of, require_module
from intriguing.spectra.convolution import Size, convolution, gram_matrix
from intriguing.spectra.graph import ProductBound, network_bound
from intriguing.spectra.lanczos import COARSE, CONVERGED, lanczos_bound
from intriguing.spectra.lipschitz import NONEXPANSIVE, lipschitz_bounds
from intriguing.spectra.matrices import GUARD, checked_weight, matrix_norm
from intriguing.spectra.torus import torus_bound

__all__ = ["Layer", "NetworkNorms", "conv_norm", "linear_norm", "network_norms", "norm"]

DENSE = 1600
"""Inputs or outputs up to which the matrix of a convolution is written out."""
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
    """One layer and the enclosure of its Lipschitz constant.

    Attributes:
        name: ``conv1``, ``fc2``, ``pool1``; in nested networks the module's path.
        kind: ``conv``, ``fc``, ``pool``, ``contrast``, ``sigmoid``, ``standardise``,
            or the name of its class.
        module: The layer.
        size: Height and width of its input; empty for a list of units.
        lower: Lower bound of the constant, None where it is not available.
        upper: Upper bound of the constant, None where it is not available.
        reason: Why they are not available; empty where they are.
    """

    name: str
    kind: str
    module: nn.Module
    size: Size
    lower: float | None = None
    upper: float | None = None
    reason: str = ""


class NetworkNorms(NamedTuple):
    """The constants of a network's layers, and their product; ``print`` shows a table.

    Attributes:
        layers: Layers by their path in the network, in the order of their use. Layers
            that move no two inputs apart, such as ReLU, are left out.
        product: Upper bound of the network's Lipschitz constant, by the constants of
            its layers along the forward pass, or the reason why there is none.
    """

    layers: dict[str, Layer]
    product: ProductBound

    def __str__(self) -> str:
        """Return the table, its numbers rounded outwards."""
        named = {
            path: path if path == layer.name else f"{path} ({layer.name})"
            for path, layer in self.layers.items()
        }
        width = max(map(len, named.values()), default=5)
        rows = [f"{'layer':{width}}  {'lower':>10}  {'upper':>10}"]
        for path, layer in self.layers.items():
            ends = f"not available: {layer.reason}"
            if layer.lower is not None and layer.upper is not None:
                lower = _short(layer.lower, ROUND_FLOOR)
                ends = f"{lower:>10}  {_short(layer.upper):>10}"
            rows.append(f"{named[path]:{width}}  {ends}")
        upper, reason = self.product
        bound = f"at most {_short(upper)}" if upper is not None else ""
        return "\n".join([*rows, f"network: {bound or f'not available: {reason}'}"])


def _short(value: float, rounding: str = ROUND_CEILING) -> str:
    """Return five digits of a number, rounded in one direction."""
    return f"{Context(5, rounding).create_decimal(value):g}"


def norm(layer: nn.Module, input_size: int | Size = ()) -> tuple[float, float]:
    """Return a certified enclosure of a layer's Lipschitz constant, for the L2 norm.

    It is that of evaluation mode; for a convolution or a fully connected layer it is
    the operator norm of the weights.

    Args:
        layer: One of torch's layers; classes derived from them are not known.
        input_size: Height and width of its input; layers of plain units need none.

    Raises:
        InputError: The constant is not known, or the input too small; the message says
            why.
    """
    require_module(layer)
    if is_altered(layer):
        raise InputError("a hook or a forward of its own decides what it computes")
    size = _checked_size(layer, input_size)
    if type(layer) is nn.Linear:
        return linear_norm(layer.weight)
    if type(layer) is not nn.Conv2d:
        return lipschitz_bounds(layer, size)
    if layer.padding_mode != "zeros":
        raise InputError(f"padding_mode {layer.padding_mode!r}: only zeros are bounded")
    given = layer.weight, layer.stride, layer.padding, layer.groups, size
    return conv_norm(*given, dilation=layer.dilation)


def _checked_size(layer: nn.Module, input_size: Any) -> Size:
    """Return height and width of a layer's input, empty for one of plain units."""
    size = (input_size,) * 2 if isinstance(input_size, int) else input_size
    needed = kind_of(layer) in ("conv", "pool")
    if not _is_whole(size) or (needed and len(size) != 2):
        raise InputError(
            f"input_size: {input_size!r}; give height and width of the layer's input, "
            "such as (28, 28)"
        )
    return tuple(size)


def _is_whole(size: Any) -> bool:
    """Return whether sides of an input are positive whole numbers."""
    sides = size if isinstance(size, tuple | list) else [None]
    return all(isinstance(side, int) and side > 0 for side in sides)


def network_norms(network: nn.Module, shape: Size) -> NetworkNorms:
    """Return the constants of all layers of a network, and the bound of the whole.

    The network is measured in evaluation mode and is afterwards as before. A terminal
    shows the progress.

    Args:
        network: Any module; a single layer too.
        shape: Of one input, such as channels, height and width.

    Raises:
        InputError: The network does not take inputs of this shape, or is TorchScript.
    """
    require_module(network)
    if not _is_whole(shape) or not len(shape):
        raise InputError(f"shape: {shape!r}; give one input's, such as (1, 28, 28)")
    if any(isinstance(part, torch.jit.ScriptModule) for part in network.modules()):
        raise InputError("network: TorchScript does not tell its layers; give a module")
    whole = network if any(network.children()) else nn.Sequential(network)
    counts, layers = Counter(), {}
    used = dict.fromkeys(_innermost_modules(whole, tuple(shape)))
    shown = {"desc": "norms", "unit": "layer", "leave": False}
    for path, module, size in tqdm(used, **shown, disable=None):
        if type(module) in NONEXPANSIVE:
            continue
        if path in layers:  # used again, on another size
            both = layers[path], _measured(module, layers[path].name, size)
            layers[path] = max(both, key=lambda one: (one.upper is None, one.upper))
            continue
        kind = kind_of(module)
        counts[kind] += 1
        # Layers of flat networks are numbered as in the paper.
        name = path if path.count(".") > 1 else f"{kind}{counts[kind]}"
        layers[path] = _measured(module, name, size)
    constants = {path: layer.upper for path, layer in layers.items()}
    return NetworkNorms(layers, network_bound(whole, constants, tuple(shape)))


def kind_of(module: nn.Module) -> str:
    """Return the name of a kind of layer in the tables."""
    return KINDS.get(type(module), type(module).__name__)


def _measured(module: nn.Module, name: str, size: Size) -> Layer:
    layer = Layer(name, kind_of(module), module, size)
    try:
        lower, upper = norm(module, size)
    except InputError as error:
        return layer._replace(reason=str(error))
    return layer._replace(lower=lower, upper=upper)


def _innermost_modules(
    network: nn.Module, shape: Size
) -> list[tuple[str, nn.Module, Size]]:
    """Return path, module and input size of each layer, in the order of its use."""
    used: list[tuple[str, nn.Module, Size]] = []
    hooks = []
    for path, module in network.named_modules():
        if not any(module.children()):

            def note(module: nn.Module, inputs: tuple[Tensor], _, path=path) -> None:
                shapes = [one.shape for one in inputs if isinstance(one, Tensor)]
                used.append((path, module, tuple(shapes[0][2:]) if shapes else ()))

            hooks.append(module.register_forward_hook(note))
    first = next(network.parameters(), torch.zeros(()))
    try:
        images = torch.zeros(1, *shape, device=first.device, dtype=first.dtype)
        with preserved(network), torch.no_grad():
            network(images)
    except Exception as error:  # of whatever the model's own code does
        raise InputError(
            f"shape {shape}: the network does not take it ({reason_of(error)})"
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
    return used


def conv_norm(
    weight: Float[Tensor, "outputs inputs height width"],
    stride: int | Size,
    padding: int | Size | str,
    groups: int,
    input_size: int | Size,
    *,
    dilation: int | Size = 1,
) -> tuple[float, float]:
    """Return a certified enclosure of the operator norm of a zero-padded convolution.

    The lower end is attained by an image that Lanczos iteration finds. The upper end is
    the norm on a torus that contains the padded image, or for small layers that of the
    matrix itself. Both allow for rounding in float64.

    Args:
        weight: As in `torch.nn.Conv2d`; ``inputs`` counts the channels of one group.
        stride: One number, or one for height and one for width; so below.
        padding: Zeros on each side, or ``same`` or ``valid`` as in torch.
        groups: Number of groups of channels.
        input_size: Height and width of the image.
        dilation: Step between the taps of the kernel.

    Returns:
        Lower and upper end. Their relative gap is well below one percent at usual
        sizes, and only rounding for layers of up to `DENSE` inputs or outputs.

    Raises:
        InputError: There is no such layer, or a weight is not finite.
    """
    layer = convolution(weight, stride, padding, groups, input_size, dilation)
    scale = float(layer.weight.abs().max())
    if scale == 0:
        return 0.0, 0.0
    layer = layer._replace(weight=layer.weight / scale)  # squares stay representable
    upper, accuracy = torus_bound(layer), COARSE
    if min(prod(layer.input_shape), prod(layer.output_shape)) <= DENSE:
        largest = float(torch.linalg.eigvalsh(gram_matrix(layer))[-1])
        upper = min(upper, sqrt(max(largest, 0.0)) * (1 + GUARD))
        accuracy = CONVERGED
    return scaled(min(lanczos_bound(layer, accuracy), upper), upper, scale)


def scaled(lower: float, upper: float, scale: float) -> tuple[float, float]:
    """Return an enclosure times a scale, rounded outwards; nothing rounds a zero."""
    if upper == 0:
        return 0.0, 0.0
    return nextafter(lower * scale, 0), nextafter(upper * scale, inf)


def linear_norm(weight: Float[Tensor, "outputs inputs"]) -> tuple[float, float]:
    """Return an enclosure of the largest singular value, allowing for rounding.

    Raises:
        InputError: The weights are no matrix, or not finite.
    """
    matrix = checked_weight(weight, ("outputs", "inputs"))
    scale = float(matrix.abs().max())
    if scale == 0:
        return 0.0, 0.0
    norm = matrix_norm(matrix / scale)
    return scaled(norm * (1 - GUARD), norm * (1 + GUARD), scale)
