"""Layers of torch as affine maps: normalisations are folded into the linear layers."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from intriguing.errors import InputError
from intriguing.models.architecture import Standardise
from intriguing.models.checks import is_altered, is_compiled

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
UNCHANGED = (nn.Flatten, nn.Identity, nn.Dropout)
"""Layers that keep the values, in evaluation mode."""

Vector = Float[np.ndarray, " _"]
Matrix = Float[np.ndarray, "_ _"]


def layers_of(model: nn.Module) -> list[nn.Module]:
    """Return the layers of nested `nn.Sequential` that change the values, in order.

    Raises:
        InputError: A layer does more than its class says, or is in training mode.
    """
    kind = type(model)
    if is_compiled(model):
        raise InputError(
            "model: it is compiled, scripted or traced, which hides its layers; give "
            "the module from which it was made"
        )
    if is_altered(model):
        raise InputError(
            f"model: {kind.__name__} has a hook or a forward of its own; remove it"
        )
    if kind is nn.Sequential:
        return [layer for part in model.children() for layer in layers_of(part)]
    if model.training and kind in (nn.Dropout, *BATCH_NORMS):
        raise InputError(
            f"model: {kind.__name__} is in training mode; call model.eval()"
        )
    return [] if kind in UNCHANGED else [model]


def affine_map(layers: list[nn.Module]) -> tuple[Matrix, Vector]:
    """Return weights and biases of one linear layer with normalisations around it.

    Raises:
        InputError: Some layer is of another kind, or there is not one linear layer.
    """
    for layer in layers:
        if type(layer) is not nn.Linear and not _is_normalisation(layer):
            raise InputError(
                f"model: {type(layer).__name__} has no bounds; give an nn.Sequential "
                "of Linear with ReLU, Sigmoid or Tanh, Flatten, Dropout, Normalize, "
                "BatchNorm1d"
            )
    linear = [layer for layer in layers if type(layer) is nn.Linear]
    if len(linear) != 1:
        raise InputError(
            f"model: {len(linear)} Linear layers in a row; bounds need one before, "
            "between and after activations"
        )
    place = layers.index(linear[0])
    weight = _array(linear[0].weight)
    bias = np.zeros(len(weight)) if linear[0].bias is None else _array(linear[0].bias)
    for layer in reversed(layers[:place]):
        scale, shift = _scale_and_shift(layer, weight.shape[1])
        weight, bias = weight * scale, weight @ shift + bias
    for layer in layers[place + 1 :]:
        scale, shift = _scale_and_shift(layer, len(bias))
        weight, bias = scale[:, None] * weight, scale * bias + shift
    return weight, bias


def _is_normalisation(layer: nn.Module) -> bool:
    kind = type(layer)
    # Without torchvision's import, which takes a second.
    is_torchvisions = kind.__module__.startswith("torchvision.transforms.")
    own = kind in (*BATCH_NORMS, Standardise)
    return own or (is_torchvisions and kind.__name__ == "Normalize")


def _scale_and_shift(layer: Any, units: int) -> tuple[Vector, Vector]:
    """Return what a normalisation multiplies each unit by and then adds."""
    if type(layer) in BATCH_NORMS:
        scale, shift = _of_batch_norm(layer)
    else:
        deviation = layer.deviation if type(layer) is Standardise else layer.std
        scale = 1 / _array(deviation).ravel()
        shift = -_array(layer.mean).ravel() * scale
    if units % len(shift):
        raise InputError(
            f"model: {type(layer).__name__} of {len(shift)} channels meets {units} "
            "values; give it as many"
        )
    # Flattened images have one channel after the other.
    scale, shift = (np.repeat(each, units // len(each)) for each in (scale, shift))
    return scale, shift


def _of_batch_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Vector, Vector]:
    if layer.running_mean is None or layer.running_var is None:
        raise InputError(
            f"model: {type(layer).__name__} has no running statistics, so that its "
            "output depends on the batch; train it with them"
        )
    scale = 1 / np.sqrt(_array(layer.running_var) + layer.eps)
    if layer.affine:
        scale = scale * _array(layer.weight)
    shift = -_array(layer.running_mean) * scale
    return scale, shift + _array(layer.bias) if layer.affine else shift


def _array(values: Any) -> np.ndarray:
    return torch.as_tensor(values, dtype=torch.float64).detach().cpu().numpy()
