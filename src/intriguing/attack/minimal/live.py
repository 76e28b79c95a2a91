"""The images being worked on: a fixed number of slots, each with one image's state."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.minimal.problem import Problem, Run
from intriguing.attack.minimal.workingset import MOST_CLASSES


@dataclass
class Live:
    """State of each slot; every field has one row a slot.

    Attributes:
        row: Image in the slot, -1 for none.
        start: Number of its start.
        goal: Class to be reached.
        rivals: Classes it has to beat.
        clean: Unperturbed pixels.
        walking: Whether the slot is on its first steps towards the goal.
        trial: Next point to be tried.
        image: Present iterate.
        length: Its distance from the clean pixels.
        margins: The goal's margin over each rival there.
        own: Seats of the working set; those behind them are for cuts.
        slopes: Gradients of the margins of the working set, one a seat; the last
            ones are for cuts.
        classes: Rival in each seat.
        gap: Linearised margin of each seat at the iterate, infinite where none sits.
        multiplier: Lagrange multiplier of each seat.
        cuts: Cuts made so far.
        unit: Span of the logits at the first iterate, the scale of all margins.
        price: Price of a missing margin in the merit.
        kappa: Margin aimed at.
        missed: Iterates in a row that fell short of the margin near the end.
        steps: Last steps, a ring over the second axis.
        changes: Their images under the Lagrangian's Hessian.
        newest: Latest entry of the ring.
        pairs: Entries made since the run began.
        projected: Solution of the linearised sub-problem.
        step: Step to be tried.
        residual: Distance from the iterate to ``projected``.
        excess: By how much the iterate is further from the clean pixels than that.
        refusals: Trials refused since the last accepted one.
        halvings: How often the step has been halved since.
        taken: Steps of the walk, or trials so far.
        best_image: Shortest success of this run.
        best: Its length.
        stale: Turns since ``best`` last fell noticeably.
        returned: How often the run has gone back to its shortest success.
        bound: Shortest perturbation known from earlier runs.
        iterations: Accepted steps of this run.
        forwards: Forward passes of this run.
        backwards: Gradients of this run.
        views: The fields as the compiled functions see them, once they have been
            called; from then on fields must only be written in place.
    """

    row: Int[Tensor, " b"]
    start: Int[Tensor, " b"]
    goal: Int[Tensor, " b"]
    rivals: Bool[Tensor, "b c"]
    clean: Float[Tensor, "b d"]
    walking: Bool[Tensor, " b"]
    trial: Float[Tensor, "b d"]
    image: Float[Tensor, "b d"]
    length: Float[Tensor, " b"]
    margins: Float[Tensor, "b c"]
    slopes: Float[Tensor, "b k d"]
    classes: Int[Tensor, "b k"]
    gap: Float[Tensor, "b k"]
    multiplier: Float[Tensor, "b k"]
    cuts: Int[Tensor, " b"]
    unit: Float[Tensor, " b"]
    price: Float[Tensor, " b"]
    kappa: Float[Tensor, " b"]
    missed: Int[Tensor, " b"]
    steps: Float[Tensor, "b m d"]
    changes: Float[Tensor, "b m d"]
    newest: Int[Tensor, " b"]
    pairs: Int[Tensor, " b"]
    projected: Float[Tensor, "b d"]
    step: Float[Tensor, "b d"]
    residual: Float[Tensor, " b"]
    excess: Float[Tensor, " b"]
    refusals: Float[Tensor, " b"]
    halvings: Float[Tensor, " b"]
    taken: Int[Tensor, " b"]
    best_image: Float[Tensor, "b d"]
    best: Float[Tensor, " b"]
    stale: Int[Tensor, " b"]
    returned: Int[Tensor, " b"]
    bound: Float[Tensor, " b"]
    iterations: Int[Tensor, " b"]
    forwards: Int[Tensor, " b"]
    backwards: Int[Tensor, " b"]
    own: int
    views: tuple | None = None


PIXELS = ("clean", "trial", "image", "projected", "step", "best_image")
NUMBERS = (
    "unit",
    "price",
    "kappa",
    "residual",
    "excess",
    "refusals",
    "halvings",
)
LENGTHS = ("length", "best", "bound")
COUNTS = (
    "cuts",
    "missed",
    "newest",
    "pairs",
    "taken",
    "stale",
    "returned",
    "iterations",
    "forwards",
    "backwards",
)


def empty(problem: Problem, slots: int, memory: int, cuts: int) -> Live:
    """Return slots with no images in them.

    Args:
        problem: What is given.
        slots: How many.
        memory: Curvature pairs of each.
        cuts: Seats for cuts of each.
    """
    clean, wanted = problem.clean, problem.wanted
    width, classes = clean.shape[1], wanted.shape[1]
    own = int((~wanted).sum(1).clamp(1, MOST_CLASSES).max())
    seats = own + cuts
    none = torch.zeros(slots, dtype=torch.int64, device=clean.device)
    number = clean.new_zeros(slots)
    return Live(
        row=none - 1,
        start=none.clone(),
        goal=none.clone(),
        rivals=none.bool()[:, None].repeat(1, classes),
        margins=number[:, None].repeat(1, classes),
        slopes=clean.new_zeros(slots, seats, width),
        classes=none[:, None].repeat(1, seats),
        gap=number[:, None].repeat(1, seats),
        multiplier=number[:, None].repeat(1, seats),
        steps=clean.new_zeros(slots, memory, width),
        changes=clean.new_zeros(slots, memory, width),
        **{name: clean.new_zeros(slots, width) for name in PIXELS},
        **{name: number.clone() for name in (*NUMBERS, *LENGTHS)},
        **{name: none.clone() for name in COUNTS},
        walking=none.bool(),
        own=own,
    )


def place(live: Live, slots: Int[Tensor, " n"], run: Run, problem: Problem) -> None:
    """Begin some runs in some slots."""
    for name in ("multiplier", *NUMBERS, *COUNTS):
        getattr(live, name)[slots] = 0
    live.row[slots], live.start[slots], live.goal[slots] = run.row, run.start, run.goal
    live.rivals[slots] = ~problem.wanted[run.row]
    live.clean.index_copy_(0, slots, problem.clean.index_select(0, run.row))
    live.trial.index_copy_(0, slots, run.begin)
    live.walking[slots], live.gap[slots] = run.walking, torch.inf
    live.length[slots], live.best[slots] = torch.inf, torch.inf
    live.bound[slots] = run.best


def packed(live: Live, kept: Int[Tensor, " n"]) -> Live:
    """Return some of the slots only."""
    names = [f.name for f in fields(live) if f.name not in ("own", "views")]
    parts = {name: getattr(live, name).index_select(0, kept) for name in names}
    return Live(**parts, own=live.own)


def bound_of_walks(live: Live) -> Float[Tensor, " b"]:
    """Return what a walk must stay below: the best known, if another class gave it.

    To an only wanted class there is one walk, and the best known is the known image.
    Cut short by it, the walk would lead to another minimum than without.
    """
    only = live.rivals.sum(1) == live.rivals.shape[1] - 1
    return live.bound.masked_fill(only, torch.inf)
