"""The search: one forward pass a turn for every image that is not finished.

Images go through two phases, each at its own pace: a walk that leads into the goal's
region, then the sequence of projections. An image that is finished leaves its slot to
its own next start or to the next image. For fully connected networks on the CPU all of
this is compiled as one (`compiled_search`).
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.minimal import subproblem, walk
from intriguing.attack.minimal.ending import Accuracy, finish
from intriguing.attack.minimal.kinks import CUTS, CUTS_OF_LAYERS
from intriguing.attack.minimal.live import Live, empty, packed, place
from intriguing.attack.minimal.network import LEAST_ROWS, Network, network_of
from intriguing.attack.minimal.problem import (
    CHUNK,
    Problem,
    Tally,
    empty_tally,
    next_runs,
    pose,
)
from intriguing.attack.minimal.rounding import firm
from intriguing.attack.minimal.smoothing import graduated
from intriguing.attack.minimal.turn import turn
from intriguing.attack.minimal.workingset import MOST_CLASSES
from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.errors import InputError

try:
    from intriguing.attack.minimal import compiled, compiled_search
except ImportError:  # numba is optional
    compiled = compiled_search = None

SLOTS, GPU_SLOTS = 512, 4096
"""Images worked on at once: few fit the processor's cache, a GPU wants many."""
SLOT_VALUES, GPU_SLOT_VALUES = 2**25, 2**29
"""Most pixels of all slopes and pairs together, which bounds the memory."""
REFILLED = 1 / 8
"""Runs begin once there are so many of them, as a share of those that go on: a few at a
time cost as much as many."""
PARKED = 0.25
"""Share of empty slots at which the batch is packed anew; packing copies all."""

DEFAULT = Accuracy()
ROUGH = Accuracy(tolerance=0.3, excess=1e-2)
"""Accuracy in smoothed networks: their minima are only where the next search begins."""


class Found(NamedTuple):
    """Outcome of the search, one row an image.

    Attributes:
        image: Shortest success, flat; the clean image if there is none.
        success: Whether there is one.
        weight: Weight c at which the paper's objective would lead near this image.
        iterations: Accepted steps, over all starts.
        evaluations: Forward passes, over all starts.
        gradients: Gradients of single margins, over all starts.
        start: Start that won: 0 the walk, 1 and up the start images, -1 the known one,
            -2 the smoothed network's minimum, -3 the walk that none leads.
        tied: Rivals that tie with the goal at the image.
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
    wanted: Bool[Tensor, "n classes"],
    *,
    starts: int = 1,
    start_images: Float[Tensor, "m ..."] | None = None,
    known: Float[Tensor, "n ..."] | None = None,
    accuracy: Accuracy = DEFAULT,
    slots: int | None = None,
) -> Found:
    """Return the shortest perturbation found of every image.

    Args:
        model: Classifier from pixels to logits.
        clean: Images to perturb, in [0, 1].
        wanted: Classes that count as success, one for a targeted attack and all but
            the label for an untargeted one.
        starts: Most starts of an image: the walk, if there are more the minimum of a
            smoothed network and a walk that none leads, where such networks are known,
            and start images.
        start_images: Images to start from; those that the network gives a wanted class
            are used.
        known: For each image one that is adversarial already. The result is never
            longer.
        accuracy: When a run ends.
        slots: Images worked on at once.
    """
    if starts > 1 and start_images is None:
        raise InputError(f"starts = {starts} needs `start_images` to start from")
    network = network_of(model, clean.shape[1:])
    flat = (None if x is None else x.flatten(1) for x in (start_images, known))
    problem, tally = pose(network, clean.flatten(1), wanted, starts, *flat)
    smoother = [network_of(m, clean.shape[1:]) for m in graduated(network.layers)]
    if starts > 1:
        problem = with_smoothed(smoother, problem, tally, slots)
    run(network, problem, tally, accuracy, slots, smoother[: walk.LEADING])
    found = outcome(tally)
    return found._replace(image=firm(model, clean, wanted, found.image))


def with_smoothed(
    smoother: list[Network], problem: Problem, tally: Tally, slots: int | None
) -> Problem:
    """Return the problem with a smoothed network's minima to start from.

    Found by graduation: the minimum of each network is where the search in the next,
    less smooth, begins.

    Args:
        smoother: Smoothed networks, the smoothest first; none where that is not known.
        problem: What is given.
        tally: What the smoothed networks cost is entered.
        slots: Images worked on at once.
    """
    walks = problem.goals.shape[1]
    stage = problem._replace(starts=1, pool=None, known=None)
    for network in smoother:
        found = empty_tally(problem.clean, problem.goals[:, 0])
        if stage.smooth is not None:
            found.begun += walks
        run(network, stage, found, ROUGH, slots, [])
        stage = stage._replace(smooth=found.image, smooth_goal=found.goal)
        tally.iterations += found.iterations
        tally.forwards += found.forwards
        tally.backwards += found.backwards
    return problem._replace(smooth=stage.smooth, smooth_goal=stage.smooth_goal)


def run(
    network: Network,
    problem: Problem,
    tally: Tally,
    accuracy: Accuracy,
    slots: int | None,
    leading: list[Network],
) -> None:
    """Give every image all its runs, compiled as one where that can be.

    Args:
        network: The network.
        problem: What is given.
        tally: What is known, entered.
        accuracy: When a run ends.
        slots: Images worked on at once.
        leading: Smoothed networks in which walks begin.
    """
    dense = None
    if subproblem.compiled(problem.clean):
        dense = compiled_search.dense_of(network.layers)
    if dense is not None:
        leading = [compiled_search.dense_of(one.layers) for one in leading]
        compiled_search.search_all(dense, problem, tally, accuracy, slots, leading)
    else:
        problem = with_lead(leading, problem, tally)
        search_by_turns(network, problem, tally, accuracy, slots)


def with_lead(leading: list[Network], problem: Problem, tally: Tally) -> Problem:
    """Return the problem with walks that begin where smoothed networks lead."""
    if not leading:
        return problem
    given = problem.clean, problem.goals[:, 0], ~problem.wanted
    chunks = zip(*(part.split(CHUNK) for part in given), strict=True)
    found = [walk.led(leading, *chunk) for chunk in chunks]
    lead, steps = (torch.cat(part) for part in zip(*found, strict=True))
    tally.forwards += len(leading)
    tally.backwards += steps
    return problem._replace(lead=lead)


def search_by_turns(
    network: Network,
    problem: Problem,
    tally: Tally,
    accuracy: Accuracy,
    slots: int | None,
) -> None:
    """Take turns until no image is left."""
    cuts = CUTS_OF_LAYERS if network.layers else CUTS
    slots = slots or slots_for(problem.clean, accuracy.memory, cuts)
    live = empty(problem, slots, accuracy.memory, cuts)
    waiting = torch.arange(len(problem.clean), device=problem.clean.device)
    while True:
        waiting = refill(live, problem, tally, waiting)
        if not (live.row >= 0).any():
            return
        live, over = advance(live, network, tally, accuracy)
        waiting = torch.cat([over, waiting])


def slots_for(clean: Float[Tensor, "n ..."], memory: int, cuts: int) -> int:
    """Return how many images to work on at once.

    Args:
        clean: The images.
        memory: Curvature pairs of each.
        cuts: Seats for cuts of each.
    """
    on_cpu = clean.device.type == "cpu"
    most = SLOTS if on_cpu else GPU_SLOTS
    values = SLOT_VALUES if on_cpu else GPU_SLOT_VALUES
    each = clean[0].numel() * (MOST_CLASSES + cuts + 2 * memory)
    return max(LEAST_ROWS, min(most, len(clean), values // each))


def advance(
    live: Live, network: Network, tally: Tally, accuracy: Accuracy
) -> tuple[Live, Int[Tensor, " n"]]:
    """Take a turn with every image; return the slots, and whose run has ended."""
    if subproblem.compiled(live.clean):
        compiled.take_turn(live, network)
        return live, compiled.finish(live, tally, accuracy)
    live = without_idle(live)
    turn(live, network)
    return live, finish(live, tally, accuracy)


def refill(
    live: Live, problem: Problem, tally: Tally, waiting: Int[Tensor, " n"]
) -> Int[Tensor, " m"]:
    """Give vacant slots to the next runs of waiting images; return who still waits."""
    vacant = (live.row < 0).nonzero()[:, 0]
    busy = len(live.row) - len(vacant)
    if min(len(vacant), len(waiting)) < REFILLED * busy:
        return waiting
    while len(vacant) and len(waiting):
        rows, waiting = waiting[: len(vacant)], waiting[len(vacant) :]
        run = next_runs(problem, tally, rows)
        if len(run.row):
            place(live, vacant[: len(run.row)], run, problem)
        vacant = vacant[len(run.row) :]
    return waiting


def without_idle(live: Live) -> Live:
    """Pack the slots once too many of them are vacant."""
    busy = live.row >= 0
    if busy.float().mean() > 1 - PARKED or len(busy) <= LEAST_ROWS:
        return live
    order = (~busy).to(torch.uint8).argsort(stable=True)
    return packed(live, order[: max(LEAST_ROWS, int(busy.sum()))])


def outcome(tally: Tally) -> Found:
    """Return what the tally holds, as the caller wants it.

    Where n rivals tie with the goal its probability is 1 / (1 + n). There the paper's
    objective is stationary for 2c = (1 - 1 / (1 + n)) / Σ λ_k, which gives its weight.
    """
    share = tally.tied / (1 + tally.tied)
    return Found(
        image=tally.image,
        success=tally.length.isfinite(),
        weight=share / (2 * tally.pressure),
        iterations=tally.iterations,
        evaluations=tally.forwards,
        gradients=tally.backwards,
        start=tally.start,
        tied=tally.tied,
        converged=tally.converged,
    )
