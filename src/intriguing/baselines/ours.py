"""Our attacks and the reference, asked as the others are."""

from torch import Tensor, nn

from intriguing.attack import find_adversarial, minimal
from intriguing.attack.objective import target_mask_of
from intriguing.baselines.comparison import Counted
from intriguing.baselines.task import Task
from intriguing.models.evaluation import predict


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
) -> Counted:
    """Return the shortest perturbations, without a penalty.

    Some of the passes go through smoothed networks, which a hook does not see.
    """
    classes = predict(model, task.images[:1]).shape[1]
    found = minimal.search(
        model,
        task.images,
        target_mask_of(classes, task.targets, task.labels),
        starts=starts,
        start_images=task.pool if starts > 1 else None,
        known=known,
    )
    passes = int(found.evaluations.sum()), int(found.gradients.sum())
    left = int((~found.converged).sum())
    return Counted(found.image.reshape(task.images.shape), *passes, left)


def shortest_from_lbfgs(model: nn.Module, task: Task, starts: int) -> Counted:
    """Return the same with the paper's solution, made here, among the starts."""
    paper = find_adversarial(model, task.images, task.targets, labels=task.labels)
    found = shortest(model, task, starts, paper.images)
    passes = int(paper.evaluations.sum())
    return found._replace(
        forwards=found.forwards + passes, backwards=found.backwards + passes
    )
