"""Attacks of foolbox, with the settings of the smallest norms."""

import foolbox  # pyright: ignore[reportMissingImports]
from foolbox.attacks import (  # pyright: ignore[reportMissingImports]
    L2BrendelBethgeAttack,
    L2CarliniWagnerAttack,
    L2DeepFoolAttack,
)
from foolbox.attacks.base import (  # pyright: ignore[reportMissingImports]
    MinimizationAttack,
)
from foolbox.criteria import (  # pyright: ignore[reportMissingImports]
    Misclassification,
    TargetedMisclassification,
)
from torch import Tensor, nn

from intriguing.baselines.fromadvlib import ddn_starts
from intriguing.baselines.task import Task


def run(attack: MinimizationAttack, model: nn.Module, task: Task, **more) -> Tensor:
    """Run one of foolbox's attacks."""
    wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device=task.images.device)
    criterion = TargetedMisclassification if task.targeted else Misclassification
    return attack.run(wrapped, task.images, criterion(task.classes), **more)


def carlini_wagner(model: nn.Module, task: Task) -> Tensor:
    """Carlini and Wagner's, 9 weights of at most 1,000 steps each."""
    attack = L2CarliniWagnerAttack(binary_search_steps=9, steps=1000, stepsize=0.03)
    return run(attack, model, task)


def brendel_bethge(model: nn.Module, task: Task) -> Tensor:
    """Brendel and Bethge's, 300 steps along the boundary.

    It starts at DDN's results, and is longer from other digits.
    """
    starts = ddn_starts(model, task)
    return run(L2BrendelBethgeAttack(steps=300), model, task, starting_points=starts)


def deepfool(model: nn.Module, task: Task) -> Tensor:
    """DeepFool, which is untargeted only."""
    return run(L2DeepFoolAttack(steps=100, overshoot=0.002), model, task)
