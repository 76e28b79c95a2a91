"""The search's turns on the CPU, compiled: what is done here is what `turn` says.

Two halves of a turn are compiled, with the network's passes before and between them,
and the end of the runs. Each goes over the slots one by one, so that all that concerns
an image is done while it is in the processor's cache. Of a fully connected network the
passes are compiled as well, and with them the whole search.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from importlib import resources
from pathlib import Path
from threading import Event
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from intriguing.attack.minimal import (
    curvature,
    ending,
    fused,
    projection,
    starts,
    steps,
    turn,
    untargeted,
    walk,
    workingset,
)
from intriguing.attack.minimal.ending import Accuracy
from intriguing.attack.minimal.fused.before import NOTES, Asked
from intriguing.attack.minimal.fused.beginning import Beginnings, Begun, Posed
from intriguing.attack.minimal.fused.dense import (
    LINEAR,
    RELU,
    SIGMOID,
    TANH,
    Dense,
    Passes,
)
from intriguing.attack.minimal.fused.ending import Ends, Tallied
from intriguing.attack.minimal.fused.products import ROWS
from intriguing.attack.minimal.fused.projection import Limits
from intriguing.attack.minimal.fused.subproblem import Arrays
from intriguing.attack.minimal.fused.turns import Constants, Job
from intriguing.attack.minimal.fused.workingset import Rules
from intriguing.attack.minimal.live import Live, empty
from intriguing.attack.minimal.network import NOT_FINITE, Network
from intriguing.attack.minimal.problem import KNOWN, Problem, Tally, empty_tally
from intriguing.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

SLOTS, LEAST_IMAGES = 32, 64
"""Images that a thread works on at once, and those for which one is worth while."""
TURNS = 1000
"""Turns in one call: an interrupt is noticed between calls."""

DIGESTED_FILES = ()
"""`version` reads the files of `fused`, which are imported and so digested as code."""


class Views(NamedTuple):
    """What the compiled functions work on: views of the slots, and room for a turn."""

    arrays: Arrays
    asked: Asked


def views_of(live: Live) -> Views:
    """Return the slots as the compiled functions see them."""
    if live.views is None:
        live.views = Views(arrays_of(live), room_for(live))
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
    """Name the compiled functions' code.

    A field of this name makes the records of another type when the code changes. Else
    numba would take from its cache what calls a changed function of another file.
    """
    sources = sorted(resources.files(fused).glob("*.py"))
    code = b"".join(source.read_bytes() for source in sources)
    return f"version_{hashlib.sha256(code).hexdigest()[:16]}"


def room_for(live: Live) -> Asked:
    """Return room for what a turn asks for."""
    (count, classes), seats = live.margins.shape, live.gap.shape[1]
    most = count * max(1, seats - workingset.CUTS)
    return Asked(
        rows=np.empty(most, np.int64),
        weights=np.empty((most, classes), np.float32),
        left=np.empty((count, seats), np.float32),
        solving=np.empty(count, np.int64),
        aiming=np.empty(count, np.int64),
    )


def compile_all(live: Live) -> None:
    """Compile, or load from numba's cache: on no rows the functions do nothing else.

    Where several processes begin at once, one compiles and the others wait for it.
    """
    (arrays, asked), none = live.views, np.empty(0, np.int64)
    logits, slopes = live.margins[:0].numpy(), live.clean[:0].numpy()
    with one_process("intriguing-compiles"):
        fused.attempt(none, logits, arrays, asked, rules())
        fused.complete(none, slopes, arrays, asked, rules())
        fused.solve(none, arrays, asked.left, limits())
        fused.aim(none, arrays, limits())
        tallied = tallied_of(empty_tally(live.clean[:0], live.goal[:0]))
        fused.finish(none, arrays, tallied, ends(Accuracy()), none)


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
def limits() -> Limits:
    """Return the constants of the sub-problem."""
    return Limits(
        projection.MOST_STEPS,
        projection.MOST_CUTS,
        curvature.REFINEMENTS,
        *singles(
            projection.CUT,
            projection.RIDGE,
            projection.ROUNDING,
            projection.CLOSE,
            projection.FAR,
            curvature.LEAST_CURVATURE,
            curvature.RIDGE,
            curvature.LONGEST,
            steps.SHORTEST,
            turn.PRICE,
        ),
    )


@cache
def rules() -> Rules:
    """Return the constants of a turn."""
    return Rules(
        KNOWN,
        workingset.CUTS,
        walk.MOST_STEPS,
        steps.RAISE_AFTER,
        *singles(
            1 - turn.FALL,
            steps.SAFE_MARGIN,
            steps.KAPPA,
            steps.SLACK,
            steps.CUTS_FROM,
            steps.CUTS_TO,
            steps.PATIENCE,
            steps.AT_A_KINK,
            steps.NEAR,
            steps.RAISE,
            steps.LARGEST_KAPPA,
            workingset.SLACK,
            workingset.NEAR,
            workingset.PER_STEP,
            workingset.FARTHEST,
            workingset.NOTICEABLE,
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


def search_all(
    network: Dense,
    problem: Problem,
    tally: Tally,
    accuracy: Accuracy,
    slots: int | None = None,
) -> None:
    """Search in a fully connected network, on as many threads as torch uses.

    Args:
        network: The network.
        problem: What is given.
        tally: What is known, entered.
        accuracy: When a run ends.
        slots: Images that a thread works on at once.
    """
    images, threads = len(problem.clean), torch.get_num_threads()
    threads = min(threads, images // LEAST_IMAGES) or 1
    slots = max(1, min(slots or SLOTS, -(-images // threads)))
    posed, stop = posed_of(problem), Event()
    jobs = [
        job_of(rows, posed, network, tally, empty(problem, slots, accuracy.memory))
        for rows in np.array_split(np.arange(images), threads)
    ]
    constants = Constants(beginnings(), rules(), limits(), ends(accuracy))
    compile_turns(jobs[0], constants)
    with ThreadPoolExecutor(threads) as pool:
        try:
            list(pool.map(partial(work_off, constants=constants, stop=stop), jobs))
        finally:
            stop.set()


def compile_turns(job: Job, constants: Constants) -> None:
    """Compile `fused.take_turns`, or load it: no turns do nothing else."""
    if not fused.take_turns.signatures:
        with one_process("intriguing-compiles"):
            fused.take_turns(job, constants, 0, 0)


def work_off(job: Job, constants: Constants, stop: Event) -> None:
    """Take turns until no image of a job is left, or all is to stop."""
    waiting = len(job.waiting)
    while not stop.is_set() and (waiting or (job.arrays.slot["row"] >= 0).any()):
        waiting, finite = fused.take_turns(job, constants, waiting, TURNS)
        if not finite:
            raise InputError(NOT_FINITE)


def job_of(
    rows: np.ndarray, posed: Posed, network: Dense, tally: Tally, live: Live
) -> Job:
    """Return the search for some images as the compiled functions see it."""
    asked, count = room_for(live), len(live.row)
    passes = Passes(
        values=np.empty((count, network.widths[1:].sum()), np.float32),
        slopes=np.empty((len(asked.rows), live.clean.shape[1]), np.float32),
        rows=np.empty((2, ROWS, network.widths.max()), np.float32),
    )
    return Job(
        posed=posed,
        dense=network,
        passes=passes,
        arrays=arrays_of(live),
        asked=asked,
        begun=Begun(*(getattr(tally, name).numpy() for name in Begun._fields)),
        tallied=tallied_of(tally),
        waiting=rows[::-1].copy(),
    )


def posed_of(problem: Problem) -> Posed:
    """Return what is given as the compiled functions see it."""
    none = problem.clean[:0]
    images, first, count = none, problem.seed[:0], problem.seed[:0]
    if problem.pool is not None:
        images, first, count = problem.pool
    given = {
        "clean": problem.clean,
        "wanted": problem.wanted,
        "goals": problem.goals,
        "estimate": problem.estimate,
        "images": images,
        "first": first,
        "count": count,
        "seed": problem.seed,
        "known": none if problem.known is None else problem.known,
        "known_goal": problem.known_goal,
    }
    arrays = {name: part.contiguous().numpy() for name, part in given.items()}
    hits = starts.hits_for(problem.starts)
    return Posed(starts=problem.starts, hits=hits, **arrays)


def dense_of(layers: tuple[nn.Module, ...]) -> Dense | None:
    """Return a fully connected network as the compiled functions take it.

    None where it is not one linear map after the other with a function that they know
    between them.
    """
    known = {nn.Sigmoid: SIGMOID, nn.Tanh: TANH, nn.ReLU: RELU}
    maps, between = layers[::2], layers[1::2]
    alternate = all(type(part) is nn.Linear for part in maps) and len(maps) > len(
        between
    )
    if not alternate or not all(type(part) in known for part in between):
        return None
    weights = [part.weight.detach() for part in maps]
    if not all(part.dtype == torch.float32 for part in weights):
        return None
    biases = (
        part.new_zeros(len(part)) if layer.bias is None else layer.bias.detach()
        for part, layer in zip(weights, maps, strict=True)
    )
    return Dense(
        weights=torch.cat([part.flatten() for part in weights]).numpy(),
        biases=torch.cat(list(biases)).numpy(),
        widths=np.array([weights[0].shape[1], *map(len, weights)]),
        kinds=np.array([*(known[type(part)] for part in between), LINEAR]),
    )


@cache
def beginnings() -> Beginnings:
    """Return the constants of the beginning of a run."""
    trusted, doubtful = untargeted.TRUSTED, untargeted.DOUBTFUL
    return Beginnings(KNOWN, *singles(starts.SHARE, trusted, doubtful))


def take_turn(live: Live, network: Network) -> None:
    """Try one point of every image, and prepare the next: `turn.turn`, compiled."""
    arrays, asked = views_of(live)
    busy = busy_slots(live)
    points = live.trial.index_select(0, torch.from_numpy(busy))
    logits, trace = network.forward(points)
    given = arrays, asked, rules()
    count = fused.attempt(busy, logits.contiguous().numpy(), *given)
    wanted = (torch.from_numpy(part[:count]) for part in (asked.rows, asked.weights))
    slopes = network.backward(trace, *wanted)
    counts = fused.complete(busy, slopes.contiguous().numpy(), *given)
    fused.solve(asked.solving[: counts[0]], arrays, asked.left, limits())
    fused.aim(asked.aiming[: counts[1]], arrays, limits())


def busy_slots(live: Live) -> np.ndarray:
    """Return the slots that have an image."""
    return np.flatnonzero(views_of(live).arrays.slot["row"] >= 0)


def finish(live: Live, tally: Tally, accuracy: Accuracy) -> Int[Tensor, " n"]:
    """Enter the runs that have ended: `ending.finish`, compiled."""
    arrays, busy = views_of(live).arrays, busy_slots(live)
    over = np.empty(len(busy), np.int64)
    count = fused.finish(busy, arrays, tallied_of(tally), ends(accuracy), over)
    return torch.from_numpy(over[:count])


def tallied_of(tally: Tally) -> Tallied:
    """Return the tally as the compiled functions see it."""
    return Tallied(*(getattr(tally, name).numpy() for name in Tallied._fields))
