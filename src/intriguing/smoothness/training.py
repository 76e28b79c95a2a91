"""Training of many perceptrons at once, batched over networks of one shape."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from scipy.cluster.vq import kmeans2
from scipy.optimize import minimize
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize
from torch.nn.utils import parameters_to_vector

from intriguing.errors import InputError
from intriguing.smoothness.design import Setting, settings
from intriguing.smoothness.stack import Stack

BATCH = 100
"""Images of a step."""
LEARNING_RATE = 2e-3
STATISTICS = 20
"""Last steps whose images give the mean and variance of normalised pre-activations."""
LBFGS = {"maxiter": 200, "maxfun": 400, "maxcor": 30, "ftol": 0.0, "gtol": 1e-5}
"""Options of SciPy's L-BFGS-B."""
DIGITS = 10


class Member(NamedTuple):
    """One network of a batch: how it is trained, and its seed."""

    setting: Setting
    seed: int


def shape_of(setting: Setting) -> tuple:
    """Return what networks must share to be trained in one batch."""
    adversarial = setting.radius > 0
    shape = setting.width, setting.depth, setting.activation, setting.classes
    return *shape, setting.length, adversarial, setting.batch_norm, setting.optimiser


def batches(
    images: Sequence[int], extremes: Sequence[int], seeds: int
) -> list[list[Member]]:
    """Return all networks of the experiment in batches of one shape."""
    chosen = settings(images, extremes)
    members = [Member(one, seed) for one in chosen for seed in range(seeds)]
    ordered = sorted(members, key=lambda one: str(shape_of(one.setting)))
    grouped = groupby(ordered, key=lambda one: shape_of(one.setting))
    return [list(batch) for _, batch in grouped]


def train(
    members: Sequence[Member],
    images: UInt8[Tensor, "m d"],
    labels: Int[Tensor, " m"],
    steps: int,
) -> Stack:
    """Return trained networks of one shape.

    They minimise the mean cross-entropy and λ/2 · Σw². A network depends on its setting
    and seed, and only by rounding on the others of its batch.

    Args:
        members: Networks, all of one `shape_of`.
        images: Training images; a setting takes the first of a random order.
        labels: Their classes, in the granularity of the settings.
        steps: Steps of Adam for a ``length`` of 1.
    """
    first, outputs = members[0].setting, int(labels.max()) + 1
    stack = initial(members, images.shape[1], outputs)
    if first.optimiser == "lbfgs":
        if first.radius > 0 or first.batch_norm:
            raise InputError(
                "optimiser lbfgs: it knows no radius and no batch_norm; use adam"
            )
        for place, member in enumerate(members):
            generator = _generator(member, -1)
            order, own = _training_set(member.setting, labels, outputs, generator)
            pixels = images[order].float() / 255
            _fit_by_lbfgs(stack.one(place), pixels, own, member.setting.decay)
        return stack
    steps = round(steps * first.length)
    draws = [_draws(member, labels, outputs, steps) for member in members]
    places = torch.stack([draw[0] for draw in draws], dim=1)
    chosen = torch.stack([draw[1] for draw in draws], dim=1)
    _fit_by_adam(stack, members, images, places, chosen)
    if not stack.gains:
        return stack
    with torch.no_grad():
        last = places[-STATISTICS:].transpose(0, 1).flatten(1)
        return stack.folded(images[last].float() / 255)


def _fit_by_adam(
    stack: Stack,
    members: Sequence[Member],
    images: UInt8[Tensor, "m d"],
    places: Int[Tensor, "s n b"],
    labels: Int[Tensor, "s n b"],
) -> None:
    """Train in place by Adam with a cosine schedule.

    With a radius, each image is replaced by itself plus a step of that length along its
    gradient, clipped to the box.
    """
    decay, radius = (
        torch.tensor([getattr(member.setting, key) for member in members])
        for key in ("decay", "radius")
    )
    parameters = [*stack.weights, *stack.biases, *stack.gains]
    optimiser = torch.optim.Adam(parameters, LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimiser, max(len(places), 1)
    )
    for place, label in zip(places, labels, strict=True):
        pixels = images[place].float() / 255
        if radius.any():
            pixels = perturbed(stack, pixels, label, radius)
        optimiser.zero_grad()
        _cross_entropy(stack.logits(pixels), label).backward()
        for weight in stack.weights:
            # The gradient of the penalty; in the loss it would take a pass more.
            assert weight.grad is not None
            weight.grad.addcmul_(decay[:, None, None], weight.detach())
        optimiser.step()
        schedule.step()


def _fit_by_lbfgs(
    stack: Stack, pixels: Float[Tensor, "m d"], labels: Int[Tensor, " m"], decay: float
) -> None:
    """Train a stack of one network in place, on all images at once."""
    parameters = [*stack.weights, *stack.biases]

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        _set_parameters(parameters, flat)
        loss = _cross_entropy(stack.logits(pixels[None]), labels[None])
        for weight in stack.weights:
            loss = loss + decay / 2 * weight.square().sum()
        gradients = torch.autograd.grad(loss, parameters)
        return loss.item(), parameters_to_vector(gradients).double().numpy()

    start = parameters_to_vector(parameters).detach().double().numpy()
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=LBFGS)
    _set_parameters(parameters, found.x)


def _set_parameters(
    parameters: Sequence[Tensor], flat: Float[np.ndarray, " entries"]
) -> None:
    parts = torch.from_numpy(flat).float().split([one.numel() for one in parameters])
    with torch.no_grad():
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.copy_(part.view_as(parameter))


def initial(members: Sequence[Member], inputs: int, outputs: int) -> Stack:
    """Return networks before training: Glorot's uniform weights times their scale."""
    first = members[0].setting
    sizes = [inputs, *[first.width] * first.depth, outputs]
    weights = []
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        limit = (6 / (fan_in + fan_out)) ** 0.5
        drawn = [
            (2 * torch.rand(fan_in, fan_out, generator=_generator(one, layer)) - 1)
            * (limit * one.setting.scale)
            for one in members
        ]
        weights.append(torch.stack(drawn).requires_grad_(True))
    biases = [
        torch.zeros(len(members), 1, size, requires_grad=True) for size in sizes[1:]
    ]
    gains = [torch.ones_like(bias, requires_grad=True) for bias in biases[:-1]]
    return Stack(weights, biases, first.activation, gains if first.batch_norm else [])


def perturbed(
    stack: Stack,
    pixels: Float[Tensor, "n b d"],
    labels: Int[Tensor, "n b"],
    radius: Float[Tensor, " n"],
) -> Float[Tensor, "n b d"]:
    """Return images moved by ``radius`` along the gradient of the loss, in the box."""
    inputs = pixels.clone().requires_grad_(True)
    loss = _cross_entropy(stack.logits(inputs), labels)
    (slope,) = torch.autograd.grad(loss, inputs)
    step = normalize(slope, dim=2) * radius[:, None, None]
    return (pixels + step).clamp(0, 1)


def relabelled(
    images: UInt8[Tensor, "m d"], labels: Int[Tensor, " m"], classes: int
) -> Int[Tensor, " m"]:
    """Return labels of another granularity.

    Fewer than ten classes merge digits by their remainder. More split each digit into
    equally many parts by k-means; part p of digit y has the label y + 10·p.
    """
    if classes <= DIGITS:
        return labels % classes
    parts, found = classes // DIGITS, labels.clone()
    for digit in range(DIGITS):
        rows = (labels == digit).nonzero()[:, 0]
        pixels = images[rows].double().numpy() / 255
        _, part = kmeans2(pixels, parts, minit="++", seed=digit)
        found[rows] += DIGITS * torch.as_tensor(part, dtype=labels.dtype)
    return found


def _draws(
    member: Member, labels: Int[Tensor, " m"], outputs: int, steps: int
) -> tuple[Int[Tensor, "s b"], Int[Tensor, "s b"]]:
    """Return the places and the labels of the images of each step."""
    generator = _generator(member, -1)
    order, own = _training_set(member.setting, labels, outputs, generator)
    drawn = torch.randint(len(order), (steps, BATCH), generator=generator)
    return order[drawn], own[drawn]


def _training_set(
    setting: Setting,
    labels: Int[Tensor, " m"],
    outputs: int,
    generator: torch.Generator,
) -> tuple[Int[Tensor, " t"], Int[Tensor, " t"]]:
    """Return the places and the labels, some of them wrong, of the training images."""
    order = torch.randperm(len(labels), generator=generator)[: setting.images]
    wrong = torch.rand(len(order), generator=generator) < setting.noise
    random = torch.randint(outputs, (len(order),), generator=generator)
    return order, torch.where(wrong, random, labels[order])


def _cross_entropy(
    logits: Float[Tensor, "n b c"], labels: Int[Tensor, "n b"]
) -> Float[Tensor, ""]:
    """Return the sum over networks of their mean cross-entropy."""
    total = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")
    return total / logits.shape[1]


def _generator(member: Member, stream: int) -> torch.Generator:
    # Seeds of a curve share their draws, so that a factor is compared within a seed.
    return torch.Generator().manual_seed(1000 * member.seed + stream + 1)
