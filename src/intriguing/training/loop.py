"""The training loop: Adam on shuffled mini-batches, with a cosine learning rate."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

Track = Callable[[Iterable[int]], Iterable[int]]
"""Passes an iterable on and shows progress; ``iter`` shows none."""

BatchLoss = Callable[[Tensor], Tensor]
"""The mean loss of the training images at some indices."""

DecayGroups = Mapping[float, Sequence[Tensor]]
"""Parameters by their weight decay: half of it times their squares is in the loss."""

CONSTANTS = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
"""As in Kingma and Ba (2015), who proposed Adam."""


@dataclass(frozen=True)
class AdamRecipe:
    """Settings of one training run.

    Attributes:
        learning_rate: Largest learning rate; it falls to 0 along half a cosine.
        epochs: Passes over the training images.
        batch: Images per step; an incomplete last batch is dropped.
        warmup: Share of all steps in which the rate first rises linearly from 0.
    """

    learning_rate: float
    epochs: int
    batch: int
    warmup: float = 0.0


class Adam:
    """State of Adam for groups of parameters.

    The steps are those of ``torch.optim.Adam(fused=True)``, which calls the same
    function. That class takes twice the time for a step of a small network, and its
    first step imports torch's compiler: 7 % of the time of the paper's run.
    """

    def __init__(self, groups: DecayGroups) -> None:
        self.groups = [
            (
                decay,
                list(tensors),
                [torch.zeros_like(tensor) for tensor in tensors],
                [torch.zeros_like(tensor) for tensor in tensors],
                [torch.zeros((), device=tensor.device) for tensor in tensors],
            )
            for decay, tensors in groups.items()
        ]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Update the parameters in place, and clear their gradients."""
        plain = {"amsgrad": False, "maximize": False, "fused": True}
        for decay, tensors, means, squares, steps in self.groups:
            gradients = [tensor.grad for tensor in tensors if tensor.grad is not None]
            settings = {"lr": rate, "weight_decay": decay, **CONSTANTS, **plain}
            adam(tensors, gradients, means, squares, [], steps, **settings)
            for tensor in tensors:
                tensor.grad = None


def train(
    network: nn.Sequential,
    loss: BatchLoss,
    groups: DecayGroups,
    count: int,
    recipe: AdamRecipe,
    generator: torch.Generator,
    track: Track,
) -> nn.Sequential:
    """Return the network after training, in eval mode and with frozen weights.

    Args:
        network: Changed in place.
        loss: Called with the indices of each batch.
        groups: The parameters of the network.
        count: Number of training images.
        recipe: Settings of Adam.
        generator: Decides the order of the images.
        track: Shows progress over epochs.
    """
    batch = min(recipe.batch, count)
    steps = count // batch
    optimiser, step = Adam(groups), 0
    share = cosine_schedule(steps * recipe.epochs, recipe.warmup)
    for _ in track(range(recipe.epochs)):
        order = torch.randperm(count, generator=generator)
        for indices in order[: steps * batch].split(batch):
            loss(indices).backward()
            optimiser.step(recipe.learning_rate * share(step))
            step += 1
    return network.eval().requires_grad_(False)


def cosine_schedule(steps: int, warmup: float) -> Callable[[int], float]:
    """Return the learning rate of each step, as a share of the largest one."""
    rising = warmup * steps

    def share(step: int) -> float:
        if step < rising:
            return (step + 1) / (rising + 1)
        progress = (step - rising) / max(steps - rising, 1)
        return 0.5 * (1 + cos(pi * min(progress, 1.0)))

    return share
