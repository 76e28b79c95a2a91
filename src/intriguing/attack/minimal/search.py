"""The search: one forward pass a turn for every image that is not finished.

Images go through three phases, each at its own pace: a walk or a crossing that leads
into the goal's region, then the sequence of projections. An image that is finished
leaves its slot to its own next start or to the next image.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.minimal import starts as start_rules
from intriguing.attack.minimal import steps as step_rules
from intriguing.attack.minimal import subproblem, walk, workingset
from intriguing.attack.minimal.live import Live, empty, packed, place
from intriguing.attack.minimal.network import (
    LEAST_ROWS,
    Network,
    difference,
    network_of,
)
from intriguing.attack.minimal.problem import Problem, Tally, enter, next_runs, pose
from intriguing.errors import InputError

SLOTS = 512
SLOT_VALUES = 2**25
"""Most pixels of all slopes and pairs together, which bounds the memory."""
PARKED = 0.25
"""Share of empty slots at which the batch is packed anew; packing copies all."""
PRICE = 1.1
MOST_REFUSALS = 5
MOST_TURNS = 120
MOST_KAPPA = 20
MISSED = -10
"""Margin, in units of the first κ, from which a negligible step means that κ is too
small; and the most to which it is raised."""
PRUNED_FROM = 5
NOT_BELOW = 1.01
TIED = 1e-3
"""A rival ties with the goal if its multiplier exceeds this share of the largest."""


class Accuracy(NamedTuple):
    """When a run ends.

    Attributes:
        tolerance: Length of the projection's step, as a share of the perturbation's.
            The length found is second order in it.
        excess: Distance that the projection would still save, as such a share.
        memory: Curvature pairs kept.
    """

    tolerance: float = 1e-2
    excess: float = 7e-5
    memory: int = 8


DEFAULT = Accuracy()


class Found(NamedTuple):
    """Outcome of the search, one row an image.

    Attributes:
        image: Shortest success, flat; the clean image if there is none.
        success: Whether there is one.
        weight: Weight c at which the paper's objective would lead near this image.
        iterations: Accepted steps, over all starts.
        evaluations: Forward passes, over all starts.
        gradients: Gradients of single margins, over all starts.
        start: Start that won: 0 the walk, 1 and up the start images, -1 the known one.
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
        starts: Most starts of an image, the walk and ``starts - 1`` start images.
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
    live = empty(problem, slots or slots_for(clean, accuracy), accuracy.memory)
    waiting = torch.arange(len(clean), device=clean.device)
    while True:
        waiting = refill(live, problem, tally, waiting)
        live = without_idle(live)
        if not (live.row >= 0).any():
            return outcome(tally)
        turn(live, network, accuracy)
        waiting = torch.cat([finish(live, tally, accuracy), waiting])


def slots_for(clean: Float[Tensor, "n ..."], accuracy: Accuracy) -> int:
    """Return how many images to work on at once."""
    each = clean[0].numel() * (workingset.MOST_CLASSES + 2 * accuracy.memory)
    least = min(SLOTS, max(1, SLOT_VALUES // each))
    return max(LEAST_ROWS, min(least, len(clean)))


def refill(
    live: Live, problem: Problem, tally: Tally, waiting: Int[Tensor, " n"]
) -> Int[Tensor, " m"]:
    """Give vacant slots to the next runs of waiting images; return who still waits."""
    vacant = (live.row < 0).nonzero()[:, 0]
    while len(vacant) and len(waiting):
        rows, waiting = waiting[: len(vacant)], waiting[len(vacant) :]
        run = next_runs(problem, tally, rows)
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


def turn(live: Live, network: Network, accuracy: Accuracy) -> None:
    """Try one point of every image, and prepare the next."""
    busy = live.row >= 0
    logits, trace = network.forward(live.trial)
    live.forwards += busy
    live.taken += busy
    margins = workingset.margins_over(logits, live.goal, live.rivals)
    margin = margins.amin(1)
    length = (live.trial - live.clean).norm(dim=1)
    arrived, taken, refused = judge(live, margin, length)
    measure(live, arrived, logits)
    keep_best(live, margin, length)
    live.walking &= ~arrived
    live.crossing &= ~arrived
    live.taken.masked_fill_(arrived, 0)
    moved = (live.walking | arrived | taken) & busy
    solving = ((arrived | taken) & busy).nonzero()[:, 0]
    widened, intruder = widen(live, margins, refused & busy)
    pairs = (taken & busy).nonzero()[:, 0]
    pull = weighted_slopes(live, pairs)
    previous = live.image[pairs]
    move(live, moved, margins, length, logits, trace)
    enlist(live, solving)
    add_class(live, widened, intruder)
    slopes_at(live, network, solving, widened, logits)
    remember(live, pairs, previous, pull)
    solve(live, torch.cat([solving, widened]))
    aim(live)


def keep_best(live: Live, margin: Tensor, length: Tensor) -> None:
    """Keep trial points that are safely reached and shorter than any before."""
    safe = margin > step_rules.SAFE_MARGIN * live.unit
    better = safe & (live.unit > 0) & (length < live.best)
    rows = better.nonzero()[:, 0]
    live.best_image[rows] = live.trial[rows]
    live.best = torch.where(better, length, live.best)


def measure(
    live: Live, arrived: Bool[Tensor, " b"], logits: Float[Tensor, "b c"]
) -> None:
    """Take the scale of the margins where the first iterate is."""
    span = logits.amax(1) - logits.amin(1)
    live.unit = torch.where(arrived, span, live.unit)
    live.kappa = torch.where(arrived, step_rules.KAPPA * span, live.kappa)


def judge(live: Live, margin: Tensor, length: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return who arrives at a first iterate, whose step is taken, whose is refused."""
    reached = margin > 0
    share = (live.low + live.high) / 2
    live.high = torch.where(live.crossing & reached, share, live.high)
    live.low = torch.where(live.crossing & ~reached, share, live.low)
    crossed = reached & (live.taken >= start_rules.HALVINGS)
    arrived = live.walking & (reached | (live.taken > walk.MOST_STEPS))
    arrived |= live.crossing & (crossed | (live.taken > 2 * start_rules.HALVINGS))
    solving = ~live.walking & ~live.crossing
    now = live.margins.amin(1)
    before = step_rules.merit(live.length, now, live.price, live.kappa)
    after = step_rules.merit(length, margin, live.price, live.kappa)
    first = live.length.isinf()
    good = step_rules.accepted(before, after, live.length) | first
    arrived |= solving & first
    return arrived, solving & good & ~first, solving & ~good


def widen(
    live: Live, margins: Float[Tensor, "b c"], refused: Bool[Tensor, " b"]
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """Count refusals; return rows refused for a class outside their working set."""
    live.refusals = torch.where(refused, live.refusals + 1, 0.0)
    rows = (refused & (live.refusals <= 2)).nonzero()[:, 0]
    strongest, ahead = workingset.intruders(
        margins[rows], live.classes[rows], live.size[rows]
    )
    return rows[ahead], strongest[ahead]


def weighted_slopes(live: Live, rows: Int[Tensor, " n"]) -> Float[Tensor, "n d"]:
    """Return Σ λ_k W_k of some rows."""
    used = torch.arange(live.classes.shape[1], device=rows.device)
    used = used < live.size[rows, None]
    weights = live.multiplier[rows].gather(1, live.classes[rows])
    return subproblem.combine(rows, live.slopes, weights.masked_fill(~used, 0))


def move(
    live: Live,
    moved: Bool[Tensor, " b"],
    margins: Tensor,
    length: Tensor,
    logits: Tensor,
    trace: tuple[Tensor, ...],
) -> None:
    """Make the trial point the present one where it is taken."""
    rows = moved.nonzero()[:, 0]
    live.image[rows] = live.trial[rows]
    live.margins = torch.where(moved[:, None], margins, live.margins)
    arrived = moved & ~live.walking
    live.length = torch.where(arrived, length, live.length)
    live.iterations += moved
    if not live.trace:
        live.trace = tuple(torch.zeros_like(part) for part in trace)
    for kept, part in zip(live.trace, trace, strict=True):
        kept[rows] = part[rows]


def enlist(live: Live, rows: Int[Tensor, " n"]) -> None:
    """Choose the working set anew where the iterate is new."""
    share = live.residual[rows] / live.length[rows].clamp_min(1e-12)
    share = share.masked_fill(live.taken[rows] == 0, torch.inf)
    reach = workingset.reach_of(share, live.unit[rows])
    live.classes[rows], live.size[rows] = workingset.choose(
        live.margins[rows], live.multiplier[rows], reach, live.classes.shape[1]
    )


def add_class(live: Live, rows: Int[Tensor, " n"], intruder: Int[Tensor, " n"]) -> None:
    """Append a class to the working set; where that is full the last one leaves."""
    live.size[rows] = (live.size[rows] + 1).clamp_max(live.classes.shape[1])
    live.classes[rows, live.size[rows] - 1] = intruder
    live.refusals[rows] = 1


def slopes_at(
    live: Live,
    network: Network,
    solving: Int[Tensor, " n"],
    widened: Int[Tensor, " m"],
    logits: Float[Tensor, "b c"],
) -> None:
    """Compute the gradients that the turn needs, in one ragged backward pass."""
    walking = (live.walking & (live.row >= 0)).nonzero()[:, 0]
    used = torch.arange(live.classes.shape[1], device=logits.device)
    listed, seat = (used < live.size[solving, None]).nonzero(as_tuple=True)
    rows = torch.cat([solving[listed], widened])
    seat = torch.cat([seat, live.size[widened] - 1])
    weights = difference(live.goal[rows], live.classes[rows, seat], logits)
    odds, pull = walk.log_odds(
        logits[walking], live.goal[walking], live.rivals[walking]
    )
    every = torch.cat([rows, walking])
    slopes = network.backward(live.trace, every, torch.cat([weights, pull]))
    live.backwards.index_add_(0, every, torch.ones_like(every))
    live.slopes[rows, seat] = slopes[: len(rows)]
    if len(walking):
        live.trial[walking] = walk.next_point(
            live.image[walking], odds, slopes[len(rows) :], live.taken[walking] - 1
        )


def remember(
    live: Live,
    rows: Int[Tensor, " n"],
    previous: Float[Tensor, "n d"],
    pull: Float[Tensor, "n d"],
) -> None:
    """Store the pair (s, y) of each step taken."""
    live.newest[rows] = (live.newest[rows] + 1) % live.steps.shape[1]
    step = live.image[rows] - previous
    live.steps[rows, live.newest[rows]] = step
    live.changes[rows, live.newest[rows]] = step + pull - weighted_slopes(live, rows)


def solve(live: Live, rows: Int[Tensor, " n"]) -> None:
    """Solve the sub-problem of some rows, and see to their multipliers and prices."""
    classes, kappa = live.classes[rows], live.kappa[rows]
    used = torch.arange(classes.shape[1], device=rows.device) < live.size[rows, None]
    need = kappa[:, None] - live.margins[rows].gather(1, classes)
    multiplier = live.multiplier[rows].gather(1, classes).masked_fill(~used, 0)
    subproblem.solve(
        rows,
        live.clean,
        live.image,
        live.slopes,
        need.masked_fill(~used, -torch.inf),
        kappa,
        multiplier,
        live.steps,
        live.changes,
        live.newest[rows],
        live.projected,
        live.step,
    )
    spread = live.multiplier.new_zeros(len(rows), live.multiplier.shape[1])
    live.multiplier[rows] = spread.scatter(1, classes, multiplier)
    live.price[rows] = torch.maximum(live.price[rows], PRICE * multiplier.sum(1))
    projected = live.projected[rows]
    live.residual[rows] = (projected - live.image[rows]).norm(dim=1)
    nearest = (projected - live.clean[rows]).norm(dim=1)
    live.excess[rows] = live.length[rows] - nearest


def aim(live: Live) -> None:
    """Set the next trial point of crossings and of sub-problems."""
    rows = live.crossing.nonzero()[:, 0]
    share = (live.low[rows] + live.high[rows])[:, None] / 2
    live.trial[rows] = torch.lerp(live.clean[rows], live.far[rows], share)
    rows = (~live.crossing & ~live.walking).nonzero()[:, 0]
    live.trial[rows] = step_rules.trial_point(
        live.image[rows],
        live.projected[rows],
        live.step[rows],
        live.length[rows],
        live.refusals[rows],
    )


def finish(live: Live, tally: Tally, accuracy: Accuracy) -> Int[Tensor, " n"]:
    """Enter the runs that have ended, vacate their slots, and return their images."""
    margin = live.margins.amin(1)
    solving = (live.row >= 0) & ~live.walking & ~live.crossing
    share = live.residual / (live.length + 1e-12)
    small = share < accuracy.tolerance
    snug = live.excess < accuracy.excess * live.length + 1e-6
    converged = small & snug & (margin > step_rules.SAFE_MARGIN * live.unit)
    shortest = live.length - 0.5 * live.residual
    hopeless = (shortest > NOT_BELOW * live.bound) & (share < 0.5)
    hopeless &= live.taken >= PRUNED_FROM
    tired = (live.refusals > MOST_REFUSALS) | (live.taken > MOST_TURNS)
    raise_kappa(live, margin, share, accuracy)
    over = (solving & (converged | hopeless | tired)).nonzero()[:, 0]
    rows, best = live.row[over], live.best[over]
    multiplier = live.multiplier[over]
    tied = (multiplier > TIED * multiplier.amax(1, keepdim=True)).sum(1)
    enter(
        tally,
        rows,
        live.start[over],
        live.best_image[over],
        best,
        multiplier.sum(1),
        tied,
        converged[over],
    )
    tally.iterations[rows] += live.iterations[over]
    tally.forwards[rows] += live.forwards[over]
    tally.backwards[rows] += live.backwards[over]
    live.row[over] = -1
    return rows


def raise_kappa(live: Live, margin: Tensor, share: Tensor, accuracy: Accuracy) -> None:
    """Double κ where negligible steps keep missing the margin that is accepted."""
    first = step_rules.KAPPA * live.unit
    missed = (margin > MISSED * first) & (margin <= step_rules.SAFE_MARGIN * live.unit)
    missed &= share < 0.1 * accuracy.tolerance
    live.stuck = torch.where(missed, live.stuck + 1, 0)
    larger = torch.minimum(2 * live.kappa, MOST_KAPPA * first)
    live.kappa = torch.where(live.stuck >= 2, larger, live.kappa)


def outcome(tally: Tally) -> Found:
    """Return what the tally holds, as the caller wants it.

    At a tie of n classes, the goal's probability is 1/n; there the paper's objective
    is stationary if 2c r = Σ λ_k W_k (1 - 1/n) / Σ λ_k, which gives its weight.
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
