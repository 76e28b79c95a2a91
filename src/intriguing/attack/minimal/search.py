"""The search for the smallest perturbations, in any classifier and on any device."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.backends import Backend, backend_for
from intriguing.attack.minimal.network import (
    HostPasses,
    Network,
    network_of,
    network_on,
)
from intriguing.attack.minimal.problem import (
    Origins,
    Problem,
    empty_results,
    own_slots,
    problem_of,
)
from intriguing.attack.minimal.rounding import enforce_margin
from intriguing.attack.minimal.smoothing import graduated
from intriguing.attack.minimal.state import (
    RESULT,
    Accuracy,
    Pixels,
    SearchState,
    Settings,
    empty_pixels,
    empty_state,
)
from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.attack.watch import Watch
from intriguing.errors import InputError

DEFAULT = Accuracy()
ROUGH = Accuracy(tolerance=0.3, decrease=1e-2)
"""Accuracy in smoothed networks: their minima are only where the next search begins."""


class MinimalResult(NamedTuple):
    """Outcome of the search, one row an image.

    Attributes:
        image: Shortest success, flat; the clean image if there is none.
        success: Whether there is one.
        weight: Weight c at which the paper's objective would lead near this image.
        iterations: Accepted steps, over all starts.
        evaluations: Forward passes, over all starts.
        gradients: Gradients of single margins, over all starts.
        start: Start that won: 0 the feasibility phase, 1 and up the start images, -1
            the known image, -2 the smoothed network's minimum, -3 the cold phase.
        tied: Competing classes that tie with the target at the image.
        converged: Whether the run that won ended at a stationary point.
    """

    image: Float[Tensor, "n d"]
    success: Bool[Tensor, " n"]
    weight: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    gradients: Int[Tensor, " n"]
    start: Int[Tensor, " n"]
    tied: Int[Tensor, " n"]
    converged: Bool[Tensor, " n"]


class Task(NamedTuple):
    """What one search works on; fields as in `loop`."""

    problem: Problem
    origins: Origins
    results: np.ndarray
    best_images: Any


@torch.no_grad()
@subnormals_as_zero()
def search(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    *,
    starts: int = 1,
    start_images: Float[Tensor, "m ..."] | None = None,
    known: Float[Tensor, "n ..."] | None = None,
    accuracy: Accuracy = DEFAULT,
    slots: int | None = None,
    watch: Watch | None = None,
) -> MinimalResult:
    """Return the shortest perturbation found of every image.

    Args:
        model: Classifier from pixels to logits.
        clean: Images to perturb, in [0, 1].
        target_mask: Classes that count as success, one for a targeted attack and all
            but the label for an untargeted one.
        starts: Most starts of an image: the feasibility phase; then, where smoothed
            networks are known, the minimum of one and a cold phase; and start images.
        start_images: Images to start from; those that the network puts in a target
            class are used.
        known: For each image one that is adversarial already. The result is never
            longer.
        accuracy: When a run ends.
        slots: Images worked on at once.
        watch: Ends the search early, with what was found.

    Raises:
        InputError: There are several starts but no start images, or the model returns
            logits that are not finite.
    """
    if starts > 1 and start_images is None:
        raise InputError(f"starts = {starts} needs `start_images` to start from")
    network, flat_clean = network_on(model, clean), clean.flatten(1)
    others = (None if x is None else x.flatten(1) for x in (start_images, known))
    problem, origins, results = problem_of(
        network, flat_clean, target_mask, starts, *others
    )
    smoother = [network_of(m, clean.shape[1:]) for m in graduated(network.layers)]
    backend, images = backend_for(network, flat_clean), flat_clean.clone()
    origins = Origins(*map(backend.as_pixels, origins))
    task = Task(problem, origins, results, backend.as_pixels(images))
    watch = watch or Watch()
    watch.parts = 1 + (len(smoother) if starts > 1 else 0)
    if starts > 1:
        task = with_smoothed_minima(backend, smoother, task, slots, watch)
    warm = smoother[: const.WARM_STEPS]
    search_all(backend, network, task, accuracy, slots, warm, watch)
    images = enforce_margin(model, clean, target_mask, images)
    return outcome(results, images)


def with_smoothed_minima(
    backend: Backend,
    smoother: Sequence[Network],
    task: Task,
    slots: int | None,
    watch: Watch,
) -> Task:
    """Return the task with a smoothed network's minima to start from.

    Found by graduation: the minimum of each network is where the search in the next,
    less smooth, begins. What this costs is entered in the results.
    """
    problem, origins, results, _ = task
    alone = problem._replace(starts=1, has_known=False, has_images=False)
    for network in smoother:
        found = empty_results(problem)
        if alone.has_smoothed:
            found["started"] += problem.targets.shape[1]
        stage = Task(alone, origins, found, backend.copy(origins.clean))
        search_all(backend, network, stage, ROUGH, slots, [], watch)
        origins = origins._replace(smoothed=stage.best_images)
        target = np.ascontiguousarray(found["target"])
        alone = alone._replace(has_smoothed=True, smoothed_target=target)
        for name in ("iterations", "evaluations", "gradients"):
            results[name] += found[name]
    given = {"has_smoothed": alone.has_smoothed}
    problem = problem._replace(smoothed_target=alone.smoothed_target, **given)
    return task._replace(problem=problem, origins=origins)


def search_all(
    backend: Backend,
    network: Network,
    task: Task,
    accuracy: Accuracy,
    slots: int | None,
    warm: Sequence[Network],
    watch: Watch,
) -> None:
    """Give every image all its runs, on as many threads as the backend uses."""
    images = len(task.results)
    threads = backend.threads(images)
    if warm:
        origins = task.origins._replace(warm=backend.copy(task.origins.clean))
        problem = task.problem._replace(has_warm=True)
        task = task._replace(problem=problem, origins=origins)
    shares = np.array_split(np.arange(images), threads)
    given = (backend, network, task, accuracy, slots, warm, watch)
    if threads == 1:
        return search_share(*given, shares[0])
    with ThreadPoolExecutor(threads) as pool:
        try:
            list(pool.map(partial(search_share, *given), shares))
        except BaseException:
            watch.end()
            raise


def search_share(
    backend: Backend,
    network: Network,
    task: Task,
    accuracy: Accuracy,
    slots: int | None,
    warm: Sequence[Network],
    watch: Watch,
    rows: Int[np.ndarray, " m"],
) -> None:
    """Give some images all their runs, until the time is over; see `search_all`."""
    classes, width = task.problem.target_mask.shape[1], task.origins.clean.shape[1]
    own = own_slots(task.problem)
    planes = const.PLANES_OF_LAYERS if network.layers else const.PLANES
    sizes = (width, own + planes, accuracy.memory)
    many = max(1, min(slots or backend.slots(sizes), len(rows)))
    state = empty_state(many, classes, own, planes)
    pixels = empty_pixels(many, *sizes, backend.zeros)
    stopping = const.single(accuracy.tolerance), const.single(accuracy.decrease)
    settings = Settings(own, accuracy.memory, network.nonsmooth, *stopping)
    for number, smooth in enumerate(warm):
        given = (state, task.problem, task.results, task.origins.warm, rows)
        longest = const.single(const.FIRST_WARM_STEP * const.STEP_GROWTH**number)
        backend.warm_steps(backend.passes(smooth, state), *given, longest)
    passes, room = backend.passes(network, state), backend.room(sizes)
    waiting, count = rows[::-1].copy(), len(rows)
    left, done = count, 0
    some = 1 if isinstance(passes, HostPasses) else const.ITERATIONS_A_CALL
    while left and not watch.is_over():
        left, count, finite = backend.loop(
            passes, state, pixels, *task, settings, room, waiting, count, some
        )
        if not finite:
            raise InputError("the model returns NaN or infinite logits")
        ended = len(rows) - count - int((~state.runs["vacant"]).sum())
        watch.advance(ended - done)
        done = ended
    enter_unfinished(state, pixels, task)


def enter_unfinished(state: SearchState, pixels: Pixels, task: Task) -> None:
    """Enter what the runs have found that the time has cut off."""
    for i in np.flatnonzero(~state.runs["vacant"]):
        run = state.runs[i]
        result = task.results[run["row"]]
        for name in ("iterations", "evaluations", "gradients"):
            result[name] += run[name]
        if run["best_length"] < result["length"]:
            result["length"], result["converged"] = run["best_length"], False
            result["start"], result["target"] = run["start"], run["target"]
            task.best_images[run["row"]] = pixels.best[i]


def outcome(results: np.ndarray, images: Float[Tensor, "n d"]) -> MinimalResult:
    """Return the results as the caller wants them.

    Where n classes tie with the target its probability is 1 / (1 + n). There the
    paper's objective is stationary for 2c = (1 - 1 / (1 + n)) / Σ λ_k, which gives its
    weight.
    """
    known = {
        name: torch.from_numpy(np.ascontiguousarray(results[name])).to(images.device)
        for name in RESULT.names or ()
    }
    names = set(MinimalResult._fields) & known.keys()
    share = known["tied"] / (1 + known["tied"])
    return MinimalResult(
        image=images,
        success=known["length"].isfinite(),
        weight=share / (2 * known["multiplier_sum"]),
        **{name: known[name] for name in names},
    )
