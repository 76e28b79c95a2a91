"""Networks and images of the tests of the minimal attack."""

from itertools import pairwise

import torch
from torch import nn

from intriguing.attack import minimal
from intriguing.attack.objective import target_mask_of
from intriguing.models.perceptron import linear_layers, perceptron


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images_of(count: int, width: int, seed: int) -> torch.Tensor:
    """Images with many pixels at the ends of the box, as digits have."""
    raw = torch.rand(count, width, generator=seeded(seed))
    return (1.6 * raw - 0.3).clamp(0, 1)


def linear_classifier(classes: int, width: int, seed: int) -> nn.Sequential:
    network = perceptron([width, classes], [True])
    for weights in network.parameters():
        weights.data = torch.randn(weights.shape, generator=seeded(seed))
    return network.eval().requires_grad_(False)


def sigmoid_network(seed: int, width: int = 40, scale: float = 1.0) -> nn.Sequential:
    """Random weights, and biases such that grey images lie in the middle."""
    network = perceptron([width, 24, 16, 6], [True, True, True])
    generator = seeded(seed)
    for layer in linear_layers(network):
        shape = layer.weight.shape
        size = scale * 6 / shape[1] ** 0.5
        layer.weight.data = size * torch.randn(shape, generator=generator)
        layer.bias.data = -0.5 * layer.weight.sum(1)
    return network.eval().requires_grad_(False)


def stack(widths: list[int], function: type[nn.Module], seed: int) -> nn.Sequential:
    """Random weights, no bias in the first layer, all classes predicted somewhere."""
    layers: list[nn.Module] = [nn.Flatten()]
    for fan_in, fan_out in pairwise(widths):
        bias = len(layers) > 1 or len(widths) == 2
        layers += [nn.Linear(fan_in, fan_out, bias=bias), function()]
    model = nn.Sequential(*layers[:-1])
    for weights in model.parameters():
        weights.data = torch.randn(weights.shape, generator=seeded(seed))
        weights.data *= 3 / weights[0].numel() ** 0.5
    centre(model, images_of(100, widths[0], 4))
    return model.eval().requires_grad_(False)


def convolution(side: int, seed: int) -> nn.Sequential:
    """A convolution with ReLU and max-pooling, all classes predicted somewhere."""
    pooled = (side - 2) // 2
    model = nn.Sequential(
        nn.Flatten(),
        nn.Unflatten(1, (1, side, side)),
        nn.Conv2d(1, 6, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(6 * pooled**2, 5),
    )
    for weights in model.parameters():
        weights.data = torch.randn(weights.shape, generator=seeded(seed))
        weights.data *= 3 / weights[0].numel() ** 0.5
    centre(model, images_of(100, side * side, 4))
    return model.eval().requires_grad_(False)


def centre(model: nn.Sequential, points: torch.Tensor) -> None:
    model[-1].bias.data -= model(points).detach().mean(0)


def targeted(model: nn.Module, images: torch.Tensor, shift: int = 1) -> torch.Tensor:
    logits = model(images)
    classes = logits.shape[1]
    return target_mask_of(classes, (logits.argmax(1) + shift) % classes, None)


def untargeted(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    logits = model(images)
    return target_mask_of(logits.shape[1], None, logits.argmax(1))


def some_classes(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Rows with different numbers of target classes."""
    mask, predictions = untargeted(model, images), model(images).argmax(1)
    rows = torch.arange(0, len(mask), 3)
    mask[rows, (predictions[::3] + 2) % mask.shape[1]] = False
    return mask


def lengths(found: minimal.MinimalResult, images: torch.Tensor) -> torch.Tensor:
    """Return infinity where nothing was found."""
    length = (found.image - images.flatten(1)).double().norm(dim=1)
    return length.masked_fill(~found.success, torch.inf)


def reaches(model: nn.Module, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return mask.gather(1, model(image).argmax(1)[:, None])[:, 0]
