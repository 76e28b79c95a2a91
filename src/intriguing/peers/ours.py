"""Our attacks and the reference, asked as the others are."""

from torch import Tensor, nn

from intriguing.attack import find_adversarial
from intriguing.peers.task import Task


def lbfgs(model: nn.Module, task: Task) -> Tensor:
    """Return minimisers of the paper's objective, of the whole batch at once."""
    return find_adversarial(model, task.images, task.targets, labels=task.labels).images


def scipy(model: nn.Module, task: Task) -> Tensor:
    """Return the same by SciPy's L-BFGS-B: 15 weights, each from the last success."""
    return find_adversarial(
        model, task.images, task.targets, labels=task.labels, method="scipy"
    ).images


def shortest(
    model: nn.Module, task: Task, starts: int, known: Tensor | None = None
) -> Tensor:
    """Return the shortest perturbations, without a penalty."""
    return find_adversarial(
        model,
        task.images,
        task.targets,
        labels=task.labels,
        method="minimal",
        starts=starts,
        start_images=task.pool if starts > 1 else None,
        known=known,
    ).images


def shortest_from_lbfgs(model: nn.Module, task: Task, starts: int) -> Tensor:
    """Return the same with the paper's solution, made here, among the starts."""
    return shortest(model, task, starts, known=lbfgs(model, task))
