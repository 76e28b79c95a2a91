"""AlexNet with published weights, of all layers or of some."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from intriguing.errors import InputError
from intriguing.models.alexnet import alexnet_2012
from intriguing.models.architecture import build, torchvision_classifier

LAYERS = (*(f"conv{i}" for i in range(1, 6)), "fc6", "fc7", "fc8")
"""Names of the layers of AlexNet in files of published weights."""


def alexnet_from_layers(
    stored: Mapping[str, Tensor],
) -> tuple[nn.Sequential, list[str]]:
    """Return AlexNet with stored weights, and the paths of the layers without any.

    Layers without weights hold NaN, so that no prediction is possible.

    Args:
        stored: Weights and biases by name, ``conv1.weight`` to ``fc8.bias``. Contrast
            normalisation is that of Caffe's version.

    Raises:
        InputError: There are no weights for any layer, or some have another shape.
    """
    network = build(alexnet_2012(offset=1.0, scale=1e-4)).eval().requires_grad_(False)
    layers = [
        path
        for path, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    names = dict(zip(LAYERS, layers, strict=True))
    missing = [path for name, path in names.items() if f"{name}.weight" not in stored]
    if len(missing) == len(LAYERS):
        raise InputError(f"none of the layers {', '.join(LAYERS)} is in the weights")
    for name, path in names.items():
        for kind, own in network.get_submodule(path).named_parameters():
            given = None if path in missing else stored.get(f"{name}.{kind}")
            given = torch.full_like(own, torch.nan) if given is None else given
            if given.shape != own.shape:
                shapes = f"{tuple(given.shape)}; AlexNet's is {tuple(own.shape)}"
                raise InputError(f"{name}.{kind} is {shapes}")
            own.data = given.float()
    return network, missing


def pretrained_classifier(name: str, weights: Mapping[str, Tensor]) -> nn.Sequential:
    """Return one of torchvision's classifiers, from pixels in [0, 1] to logits.

    Args:
        name: As torchvision has it, ``squeezenet1_0``.
        weights: Its parameters and buffers.

    Raises:
        InputError: The weights do not fit it.
    """
    network = torchvision_classifier(name)
    try:
        network[1].load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"weights of {name} do not fit it: {reason}") from error
    return network.eval().requires_grad_(False)
