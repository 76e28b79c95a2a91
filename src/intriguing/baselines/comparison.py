"""Attacks alternate on the same images; their results are checked, counted and timed.

The speed of a machine drifts. The attacks therefore alternate in one process on one
thread, CPU time counts, and only ratios of speeds are meaningful.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import compress
from statistics import mean, median
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor, nn

from intriguing.attack import distortion
from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.baselines.task import Task, is_success
from intriguing.models.evaluation import predict

MIN_SECONDS = 1.0
"""Least CPU time of a timed run; a faster attack is repeated."""
WARM_UP = 2
"""Images of an attack's first, untimed run: some attacks compile code."""


class CountedImages(NamedTuple):
    """Result of an attack that counts its own passes.

    Attributes:
        images: Adversarial images.
        forwards: Images that went forwards through a network.
        backwards: Images that went backwards through a network.
        unconverged: Images that are at no stationary point.
    """

    images: Tensor
    forwards: int
    backwards: int
    unconverged: int


AttackFunction = Callable[[nn.Module, Task], Tensor | CountedImages]
Track = Callable[[Iterable], Iterable]


class Attack(NamedTuple):
    """An attack of the comparison.

    Attributes:
        name: Its row in the table.
        function: Maps network and task to adversarial images.
        slow: Whether it runs in one of the rounds only.
        counts: Whether it returns `CountedImages`; else a hook counts its passes.
    """

    name: str
    function: AttackFunction
    slow: bool = False
    counts: bool = False


@dataclass
class Measurements:
    """What has been measured of one attack.

    Attributes:
        images: Its results; None before its first run.
        seconds: CPU seconds an image, of each timed run.
        forwards: Images that went forwards through the network.
        backwards: Images that went backwards through the network.
        unconverged: Images at no stationary point; NaN if the attack does not say.
    """

    images: Tensor | None = None
    seconds: list[float] = field(default_factory=list)
    forwards: int = 0
    backwards: int = 0
    unconverged: float = math.nan

    @contextmanager
    def counting(self, model: nn.Module) -> Iterator[None]:
        """Count the passes through a network inside the block."""
        hook = model.register_forward_hook(self._count_forward)
        try:
            yield
        finally:
            hook.remove()

    def _count_forward(self, _module: nn.Module, _inputs: tuple, out: Tensor) -> None:
        self.forwards += len(out)
        if out.requires_grad:
            out.register_hook(self._count_backward)

    def _count_backward(self, gradient: Tensor) -> None:
        self.backwards += len(gradient)

    def enter(self, result: Tensor | CountedImages) -> None:
        """Enter the first result, with its own counts if it has any."""
        if isinstance(result, CountedImages):
            result, self.forwards, self.backwards, self.unconverged = result
        self.images = result.detach()


def schedule(slow: Sequence[bool], rounds: int) -> Iterator[int]:
    """Yield the attacks' indices in order; slow ones are spread over the rounds."""
    once = list(compress(range(len(slow)), slow))
    for i in range(rounds):
        for number, is_slow in enumerate(slow):
            if not is_slow or once.index(number) % rounds == i:
                yield number


@subnormals_as_zero()
def compare(
    model: nn.Module,
    task: Task,
    attacks: Sequence[Attack],
    rounds: int,
    track: Track = iter,
) -> pd.DataFrame:
    """Run attacks alternately on the images of a task.

    The first run of an attack is checked and its passes are counted. Subnormal numbers
    are zero for all attacks: they would dominate the time on some processors.

    Returns:
        One row an attack and image: ``attack``, ``image`` (its place), ``reached`` by a
        plain forward pass, ``distortion`` (infinite on failure); and, equal in all rows
        of an attack, passes and CPU seconds an image: ``forwards``, ``backwards``,
        ``seconds``; and the share ``unconverged``, NaN if the attack does not say.
    """
    for attack in attacks:
        attack.function(model, task.rows(slice(0, WARM_UP)))
    measured = [Measurements() for _ in attacks]
    for i in track(list(schedule([attack.slow for attack in attacks], rounds))):
        measure(model, task, attacks[i], measured[i])
    pairs = zip(attacks, measured, strict=True)
    tables = [attack_table(model, task, attack.name, own) for attack, own in pairs]
    return pd.concat(tables, ignore_index=True)


def measure(
    model: nn.Module, task: Task, attack: Attack, measured: Measurements
) -> None:
    """Run an attack in one round, and enter its time and its first result."""
    if measured.images is not None:
        measured.seconds.append(mean_seconds(attack.function, model, task))
        return
    with nullcontext() if attack.counts else measured.counting(model):
        result, seconds = timed(attack.function, model, task)
    measured.seconds.append(seconds)
    measured.enter(result)


def mean_seconds(function: AttackFunction, model: nn.Module, task: Task) -> float:
    """Return the CPU seconds of an attack an image."""
    taken = []
    while sum(taken) * len(task.images) < MIN_SECONDS:
        taken.append(timed(function, model, task)[1])
    return mean(taken)


def timed(
    function: AttackFunction, model: nn.Module, task: Task
) -> tuple[Tensor | CountedImages, float]:
    """Return the result of an attack, and its CPU seconds an image."""
    own = task._replace(images=task.images.clone())  # some attacks change their input
    torch.manual_seed(0)
    np.random.seed(0)
    before = time.process_time()
    result = function(model, own)
    return result, (time.process_time() - before) / len(task.images)


def attack_table(
    model: nn.Module, task: Task, name: str, measured: Measurements
) -> pd.DataFrame:
    """Return the rows of one attack."""
    assert measured.images is not None, f"{name} has no run"
    lengths = checked_distortions(model, task, measured.images)
    count = len(task.images)
    return pd.DataFrame(
        {
            "attack": name,
            "image": range(count),
            "reached": lengths.isfinite().numpy(),
            "distortion": lengths.numpy(),
            "forwards": measured.forwards / count,
            "backwards": measured.backwards / count,
            "seconds": median(measured.seconds),
            "unconverged": measured.unconverged / count,
        }
    )


def checked_distortions(
    model: nn.Module, task: Task, images: Float[Tensor, "n ..."]
) -> Float[Tensor, " n"]:
    """Return distortions, infinite where the attack failed.

    Images are first clipped to the box: rounding may have moved them outside.
    """
    finite = images.isfinite().flatten(1).all(1)
    images = images.nan_to_num().clamp(0, 1)
    success = finite & is_success(predict(model, images).argmax(1), task)
    return distortion(task.images.double(), images).masked_fill(~success, torch.inf)
