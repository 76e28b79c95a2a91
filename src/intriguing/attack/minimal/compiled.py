"""The search's turns on the CPU, compiled: what is done here is what `turn` says.

Two halves of a turn are compiled, with the network's passes before and between them,
and the end of the runs. Each goes over the slots one by one, so that all that concerns
an image is done while it is in the processor's cache. Of a fully connected network the
passes are compiled as well, and with them the whole search (`compiled_search`).
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from intriguing.attack import vectors
from intriguing.attack.minimal import (
    curvature,
    ending,
    fused,
    kinks,
    projection,
    starts,
    steps,
    turn,
    walk,
    workingset,
)
from intriguing.attack.minimal.ending import Accuracy
from intriguing.attack.minimal.fused.before import NOTES, Asked
from intriguing.attack.minimal.fused.ending import Ends, Tallied
from intriguing.attack.minimal.fused.projection import Limits
from intriguing.attack.minimal.fused.space import Space, space_for
from intriguing.attack.minimal.fused.subproblem import Arrays
from intriguing.attack.minimal.fused.workingset import Rules
from intriguing.attack.minimal.live import Live
from intriguing.attack.minimal.network import Network
from intriguing.attack.minimal.problem import KNOWN, Tally, empty_tally

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

DIGESTED_FILES = ()
"""`version` reads the files of `fused`, which are imported and so digested as code."""


class Views(NamedTuple):
    """What the compiled functions work on: views of the slots, and room for a turn."""

    arrays: Arrays
    asked: Asked
    space: Space


def views_of(live: Live) -> Views:
    """Return the slots as the compiled functions see them."""
    if live.views is None:
        live.views = Views(arrays_of(live), room_for(live), room_on_the_way(live))
        if not fused.finish.signatures:
            compile_all(live)
    return live.views


def arrays_of(live: Live) -> Arrays:
    """Move what is one number a slot into records; return views of all fields."""
    single = {
        name: part.numpy()
        for name, part in vars(live).items()
        if isinstance(part, Tensor) and part.ndim == 1
    }
    kinds = {name: part.dtype for name, part in single.items()}
    kinds |= NOTES | {version(): np.bool_}
    slot = np.zeros(len(live.row), np.dtype(list(kinds.items()), align=True))
    for name, part in single.items():
        slot[name] = part
        setattr(live, name, torch.from_numpy(slot[name]))
    others = (getattr(live, name).numpy() for name in Arrays._fields[1:])
    return Arrays(slot, *others)


@cache
def version() -> str:
    """Name the compiled functions' code, in `fused` and `vectors`.

    A field of this name makes the records of another type when the code changes. Else
    numba would take from its cache what calls a changed function of another file.
    """
    sources = [*sorted(resources.files(fused).glob("*.py")), Path(vectors.__file__)]
    code = b"".join(source.read_bytes() for source in sources)
    return f"version_{hashlib.sha256(code).hexdigest()[:16]}"


def room_for(live: Live) -> Asked:
    """Return room for what a turn asks for."""
    (count, classes), seats = live.margins.shape, live.gap.shape[1]
    most = count * max(1, live.own)
    return Asked(
        rows=np.empty(most, np.int64),
        weights=np.empty((most, classes), np.float32),
        left=np.empty((count, seats), np.float32),
        solving=np.empty(count, np.int64),
        aiming=np.empty(count, np.int64),
    )


def room_on_the_way(live: Live) -> Space:
    """Return room for what is computed on the way."""
    seats, width = live.slopes.shape[1:]
    return space_for(width, seats, live.steps.shape[1], live.margins.shape[1])


def compile_all(live: Live) -> None:
    """Compile, or load from numba's cache: on no rows the functions do nothing else.

    Where several processes begin at once, one compiles and the others wait for it.
    """
    (arrays, asked, space), none = live.views, np.empty(0, np.int64)
    logits, slopes = live.margins[:0].numpy(), live.clean[:0].numpy()
    cuts = cuts_of(live)
    with one_process("intriguing-compiles"):
        fused.attempt(none, logits, arrays, asked, rules(cuts, False), space)
        fused.complete(none, slopes, arrays, asked, rules(cuts, False))
        fused.solve(none, arrays, asked.left, limits(cuts), space)
        fused.aim(none, arrays, limits(cuts))
        tallied = tallied_of(empty_tally(live.clean[:0], live.goal[:0]))
        fused.finish(none, arrays, tallied, ends(Accuracy()), none, space)


@contextmanager
def one_process(name: str) -> Iterator[None]:
    """Let in one process of this user at a time, where the system has such locks."""
    if fcntl is None:
        yield
        return
    path = Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def singles(*values: float) -> map:
    """Return numbers in single precision, in which the slots are."""
    return map(np.float32, values)


@cache
def limits(cuts: int) -> Limits:
    """Return the constants of the sub-problem, of slots with so many seats for cuts."""
    return Limits(
        cuts,
        projection.MOST_STEPS,
        projection.MOST_CUTS,
        curvature.REFINEMENTS,
        *singles(
            projection.CUT,
            projection.RIDGE,
            projection.RAISE,
            projection.LARGEST_RIDGE,
            projection.ROUNDING,
            projection.CLOSE,
            projection.FAR,
            curvature.LEAST_CURVATURE,
            curvature.UNKNOWN_CURVATURE,
            curvature.RIDGE,
            curvature.LONGEST,
            steps.FARTHEST,
            steps.FARTHEST_FROM_IMAGES,
            steps.SHORTEST,
            turn.PRICE,
        ),
    )


@cache
def rules(cuts: int, kinked: bool) -> Rules:
    """Return the constants of a turn.

    Args:
        cuts: Seats for cuts of a slot.
        kinked: Whether the network is known to have kinks.
    """
    return Rules(
        KNOWN,
        cuts,
        kinks.KEPT_FROM,
        walk.MOST_STEPS,
        steps.RAISE_AFTER,
        *singles(
            1 - turn.FALL,
            steps.SAFE_MARGIN,
            steps.KAPPA,
            steps.SLACK,
            steps.cuts_from(kinked),
            steps.CUTS_TO,
            steps.PATIENCE,
            steps.AT_A_KINK,
            steps.NEAR,
            steps.RAISE,
            steps.LARGEST_KAPPA,
            kinks.SLACK,
            workingset.NEAR,
            workingset.PER_STEP,
            workingset.FARTHEST,
            workingset.NOTICEABLE,
            kinks.KEPT_WITHIN if kinked else 0,
            kinks.TRACE,
            walk.FIRST,
            walk.GROWTH,
            walk.WITHIN,
            walk.AIM,
        ),
    )


@cache
def ends(accuracy: Accuracy) -> Ends:
    """Return the constants of the end of a run."""
    return Ends(
        KNOWN,
        ending.MOST_REFUSALS,
        ending.MOST_TURNS,
        ending.MOST_STALE,
        ending.PRUNED_FROM,
        ending.IDLE,
        *singles(
            accuracy.tolerance,
            accuracy.excess,
            steps.SAFE_MARGIN,
            ending.STALE_WITHIN,
            ending.FALLS_BY,
            ending.FALLS_BY_EXCESS,
            ending.TOO_FAR,
            ending.BASIN,
            ending.TIED,
            1 - starts.SAME,
            1 + starts.SAME,
        ),
    )


def take_turn(live: Live, network: Network) -> None:
    """Try one point of every image, and prepare the next: `turn.turn`, compiled."""
    arrays, asked, space = views_of(live)
    busy = busy_slots(live)
    points = live.trial.index_select(0, torch.from_numpy(busy))
    logits, trace = network.forward(points)
    cuts = cuts_of(live)
    given = arrays, asked, rules(cuts, network.kinked)
    count = fused.attempt(busy, logits.contiguous().numpy(), *given, space)
    wanted = (torch.from_numpy(part[:count]) for part in (asked.rows, asked.weights))
    slopes = network.backward(trace, *wanted)
    counts = fused.complete(busy, slopes.contiguous().numpy(), *given)
    solving, aiming = asked.solving[: counts[0]], asked.aiming[: counts[1]]
    fused.solve(solving, arrays, asked.left, limits(cuts), space)
    fused.aim(aiming, arrays, limits(cuts))


def cuts_of(live: Live) -> int:
    """Return the number of seats for cuts."""
    return live.gap.shape[1] - live.own


def busy_slots(live: Live) -> np.ndarray:
    """Return the slots that have an image."""
    return np.flatnonzero(views_of(live).arrays.slot["row"] >= 0)


def finish(live: Live, tally: Tally, accuracy: Accuracy) -> Int[Tensor, " n"]:
    """Enter the runs that have ended: `ending.finish`, compiled."""
    (arrays, _, space), busy = views_of(live), busy_slots(live)
    over = np.empty(len(busy), np.int64)
    count = fused.finish(busy, arrays, tallied_of(tally), ends(accuracy), over, space)
    return torch.from_numpy(over[:count])


def tallied_of(tally: Tally) -> Tallied:
    """Return the tally as the compiled functions see it."""
    return Tallied(*(getattr(tally, name).numpy() for name in Tallied._fields))
