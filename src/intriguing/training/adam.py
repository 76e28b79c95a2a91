"""Adam as all networks here are trained with: fused steps, a cosine of the rate.

The arithmetic is torch's own, called as a function: the first step of a
``torch.optim.Adam`` loads torch's compiler, which takes longer than many a training
run here, and its bookkeeping a fifth of each step of a small network.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.optim.adam import adam

Track = Callable[[Iterable[int]], Iterable[int]]
"""Passes an iterable on, showing progress or not; ``iter`` shows none."""

CONSTANTS = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
"""Those of the paper that proposed Adam."""
PLAIN = {"amsgrad": False, "maximize": False}


@dataclass(frozen=True)
class AdamRecipe:
    """Settings of one run of Adam.

    Attributes:
        learning_rate: Highest learning rate; it falls to 0 along half a cosine.
        epochs: Passes over the training images.
        batch: Images per step; an incomplete last batch is dropped.
        warmup: Share of all steps in which the rate first rises linearly from 0.
    """

    learning_rate: float
    epochs: int
    batch: int
    warmup: float = 0.0


class Group(NamedTuple):
    """Parameters that decay alike.

    Attributes:
        parameters: Changed in place.
        decay: The paper's lambda: its half times the sum of squares is in the loss.
    """

    parameters: list[Tensor]
    decay: float


class Adam:
    """Running moments of the gradients, and the steps that they give."""

    def __init__(self, groups: Sequence[Group]) -> None:
        alike: dict[float, list[Tensor]] = {}
        for parameters, decay in groups:
            alike.setdefault(decay, []).extend(parameters)
        self.groups = [Group(held, decay) for decay, held in alike.items()]
        self.moments = [
            tuple([torch.zeros_like(tensor) for tensor in held] for _ in range(2))
            for held, _ in self.groups
        ]
        self.steps = [
            [torch.zeros((), device=tensor.device) for tensor in held]
            for held, _ in self.groups
        ]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move the parameters against their gradients, which are used up."""
        for (held, decay), moments, steps in zip(
            self.groups, self.moments, self.steps, strict=True
        ):
            gradients = [tensor.grad for tensor in held]
            settings = CONSTANTS | PLAIN | {"lr": rate, "weight_decay": decay}
            adam(held, gradients, *moments, [], steps, fused=True, **settings)
            for tensor in held:
                tensor.grad = None


def run_adam(
    loss: Callable[[Tensor], Tensor],
    groups: Sequence[Group],
    count: int,
    recipe: AdamRecipe,
    generator: torch.Generator,
    track: Track,
) -> None:
    """Minimise ``loss(rows)`` over shuffled batches of ``range(count)``.

    The decay of a group is added to the gradient, as the paper's loss asks.
    """
    batch = min(recipe.batch, count)
    steps = count // batch
    optimiser, done = Adam(groups), 0
    share = cosine_schedule(steps * recipe.epochs, recipe.warmup)
    for _ in track(range(recipe.epochs)):
        order = torch.randperm(count, generator=generator)
        for rows in order[: steps * batch].split(batch):
            loss(rows).backward()
            optimiser.step(recipe.learning_rate * share(done))
            done += 1


def cosine_schedule(steps: int, warmup: float) -> Callable[[int], float]:
    """Return the share of the highest learning rate at each step."""
    rising = warmup * steps

    def share(step: int) -> float:
        if step < rising:
            return (step + 1) / (rising + 1)
        done = (step - rising) / max(steps - rising, 1)
        return 0.5 * (1 + float(np.cos(np.pi * min(done, 1.0))))

    return share
