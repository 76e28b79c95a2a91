"""Attacks of adversarial-library, with the settings of the smallest norms."""

from collections.abc import Callable
from functools import partial

import adv_lib.attacks as library  # pyright: ignore[reportMissingImports]
import torch
from torch import Tensor, nn

from intriguing.baselines.task import Task, is_success, starting_points
from intriguing.models.evaluation import predict


def run(attack: Callable[..., Tensor], model: nn.Module, task: Task, **more) -> Tensor:
    """Run one of the library's attacks."""
    targeted = task.targeted
    return attack(model, task.images, task.classes, targeted=targeted, **more)


pdgd = partial(run, library.pdgd, num_steps=2000, primal_lr=0.3)
"""Primal-dual gradient descent, 2,000 steps."""
ddn = partial(run, library.ddn, levels=None)
"""Decoupled direction and norm; without quantisation, the library's default."""
alma = partial(run, library.alma, num_steps=1000, init_lr_distance=0.3)
"""Augmented Lagrangian, 1,000 steps; the first has length 0.3."""
superdeepfool = partial(run, library.sdf)
"""SuperDeepFool, which is untargeted only."""


def ddn_starts(model: nn.Module, task: Task) -> Tensor:
    """Return the results of DDN in 100 steps, an image of the pool where it failed."""
    images = ddn(model, task, steps=100)
    success = is_success(predict(model, images).argmax(1), task)
    if success.all():
        return images
    shape = (-1, *[1] * (images.dim() - 1))
    return torch.where(success.reshape(shape), images, starting_points(model, task))


def fmn(model: nn.Module, task: Task) -> Tensor:
    """Fast minimum norm, 1,000 steps, from DDN's results.

    It fails on some images from clean starts, and is longer from other digits.
    """
    starts = {"starting_points": ddn_starts(model, task)}
    return run(library.fmn, model, task, norm=2, steps=1000, α_init=0.3, **starts)
