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
    Task,
    contiguous_copy,
    empty_results,
    own_slots,
    problem_of,
)
from intriguing.attack.minimal.rounding import enforce_margin
from intriguing.attack.minimal.smoothing import graduated, warm_points
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
    network, pixels = network_on(model, clean), clean.flatten(1)
    others = (None if x is None else x.flatten(1) for x in (start_images, known))
    task = problem_of(network, pixels, target_mask, starts, *others)
    smoother = [network_of(m, clean.shape[1:]) for m in graduated(network.layers)]
    watch = watch or Watch()
    watch.parts = 1 + (len(smoother) if starts > 1 else 0)
    if starts > 1:
        rough = ROUGH._replace(iterations=accuracy.iterations)
        task = with_smoothed_minima(smoother, task, rough, slots, watch)
    if smoother:
        task = with_warm_points(smoother, task)
    search_all(network, task, accuracy, slots, watch)
    images = enforce_margin(model, clean, target_mask, task.best_images)
    return outcome(task.results, images)


def with_smoothed_minima(
    smoother: Sequence[Network],
    task: Task,
    accuracy: Accuracy,
    slots: int | None,
    watch: Watch,
) -> Task:
    """Return the task with a smoothed network's minima to start from."""
    # Graduation: the minimum of each network is where the search in the next begins.
    problem, origins, results, _ = task
    alone = problem._replace(starts=1, has_known=False, has_images=False)
    for network in smoother:
        found = empty_results(problem)
        if alone.has_smoothed:
            found["started"] += problem.targets.shape[1]
        stage = Task(alone, origins, found, contiguous_copy(origins.clean))
        search_all(network, stage, accuracy, slots, watch)
        origins = origins._replace(smoothed=stage.best_images)
        given = {"smoothed_target": np.ascontiguousarray(found["target"])}
        alone = alone._replace(has_smoothed=True, **given)
        problem = problem._replace(has_smoothed=True, **given)
        for name in ("iterations", "evaluations", "gradients"):
            results[name] += found[name]
    return task._replace(problem=problem, origins=origins)


def with_warm_points(smoother: Sequence[Network], task: Task) -> Task:
    """Return the task with warm points for the feasibility phase to begin at."""
    points = warm_points(smoother, task.origins.clean, task.problem, task.results)
    return task._replace(
        problem=task.problem._replace(has_warm=True),
        origins=task.origins._replace(warm=points),
    )


def search_all(
    network: Network, task: Task, accuracy: Accuracy, slots: int | None, watch: Watch
) -> None:
    """Give every image all its runs, on as many threads as the backend uses."""
    backend = backend_for(network, task.origins.clean)
    task = task._replace(
        origins=Origins(*map(backend.as_pixels, task.origins)),
        best_images=backend.as_pixels(task.best_images),
    )
    threads = backend.threads(len(task.results))
    shares = np.array_split(np.arange(len(task.results)), threads)
    share = partial(search_share, backend, network, task, accuracy, slots, watch)
    if threads == 1:
        return share(*shares)
    with ThreadPoolExecutor(threads) as pool:
        try:
            list(pool.map(share, shares))
        except BaseException:
            watch.end()
            raise


def search_share(
    backend: Backend,
    network: Network,
    task: Task,
    accuracy: Accuracy,
    slots: int | None,
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
    fixed = own, accuracy.memory, network.nonsmooth
    settings = Settings(*fixed, *stopping, accuracy.iterations)
    passes, room = backend.passes(network, state), backend.room(sizes)
    waiting, count = rows[::-1].copy(), len(rows)
    left, done = count, 0
    some = 1 if isinstance(passes, HostPasses) else const.ITERATIONS_A_CALL
    while left and not watch.is_over():
        left, count, finite = backend.loop(
            passes, state, pixels, task, settings, room, waiting, count, some
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
    """Return the results as the caller wants them."""
    # Where n classes tie, the target's probability is 1 / (1 + n), and the paper's
    # objective is stationary for 2c = (1 - 1 / (1 + n)) / Σ λ_k.
    known: dict[str, Any] = {
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
