"""Attacks of adversarial-library, with the settings that served them best."""

import adv_lib.attacks as library
import torch
from torch import Tensor, nn

from intriguing.baselines.task import Task, starting_points, wins
from intriguing.models.evaluation import predict


def pdgd(model: nn.Module, task: Task) -> Tensor:
    """Primal-dual gradient descent, 2,000 steps."""
    return library.pdgd(
        model,
        task.images,
        task.classes,
        targeted=task.targeted,
        num_steps=2000,
        primal_lr=0.3,
    )


def ddn(model: nn.Module, task: Task, steps: int) -> Tensor:
    """Decoupled direction and norm; not quantised, which is the library's default."""
    return library.ddn(
        model, task.images, task.classes, task.targeted, steps=steps, levels=None
    )


def begin_with_ddn(model: nn.Module, task: Task) -> Tensor:
    """Return the results of DDN in 100 steps; another digit where it has none."""
    begin = ddn(model, task, steps=100)
    found = wins(predict(model, begin).argmax(1), task)
    if found.all():
        return begin
    shape = (-1, *[1] * (begin.dim() - 1))
    return torch.where(found.reshape(shape), begin, starting_points(model, task))


def fmn(model: nn.Module, task: Task) -> Tensor:
    """Fast minimum norm, 1,000 steps, from DDN's results.

    From clean images it fails on some, from other digits it ends longer.
    """
    return library.fmn(
        model,
        task.images,
        task.classes,
        norm=2,
        targeted=task.targeted,
        steps=1000,
        α_init=0.3,
        starting_points=begin_with_ddn(model, task),
    )


def alma(model: nn.Module, task: Task) -> Tensor:
    """Augmented Lagrangian, 1,000 steps, the first one 0.3 long."""
    return library.alma(
        model,
        task.images,
        task.classes,
        targeted=task.targeted,
        num_steps=1000,
        init_lr_distance=0.3,
    )


def superdeepfool(model: nn.Module, task: Task) -> Tensor:
    """SuperDeepFool, which is untargeted only."""
    return library.sdf(model, task.images, task.classes)
