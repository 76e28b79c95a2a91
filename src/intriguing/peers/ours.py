"""Our attacks and the reference, asked as the others are."""

from torch import Tensor, nn

from intriguing.attack import find_adversarial
from intriguing.peers.task import Task


def lbfgs(model: nn.Module, task: Task) -> Tensor:
    """The paper's objective, for the whole batch at once."""
    return find_adversarial(model, task.images, task.targets, labels=task.labels).images


def scipy(model: nn.Module, task: Task) -> Tensor:
    """The same by SciPy's L-BFGS-B: 15 weights, each from the last success."""
    return find_adversarial(
        model, task.images, task.targets, labels=task.labels, method="scipy"
    ).images
