"""The images and targets that each attack of the comparison is given."""

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
        targets: Target classes; None for an untargeted attack.
        pool: Other images, for attacks that start from one.
    """

    images: Float[Tensor, "n ..."]
    labels: Int[Tensor, " n"]
    targets: Int[Tensor, " n"] | None
    pool: Float[Tensor, "m ..."]

    @property
    def targeted(self) -> bool:
        """Whether there are target classes."""
        return self.targets is not None

    @property
    def classes(self) -> Int[Tensor, " n"]:
        """The classes to reach, or to leave if the attack is untargeted."""
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
    """Return the task for some images of a file, and their indices in the data.

    Args:
        model: The network; only images that it classifies correctly are attacked.
        stored: Content of the file: ``clean`` images, each one's ``label``, ``index``.
        count: Largest number of images to attack; all images are in the pool.
        targeted: Whether the task has random target classes.
        seed: Decides the targets, as it did for the file.
    """
    clean, labels = stored["clean"], stored["label"]
    logits = predict(model, clean)
    predictions, classes = logits.argmax(1), logits.shape[1]
    correct = (predictions == labels).nonzero()[:count, 0]
    targets = random_targets(labels, predictions, classes, seed)[correct]
    task = Task(clean[correct], labels[correct], targets if targeted else None, clean)
    return task, stored["index"][correct]


def is_success(predictions: Int[Tensor, " n"], task: Task) -> Bool[Tensor, " n"]:
    """Return which predictions are the target class, or not the label."""
    return (predictions == task.classes) == task.targeted


def starting_points(model: nn.Module, task: Task) -> Float[Tensor, "n ..."]:
    """Return for each image one of the pool that is already a success.

    Images with the same class get different ones.

    Raises:
        InputError: No image of the pool is a success.
    """
    predictions = predict(model, task.pool).argmax(1)
    chosen = []
    for place, number in enumerate(task.classes.tolist()):
        fit = ((predictions == number) == task.targeted).nonzero()[:, 0]
        if not len(fit):
            raise InputError(f"the pool has no image to start from for class {number}")
        chosen.append(fit[place % len(fit)])
    return task.pool[torch.stack(chosen)]
