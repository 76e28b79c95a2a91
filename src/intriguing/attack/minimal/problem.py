"""The images to be attacked, the runs that each is given, and the best of them."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.minimal.network import Network
from intriguing.attack.minimal.starts import (
    SHARE,
    Pool,
    draw,
    hits_for,
    pool_of,
    seeds_of,
)
from intriguing.attack.minimal.untargeted import ranked, worthwhile

CHUNK = 1024
KNOWN, SMOOTHED, UNLED = -1, -2, -3
"""Numbers of the starts from a known image and from a smoothed network's minimum, and
of the walk that no smoothed network leads, where one did lead the first."""


class Problem(NamedTuple):
    """What is given, one row an image.

    Attributes:
        clean: Unperturbed images, flat.
        wanted: Classes that count as success.
        goals: Those classes, the most promising first.
        estimate: Their estimated distances.
        starts: Most starts of each image, the walk included.
        pool: Images to start from, if any.
        seed: Number from which an image's start images follow.
        known: Images already adversarial to start from, if any.
        known_goal: Classes that the network gives them.
        lead: Points where the walks to the first classes begin; None for the images.
        smooth: Minima of a smoothed network to start from, if any.
        smooth_goal: Classes that they are in there.
    """

    clean: Float[Tensor, "n d"]
    wanted: Bool[Tensor, "n c"]
    goals: Int[Tensor, "n j"]
    estimate: Float[Tensor, "n j"]
    starts: int
    pool: Pool | None
    seed: Int[Tensor, " n"]
    known: Float[Tensor, "n d"] | None
    known_goal: Int[Tensor, " n"]
    lead: Float[Tensor, "n d"] | None
    smooth: Float[Tensor, "n d"] | None
    smooth_goal: Int[Tensor, " n"]


@dataclass
class Tally:
    """What has come out so far, one row an image.

    Attributes:
        image: Shortest success; the clean image if there is none.
        length: Its perturbation's L2 norm, infinite if there is none.
        begun: Runs begun, in the order of `runs_of`.
        hits: How often the best length was reached.
        start: Start that won: 0 the walk, 1 and up the start images, `KNOWN` or
            `SMOOTHED` or `UNLED`.
        goal: Class that the best image is in; before there is one, the most promising.
        pressure: Sum of the multipliers there.
        tied: Rivals that tie with the goal there.
        converged: Whether that run ended at a stationary point.
        iterations: Accepted steps, over all runs.
        forwards: Forward passes, over all runs.
        backwards: Gradients of a margin, over all runs.
    """

    image: Float[Tensor, "n d"]
    length: Float[Tensor, " n"]
    begun: Int[Tensor, " n"]
    hits: Int[Tensor, " n"]
    start: Int[Tensor, " n"]
    goal: Int[Tensor, " n"]
    pressure: Float[Tensor, " n"]
    tied: Int[Tensor, " n"]
    converged: Bool[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    forwards: Int[Tensor, " n"]
    backwards: Int[Tensor, " n"]


class Run(NamedTuple):
    """Runs to begin, one row each.

    Attributes:
        row: Image.
        goal: Class to be reached.
        begin: Point of the first forward pass.
        walking: Whether it begins with the walk.
        start: Number of the start, as in `Tally`.
        best: Shortest perturbation known of that image.
    """

    row: Int[Tensor, " n"]
    goal: Int[Tensor, " n"]
    begin: Float[Tensor, "n d"]
    walking: Bool[Tensor, " n"]
    start: Int[Tensor, " n"]
    best: Float[Tensor, " n"]


def pose(
    network: Network,
    clean: Float[Tensor, "n d"],
    wanted: Bool[Tensor, "n c"],
    starts: int,
    start_images: Float[Tensor, "m d"] | None,
    known: Float[Tensor, "n d"] | None,
) -> tuple[Problem, Tally]:
    """Rank the classes, sort the start images, and open the tally."""
    goals, estimate = wanted.int().argmax(1)[:, None], clean.new_zeros(len(clean), 1)
    several = bool((wanted.sum(1) > 1).any())
    if several:
        parts = zip(clean.split(CHUNK), wanted.split(CHUNK), strict=True)
        found = [ranked(network, *part) for part in parts]
        goals, estimate = (torch.cat(part) for part in zip(*found, strict=True))
    pool = None
    if start_images is not None and starts > 1:
        pool = pool_of(start_images, logits_of(network, start_images))
    aim = goals[:, 0]
    if known is not None:
        aim = logits_of(network, known).masked_fill(~wanted, -torch.inf).argmax(1)
    tally = empty_tally(clean, goals[:, 0])
    if several:
        tally.forwards += 1
        tally.backwards += wanted.sum(1)
    seed = seeds_of(clean) if pool is not None else torch.zeros_like(tally.start)
    given = (clean, wanted, goals, estimate, starts, pool, seed, known, aim)
    return Problem(*given, lead=None, smooth=None, smooth_goal=aim), tally


def empty_tally(clean: Float[Tensor, "n d"], goal: Int[Tensor, " n"]) -> Tally:
    """Return the tally of images of which nothing is known."""

    def zero() -> Tensor:
        return torch.zeros(len(clean), dtype=torch.int64, device=clean.device)

    return Tally(
        image=clean.clone(),
        length=clean.new_full((len(clean),), torch.inf),
        begun=zero(),
        hits=zero(),
        start=zero(),
        goal=goal.clone(),
        pressure=clean.new_zeros(len(clean)),
        tied=zero(),
        converged=zero().bool(),
        iterations=zero(),
        forwards=zero(),
        backwards=zero(),
    )


def logits_of(network: Network, images: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
    """Return the logits of many images, in chunks."""
    return torch.cat([network.forward(part)[0] for part in images.split(CHUNK)])


def next_runs(problem: Problem, tally: Tally, rows: Int[Tensor, " n"]) -> Run:
    """Return the next run of each image that has one left."""
    first = 0 if problem.known is None else 1
    classes = problem.goals.shape[1]
    begun = tally.begun[rows]
    best, estimate = tally.length[rows], problem.estimate[rows]
    if problem.starts == 1 and classes > 1:
        # Sorted: where one class is left out, so are those behind it.
        place = (begun - first).clamp(0, classes - 1)[:, None]
        near = worthwhile(estimate.gather(1, place)[:, 0], estimate[:, 0], best)
        skip = (begun - first >= 1) & (begun - first < classes) & ~near
        begun = torch.where(skip, first + classes, begun)
    # Rows with fewer wanted classes than others have infinite estimates behind.
    missing = (begun - first >= problem.wanted[rows].sum(1)) & (begun < first + classes)
    begun = begun.masked_fill(missing, first + classes)
    smooth = 0 if problem.smooth is None else 1
    others = torch.full_like(begun, smooth)
    if problem.pool is not None:
        most = problem.starts - 1 - smooth
        more = unled_walks(problem, tally, rows) + problem.pool.count[tally.goal[rows]]
        others += more.clamp_max(most)
    others = others.masked_fill(tally.hits[rows] >= hits_for(problem.starts), 0)
    more = begun < first + classes + others
    tally.begun[rows] = begun + more
    return runs_of(problem, tally, rows[more], begun[more] - first)


def unled_walks(
    problem: Problem, tally: Tally, rows: Int[Tensor, " n"]
) -> Int[Tensor, " n"]:
    """Return 1 where the walk to the best class was led, so that another may not be."""
    if problem.lead is None:
        return torch.zeros_like(rows)
    return (tally.goal[rows] == problem.goals[rows, 0]).to(rows.dtype)


def runs_of(
    problem: Problem, tally: Tally, rows: Int[Tensor, " n"], number: Int[Tensor, " n"]
) -> Run:
    """Return runs by number.

    They are: -1 the known image, then classes, the smoothed minimum, the walk that is
    not led, start images.
    """
    classes = problem.goals.shape[1]
    smooth = torch.zeros_like(number, dtype=torch.bool)
    images = classes
    if problem.smooth is not None:
        smooth, images = number == classes, classes + 1
    unled = unled_walks(problem, tally, rows)
    plain = (unled == 1) & (number == images)
    images = images + unled
    known, other = number < 0, number >= images
    place = number.clamp(0, classes - 1)[:, None]
    goal = problem.goals[rows].gather(1, place)[:, 0]
    begin = problem.clean.index_select(0, rows)
    if problem.lead is not None:
        first = (number == 0)[:, None]
        begin = torch.where(first, problem.lead.index_select(0, rows), begin)
    if known.any():
        begin = torch.where(known[:, None], problem.known[rows], begin)
        goal = torch.where(known, problem.known_goal[rows], goal)
    if smooth.any():
        begin = torch.where(smooth[:, None], problem.smooth[rows], begin)
        goal = torch.where(smooth, problem.smooth_goal[rows], goal)
    goal = torch.where(plain, tally.goal[rows], goal)
    if other.any():
        some, nth = rows[other], (number - images)[other]
        goal[other] = tally.goal[some]
        far = draw(problem.pool, tally.goal[some], problem.seed[some], nth)
        begin[other] = begin[other].lerp(far, SHARE)
    start = torch.where(other, number - images + 1, 0)
    start = start.masked_fill(known, KNOWN).masked_fill(smooth, SMOOTHED)
    start = start.masked_fill(plain, UNLED)
    walking = ~known & ~smooth & ~other
    return Run(rows, goal, begin, walking, start, tally.length[rows])
