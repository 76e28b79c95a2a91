"""What every attack of the comparison is asked to do."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.targets import random_targets
from intriguing.errors import InputError
from intriguing.models.evaluation import predict


class Task(NamedTuple):
    """Images to attack, one row each.

    Attributes:
        images: Clean images, pixels in [0, 1].
        labels: True classes.
        targets: Wanted classes; None where any class but the label will do.
        pool: Other images, from which attacks may start that need one.
    """

    images: Float[Tensor, "n ..."]
    labels: Int[Tensor, " n"]
    targets: Int[Tensor, " n"] | None
    pool: Float[Tensor, "m ..."]

    @property
    def targeted(self) -> bool:
        """Whether classes are wanted rather than shunned."""
        return self.targets is not None

    @property
    def classes(self) -> Int[Tensor, " n"]:
        """The classes wanted, or those shunned."""
        return self.labels if self.targets is None else self.targets

    def rows(self, chosen: slice) -> "Task":
        """Return the task of some images."""
        targets = None if self.targets is None else self.targets[chosen]
        return Task(self.images[chosen], self.labels[chosen], targets, self.pool)


def task_of(
    model: nn.Module,
    stored: Mapping[str, Tensor],
    count: int,
    targeted: bool,
    seed: int,
) -> tuple[Task, Int[Tensor, " n"]]:
    """Return the task to attack some images of a file, and their indices in the data.

    Args:
        model: The network; only images that it answers rightly are attacked.
        stored: What the file holds: ``clean`` images, each one's ``label``, ``index``.
        count: How many images to attack at most; all serve as the pool.
        targeted: Whether towards a drawn wrong class, or only away from the label.
        seed: Decides the targets, as it did for the file.
    """
    clean, labels = stored["clean"], stored["label"]
    logits = predict(model, clean)
    answers, classes = logits.argmax(1), logits.shape[1]
    right = (answers == labels).nonzero()[:count, 0]
    targets = random_targets(labels, answers, classes, seed)[right]
    task = Task(clean[right], labels[right], targets if targeted else None, clean)
    return task, stored["index"][right]


def wins(predictions: Int[Tensor, " n"], task: Task) -> Bool[Tensor, " n"]:
    """Return where an answer is what the task asks for."""
    return (predictions == task.classes) == task.targeted


def starting_points(model: nn.Module, task: Task) -> Float[Tensor, "n ..."]:
    """Return for each image one of the pool that the network answers as wanted.

    They are taken in turn, so that images with the same class start apart.

    Raises:
        InputError: No image of the pool is answered as wanted.
    """
    answers = predict(model, task.pool).argmax(1)
    chosen = []
    for place, number in enumerate(task.classes.tolist()):
        fit = ((answers == number) == task.targeted).nonzero()[:, 0]
        if not len(fit):
            raise InputError(f"no image to start from is taken for class {number}")
        chosen.append(fit[place % len(fit)])
    return task.pool[torch.stack(chosen)]
