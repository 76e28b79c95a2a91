"""The search in a fully connected network, compiled as a whole and shared by threads.

What the compiled functions take is made here from what the torch versions take; the
loop itself is `fused.turns`.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from threading import Event

import numpy as np
import torch
from torch import nn

from intriguing.attack.minimal import fused, starts, untargeted, walk
from intriguing.attack.minimal.compiled import (
    arrays_of,
    ends,
    limits,
    one_process,
    room_for,
    room_on_the_way,
    rules,
    singles,
    tallied_of,
)
from intriguing.attack.minimal.ending import Accuracy
from intriguing.attack.minimal.fused.beginning import Beginnings, Begun, Posed
from intriguing.attack.minimal.fused.dense import (
    LINEAR,
    RELU,
    SIGMOID,
    SOFTPLUS,
    TANH,
    Dense,
    Passes,
)
from intriguing.attack.minimal.fused.products import ROWS
from intriguing.attack.minimal.fused.turns import Constants, Job
from intriguing.attack.minimal.kinks import CUTS_OF_LAYERS
from intriguing.attack.minimal.live import Live, empty
from intriguing.attack.minimal.network import NOT_FINITE
from intriguing.attack.minimal.problem import KNOWN, SMOOTHED, UNLED, Problem, Tally
from intriguing.errors import InputError

SLOTS, LEAST_IMAGES = 32, 64
"""Images that a thread works on at once, and those for which one is worth while."""
TURNS = 1000
"""Turns in one call: an interrupt is noticed between calls."""


def search_all(
    network: Dense,
    problem: Problem,
    tally: Tally,
    accuracy: Accuracy,
    slots: int | None = None,
    leading: Sequence[Dense] = (),
) -> None:
    """Search in a fully connected network, on as many threads as torch uses.

    Args:
        network: The network.
        problem: What is given.
        tally: What is known, entered.
        accuracy: When a run ends.
        slots: Images that a thread works on at once.
        leading: Smoothed networks in which walks begin.
    """
    images, threads = len(problem.clean), torch.get_num_threads()
    threads = min(threads, images // LEAST_IMAGES) or 1
    slots = max(1, min(slots or SLOTS, -(-images // threads)))
    room = slots, accuracy.memory, CUTS_OF_LAYERS
    if leading:
        problem = problem._replace(lead=problem.clean.clone())
    posed, stop = posed_of(problem), Event()
    jobs = [
        job_of(rows, posed, network, tally, empty(problem, *room))
        for rows in np.array_split(np.arange(images), threads)
    ]
    constants = constants_of(network, accuracy)
    compile_turns(jobs[0], constants)
    with ThreadPoolExecutor(threads) as pool:
        try:
            given = {"constants": constants, "stop": stop, "leading": leading}
            list(pool.map(partial(work_off, **given), jobs))
        finally:
            stop.set()


def constants_of(network: Dense, accuracy: Accuracy) -> Constants:
    """Return the constants of all parts of a turn."""
    return Constants(
        beginnings(),
        rules(CUTS_OF_LAYERS, RELU in network.kinds),
        limits(CUTS_OF_LAYERS),
        ends(accuracy),
    )


def compile_turns(job: Job, constants: Constants) -> None:
    """Compile `fused.take_turns`, or load it: no turns do nothing else."""
    if not fused.take_turns.signatures:
        with one_process("intriguing-compiles"):
            fused.take_turns(job, constants, 0, 0)
            none = job._replace(waiting=job.waiting[:0])
            fused.lead(none, job.dense, np.float32(0), constants)


def work_off(
    job: Job, constants: Constants, stop: Event, leading: Sequence[Dense]
) -> None:
    """Lead all images of a job, and take turns until none is left or all is to stop."""
    lead(job, leading, constants)
    waiting = len(job.waiting)
    while not stop.is_set() and (waiting or (job.arrays.slot["row"] >= 0).any()):
        waiting, finite = fused.take_turns(job, constants, waiting, TURNS)
        if not finite:
            raise InputError(NOT_FINITE)


def lead(job: Job, leading: Sequence[Dense], constants: Constants) -> None:
    """Write to where smoothed networks lead the images of a job: `walk.led`."""
    for number, network in enumerate(leading):
        longest = np.float32(walk.FIRST_LEADING * walk.GROWTH**number)
        fused.lead(job, network, longest, constants)


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
        space=room_on_the_way(live),
        busy=np.empty(count, np.int64),
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
        "lead": none if problem.lead is None else problem.lead,
        "smooth": none if problem.smooth is None else problem.smooth,
        "smooth_goal": problem.smooth_goal,
    }
    arrays = {name: part.contiguous().numpy() for name, part in given.items()}
    hits = starts.hits_for(problem.starts)
    return Posed(starts=problem.starts, hits=hits, **arrays)


def dense_of(layers: tuple[nn.Module, ...]) -> Dense | None:
    """Return a fully connected network as the compiled functions take it.

    None where it is not one linear map after the other with a function that they know
    between them.
    """
    maps, between = layers[::2], layers[1::2]
    kinds = [kind_of(part) for part in between]
    linear = all(type(part) is nn.Linear for part in maps)
    if not linear or len(maps) == len(between) or None in kinds:
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
        kinds=np.array([*kinds, LINEAR]),
    )


def kind_of(function: nn.Module) -> int | None:
    """Return the number of a function that the compiled passes know."""
    if type(function) is nn.Softplus:
        return SOFTPLUS if (function.beta, function.threshold) == (1, 20) else None
    known = {nn.Sigmoid: SIGMOID, nn.Tanh: TANH, nn.ReLU: RELU}
    return known.get(type(function))


@cache
def beginnings() -> Beginnings:
    """Return the constants of the beginning of a run."""
    trusted, doubtful = untargeted.TRUSTED, untargeted.DOUBTFUL
    numbers = KNOWN, SMOOTHED, UNLED
    return Beginnings(*numbers, *singles(starts.SHARE, trusted, doubtful))
