"""Attacks alternate on the same images; their results are checked, counted and timed.

The speed of a machine drifts. The attacks therefore alternate in one process on one
thread, CPU time counts, and only ratios of speeds are meaningful.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from statistics import mean, median
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor, nn

from intriguing.attack import distortion
from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.baselines.task import Task, is_success
from intriguing.models.evaluation import predict

ROUNDS = 4
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
Frequency = Literal["batch", "once", "share"]


class Attack(NamedTuple):
    """An attack of the comparison.

    Attributes:
        name: Its row in the table.
        function: Maps network and task to adversarial images.
        frequency: ``batch``: all images in each round; ``once``: all images in one of
            the rounds, for slow attacks; ``share``: a part of the images in each round,
            for attacks that take images one by one.
        counts: Whether it returns `CountedImages`; else a hook counts its passes.
    """

    name: str
    function: AttackFunction
    frequency: Frequency = "batch"
    counts: bool = False


class Run(NamedTuple):
    """One run of an attack: its index, its images, and whether it is checked."""

    attack: int
    rows: slice
    checked: bool


@dataclass
class Measurements:
    """What has been measured of one attack.

    Attributes:
        images: Its results, by the first of their rows.
        seconds: CPU seconds an image, of each timed run.
        forwards: Images that went forwards through the network.
        backwards: Images that went backwards through the network.
        unconverged: Images at no stationary point; NaN if the attack does not say.
    """

    images: dict[int, Tensor] = field(default_factory=dict)
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


def schedule(
    frequencies: Sequence[Frequency], images: int, rounds: int = ROUNDS
) -> Iterator[Run]:
    """Yield the runs in order; the slow attacks are spread over the rounds."""
    slow = [i for i, frequency in enumerate(frequencies) if frequency == "once"]
    ends = [images * i // rounds for i in range(rounds + 1)]
    for i in range(rounds):
        for number, frequency in enumerate(frequencies):
            if frequency == "once" and slow.index(number) % rounds != i:
                continue
            share = slice(ends[i], ends[i + 1])
            rows = share if frequency == "share" else slice(0, images)
            if rows.start < rows.stop:
                yield Run(number, rows, frequency != "batch" or i == 0)


@subnormals_as_zero()
def compare(
    model: nn.Module,
    task: Task,
    attacks: Sequence[Attack],
    track: Track = iter,
    rounds: int = ROUNDS,
) -> pd.DataFrame:
    """Run attacks alternately on the images of a task.

    The first run of an attack is checked and its passes are counted. An attack with
    more than one run on the same images is timed in the others only, because hooks may
    slow it down. Subnormal numbers are zero for all attacks: they would dominate the
    time on some processors.

    Returns:
        One row an attack and image: ``attack``, ``image`` (its place), ``reached`` by a
        plain forward pass, ``distortion`` (infinite on failure); and, equal in all rows
        of an attack, passes and CPU seconds an image: ``forwards``, ``backwards``,
        ``seconds``; and the share ``unconverged``, NaN if the attack does not say.
    """
    for attack in attacks:
        attack.function(model, task.rows(slice(0, WARM_UP)))
    measured = [Measurements() for _ in attacks]
    frequencies: list[Frequency] = [attack.frequency for attack in attacks]
    for run in track(list(schedule(frequencies, len(task.images), rounds))):
        measure(model, task, attacks[run.attack], run, measured[run.attack])
    pairs = zip(attacks, measured, strict=True)
    tables = [attack_table(model, task, attack.name, own) for attack, own in pairs]
    return pd.concat(tables, ignore_index=True)


def measure(
    model: nn.Module, task: Task, attack: Attack, run: Run, measured: Measurements
) -> None:
    """Run an attack once, and enter its images, passes and time."""
    task = task.rows(run.rows)
    if not run.checked:
        measured.seconds.append(mean_seconds(attack.function, model, task))
        return
    with nullcontext() if attack.counts else measured.counting(model):
        result, seconds = timed(attack.function, model, task)
    if isinstance(result, CountedImages):
        measured.forwards += result.forwards
        measured.backwards += result.backwards
        measured.unconverged = np.nansum([measured.unconverged, result.unconverged])
        result = result.images
    measured.images[run.rows.start] = result.detach()
    if attack.frequency != "batch":
        measured.seconds.append(seconds)


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
    images = torch.cat([part for _, part in sorted(measured.images.items())])
    lengths = checked_distortions(model, task, images)
    count = len(task.images)
    return pd.DataFrame(
        {
            "attack": name,
            "image": range(count),
            "reached": lengths.isfinite().numpy(),
            "distortion": lengths.numpy(),
            "forwards": measured.forwards / count,
            "backwards": measured.backwards / count,
            "seconds": median(measured.seconds) if measured.seconds else math.nan,
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
