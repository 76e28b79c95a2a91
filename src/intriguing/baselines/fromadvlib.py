"""Attacks of adversarial-library, with the settings of the smallest norms."""

import adv_lib.attacks as library  # pyright: ignore[reportMissingImports]
import torch
from torch import Tensor, nn

from intriguing.baselines.task import Task, is_success, starting_points
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
    """Decoupled direction and norm; without quantisation, the library's default."""
    return library.ddn(
        model, task.images, task.classes, task.targeted, steps=steps, levels=None
    )


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
    return library.fmn(
        model,
        task.images,
        task.classes,
        norm=2,
        targeted=task.targeted,
        steps=1000,
        α_init=0.3,
        starting_points=ddn_starts(model, task),
    )


def alma(model: nn.Module, task: Task) -> Tensor:
    """Augmented Lagrangian, 1,000 steps; the first has length 0.3."""
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
