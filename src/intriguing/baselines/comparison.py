"""Attacks take turns on the same images; what comes out is checked, counted and timed.

A machine's speed drifts, so attacks alternate in one process, on one thread, and CPU
time is what counts: ratios of speeds are worth quoting, speeds are not.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import mean, median
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor, nn

from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.baselines.task import Task, wins
from intriguing.models.evaluation import predict

ROUNDS = 4
LEAST_SECONDS = 1.0
"""CPU time of a turn that is timed: an attack that is quicker repeats itself."""
WARM = 2
"""Images that every attack is tried on beforehand: some compile themselves."""


class Counted(NamedTuple):
    """What an attack returns that counts for itself.

    Attributes:
        images: Adversarial images.
        forwards: Images that went through a network forwards.
        backwards: Likewise backwards.
        unconverged: Images at no stationary point.
    """

    images: Tensor
    forwards: int
    backwards: int
    unconverged: int


Attack = Callable[[nn.Module, Task], Tensor | Counted]
Track = Callable[[Iterable], Iterable]


class Contender(NamedTuple):
    """An attack that takes part.

    Attributes:
        name: Its row in the table.
        attack: Maps network and task to adversarial images.
        part: What it does in a round: ``batch``, all images in every round;
            ``once``, all images in one of the rounds, as it is slow; ``share``, some
            of them, as it takes images one by one anyway.
        counts: Whether it returns `Counted`; else a hook on the network counts.
    """

    name: str
    attack: Attack
    part: str = "batch"
    counts: bool = False


class Turn(NamedTuple):
    """One call of an attack: its place among the contenders, its images, the first."""

    number: int
    rows: slice
    first: bool


@dataclass
class Counter:
    """Images that went through a network, forwards and backwards."""

    forwards: int = 0
    backwards: int = 0

    def entered(self, _module: nn.Module, _inputs: tuple, logits: Tensor) -> None:
        """Count a forward pass, and later the backward ones through its result."""
        self.forwards += len(logits)
        if logits.requires_grad:
            logits.register_hook(self.returned)

    def returned(self, gradient: Tensor) -> None:
        """Count a backward pass."""
        self.backwards += len(gradient)


@dataclass
class Score:
    """What one attack has shown so far.

    Attributes:
        images: What it returned, by the first of the rows.
        seconds: CPU seconds an image, of each timed turn.
        counter: Its passes over all images.
        unconverged: Images that it says are at no stationary point; NaN if it doesn't.
    """

    images: dict[int, Tensor] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    counter: Counter = field(default_factory=Counter)
    unconverged: float = math.nan


@contextmanager
def counting(model: nn.Module, counter: Counter) -> Iterator[None]:
    """Count the passes through a network for a while."""
    hook = model.register_forward_hook(counter.entered)
    try:
        yield
    finally:
        hook.remove()


def schedule(parts: Sequence[str], images: int, rounds: int = ROUNDS) -> Iterator[Turn]:
    """Yield whose turn it is: slow attacks are spread over the rounds."""
    slow = [number for number, part in enumerate(parts) if part == "once"]
    ends = [images * i // rounds for i in range(rounds + 1)]
    for i in range(rounds):
        for number, part in enumerate(parts):
            share = part == "share"
            if part == "once" and slow.index(number) % rounds != i:
                continue
            rows = slice(ends[i], ends[i + 1]) if share else slice(0, images)
            if rows.start < rows.stop:
                yield Turn(number, rows, share or part == "once" or i == 0)


@subnormals_as_zero()
def compare(
    model: nn.Module,
    task: Task,
    contenders: Sequence[Contender],
    track: Track = iter,
    rounds: int = ROUNDS,
) -> pd.DataFrame:
    """Let attacks take turns on the images of a task.

    In its first turn an attack's passes are counted; one that has further turns is
    timed in those alone, because hooks may cost it a fast path. Subnormal numbers are
    zero for all alike: some processors would spend most of their time on them.

    Returns:
        One row an attack and image: ``attack``, ``image`` (its place), ``reached`` by a
        plain forward pass, ``distortion`` (infinite where it failed); and, the same in
        all rows of an attack, passes and CPU seconds an image: ``forwards``,
        ``backwards``, ``seconds``; and the share ``unconverged``, NaN where an attack
        does not say.
    """
    for one in contenders:
        one.attack(model, task.rows(slice(0, WARM)))
    scores = [Score() for _ in contenders]
    parts, count = [one.part for one in contenders], len(task.images)
    for turn in track(list(schedule(parts, count, rounds))):
        one, score = contenders[turn.number], scores[turn.number]
        take_turn(model, task, one, turn, score)
    tables = [
        result(model, task, one, score)
        for one, score in zip(contenders, scores, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def take_turn(
    model: nn.Module, task: Task, one: Contender, turn: Turn, score: Score
) -> None:
    """Run an attack once, and enter what it returned and took."""
    own = task.rows(turn.rows)
    if not turn.first:
        score.seconds.append(seconds_of(one.attack, model, own))
        return
    if one.counts:
        (images, forwards, backwards, left), seconds = timed(one.attack, model, own)
        score.counter.forwards += forwards
        score.counter.backwards += backwards
        score.unconverged = np.nansum([score.unconverged, left])
    else:
        with counting(model, score.counter):
            images, seconds = timed(one.attack, model, own)
    score.images[turn.rows.start] = images.detach()
    if one.part != "batch":
        score.seconds.append(seconds)


def seconds_of(attack: Attack, model: nn.Module, task: Task) -> float:
    """Return the CPU seconds that an attack takes for each image."""
    taken = []
    while sum(taken) * len(task.images) < LEAST_SECONDS:
        taken.append(timed(attack, model, task)[1])
    return mean(taken)


def timed(
    attack: Attack, model: nn.Module, task: Task
) -> tuple[Tensor | Counted, float]:
    """Return what an attack returns, and its CPU seconds for each image."""
    own = task._replace(images=task.images.clone())  # some write into what they get
    torch.manual_seed(0)
    np.random.seed(0)
    before = time.process_time()
    images = attack(model, own)
    return images, (time.process_time() - before) / len(task.images)


def result(model: nn.Module, task: Task, one: Contender, score: Score) -> pd.DataFrame:
    """Check an attack's images and return its rows."""
    images = torch.cat([part for _, part in sorted(score.images.items())])
    lengths = distortions(model, task, images)
    count = len(task.images)
    return pd.DataFrame(
        {
            "attack": one.name,
            "image": range(count),
            "reached": lengths.isfinite().numpy(),
            "distortion": lengths.numpy(),
            "forwards": score.counter.forwards / count,
            "backwards": score.counter.backwards / count,
            "seconds": median(score.seconds) if score.seconds else math.nan,
            "unconverged": score.unconverged / count,
        }
    )


def distortions(
    model: nn.Module, task: Task, images: Float[Tensor, "n ..."]
) -> Float[Tensor, " n"]:
    """Return root mean squares per pixel, infinite where the answer is not as asked.

    Images are brought back into the box first: rounding may have put them outside.
    """
    sound = images.isfinite().flatten(1).all(1)
    images = images.nan_to_num().clamp(0, 1)
    won = sound & wins(predict(model, images).argmax(1), task)
    length = (images - task.images).flatten(1).double().square().mean(1).sqrt()
    return length.masked_fill(~won, torch.inf)
