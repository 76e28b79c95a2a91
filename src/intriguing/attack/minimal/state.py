"""What the search keeps: a record and small rows for each image, and its pixels.

Decisions are made on the records and small rows, which are NumPy arrays on the host.
Pixels are arrays of NumPy or tensors of torch, on any device.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64

from intriguing.attack.minimal import constants as const
from intriguing.attack.vectors import INFINITE

COUNTS = (
    "row",  # image of the run
    "start",  # number of its start, as in `MinimalResult`
    "target",  # class to be reached
    "origin",  # where its first point comes from, as in `runs`
    "origin_row",  # row of the array that holds it
    "iteration",  # candidates so far in the present phase
    "planes",  # cutting planes made so far
    "misses",  # iterates in a row that fell short of the margin near the end
    "newest",  # latest curvature pair
    "pairs",  # curvature pairs made so far
    "rejections",  # candidates rejected since the last accepted one
    "halvings",  # how often the step has been halved since
    "stalled",  # iterations since the best length last fell noticeably
    "restarts",  # how often the run has gone back to its shortest success
    "iterations",  # accepted steps
    "evaluations",  # forward passes
    "gradients",  # gradients of a margin
    "verdict",  # verdict on the candidate, as in `acceptance`
    "request",  # first gradient that was asked for
    "requested",  # gradients asked for
    "plane_class",  # class that a cutting plane is wanted for, -1 for none
    "plane_slot",  # constraint slot that the new cutting plane gets, -1 for none
)
NUMBERS = (
    "length",  # distance of the iterate from the clean image
    "candidate_length",  # the same of the candidate
    "candidate_margin",  # least margin there
    "logit_range",  # scale of all margins, taken at the first iterate
    "penalty",  # penalty parameter of the merit
    "target_margin",  # margin that the iterates aim at
    "residual",  # distance from the iterate to the solution of the projection
    "decrease",  # by how much that solution is nearer to the clean image
    "best_length",  # length of the shortest success of this run
    "known_length",  # length of the shortest success of earlier runs
    "best_distance",  # distance from the iterate to that success
    "deficit",  # log odds missing in the feasibility phase
    "longest_step",  # most that the next step may be
    "step_share",  # share of the step that is tried
    "plane_back",  # what the new gradient says from the candidate to the iterate
    "plane_ahead",  # and from the iterate to the solution of the projection
)
FLAGS = (
    "vacant",  # whether the slot has no run
    "feasibility",  # whether the run is in its feasibility phase
    "keeps_candidate",  # whether the candidate is the shortest success so far
    "straight",  # whether the next step is the projection's
    "improves",  # whether the run has ended with the best image of all
    "restarting",  # whether the run goes back to its shortest success
)
RUN = np.dtype(
    [(name, np.int64) for name in COUNTS]
    + [(name, np.float32) for name in NUMBERS]
    + [(name, np.bool_) for name in FLAGS],
    align=True,
)
"""One run of an image: the search from one start."""

RESULT = np.dtype(
    [
        ("length", np.float32),  # shortest perturbation, infinite if there is none
        ("multiplier_sum", np.float32),  # sum of the multipliers there
        ("started", np.int64),  # runs started
        ("hits", np.int64),  # how often the best length was reached
        ("start", np.int64),  # start that won
        ("target", np.int64),  # class of the best image; before, the most promising
        ("tied", np.int64),  # competing classes that tie with the target there
        ("iterations", np.int64),  # accepted steps, over all runs
        ("evaluations", np.int64),  # forward passes, over all runs
        ("gradients", np.int64),  # gradients of a margin, over all runs
        ("converged", np.bool_),  # whether the best run ended at a stationary point
    ],
    align=True,
)
"""What is known of an image."""


class SearchState(NamedTuple):
    """Records and small rows of the images worked on: b of them, k constraint slots.

    Attributes:
        runs: Records `RUN`.
        competing: Classes that the target has to beat.
        margins: The target's logit less each competing one at the iterate.
        candidate_margins: The same at the candidate.
        classes: Competing class of each constraint slot; the first slots are for the
            working set, those behind them for cutting planes.
        gap: Linearised margin of each slot at the iterate, infinite where it is empty.
        multiplier: Lagrange multiplier of each slot.
        left: Multipliers of the gradients that the last step left behind, by slot.
        class_left: The same by class.
        shift: Change of each linearised margin by the last step.
        source: Slot from which a cutting plane copies its gradient, -1 for none.
        sums: Room for numbers by class.
        requests: Rows of the forward pass whose gradients are asked for.
        weights: Weights of the logits whose gradient it is.
        lists: Rows for slots that are busy, begin, solve and propose.
    """

    runs: np.ndarray
    competing: Bool[np.ndarray, "b c"]
    margins: Float32[np.ndarray, "b c"]
    candidate_margins: Float32[np.ndarray, "b c"]
    classes: Int64[np.ndarray, "b k"]
    gap: Float32[np.ndarray, "b k"]
    multiplier: Float32[np.ndarray, "b k"]
    left: Float32[np.ndarray, "b k"]
    class_left: Float32[np.ndarray, "b c"]
    shift: Float32[np.ndarray, "b k"]
    source: Int64[np.ndarray, "b k"]
    sums: Float32[np.ndarray, "3 c"]
    requests: Int64[np.ndarray, " p"]
    weights: Float32[np.ndarray, "p c"]
    lists: Int64[np.ndarray, "4 b"]


def empty_state(slots: int, classes: int, own: int, planes: int) -> SearchState:
    """Return the state with no images in it."""
    by_class, by_slot = (slots, classes), (slots, own + planes)
    runs = np.zeros(slots, RUN)
    runs["vacant"] = True
    return SearchState(
        runs,
        np.zeros(by_class, np.bool_),
        np.zeros(by_class, np.float32),
        np.zeros(by_class, np.float32),
        np.zeros(by_slot, np.int64),
        np.full(by_slot, INFINITE),
        np.zeros(by_slot, np.float32),
        np.zeros(by_slot, np.float32),
        np.zeros(by_class, np.float32),
        np.zeros(by_slot, np.float32),
        source=np.full(by_slot, -1),
        sums=np.zeros((3, classes), np.float32),
        requests=np.zeros(slots * own, np.int64),
        weights=np.zeros((slots * own, classes), np.float32),
        lists=np.zeros((4, slots), np.int64),
    )


class Pixels(NamedTuple):
    """Pixels of the images worked on, arrays of NumPy or tensors of torch.

    Attributes:
        clean: Unperturbed images (b, d).
        candidate: Next points to be tried.
        image: Iterates.
        projected: Solutions of the linearised sub-problems.
        step: Steps to be tried.
        best: Shortest successes of the runs.
        gradients: Gradient (b, k, d) of the margin in each constraint slot.
        steps: Last steps (b, m, d), a ring over the second axis.
        changes: Their products with the Lagrangian's Hessian.
    """

    clean: Any
    candidate: Any
    image: Any
    projected: Any
    step: Any
    best: Any
    gradients: Any
    steps: Any
    changes: Any


def empty_pixels(
    slots: int, width: int, constraints: int, memory: int, zeros: Callable[..., Any]
) -> Pixels:
    """Return room for the pixels of images."""
    points = (zeros((slots, width)) for _ in range(6))
    shapes = (slots, constraints, width), (slots, memory, width), (slots, memory, width)
    return Pixels(*points, *map(zeros, shapes))


class Subproblem(NamedTuple):
    """The linearised sub-problem of one image, or of n in tensors.

    Attributes:
        clean: Image (d) whose neighbourhood is searched.
        image: Point (d) of linearisation.
        gradients: Gradients W (k, d) of the margins.
        required: Margin (k) still required of each, κ - g.
        target_margin: The target margin κ, the scale of an acceptable shortfall.
    """

    clean: Any
    image: Any
    gradients: Any
    required: Any
    target_margin: Any


class Settings(NamedTuple):
    """What does not change during a search.

    Attributes:
        own: Constraint slots for working sets.
        memory: Curvature pairs kept.
        nonsmooth: Whether the network is known to have nonsmooth points.
        tolerance: As in `Accuracy`.
        decrease: As in `Accuracy`.
        iterations: As in `Accuracy`.
    """

    own: int
    memory: int
    nonsmooth: bool
    tolerance: np.float32
    decrease: np.float32
    iterations: int = const.MOST_ITERATIONS


class Accuracy(NamedTuple):
    """When a run ends.

    Attributes:
        tolerance: Length of the projection's step, as a share of the perturbation's.
            The length found is second order in it.
        decrease: Distance that the projection would still save, as such a share.
        memory: Curvature pairs kept.
        iterations: Limit after the feasibility phase.
    """

    tolerance: float = 1e-2
    decrease: float = 7e-5
    memory: int = 8
    iterations: int = const.MOST_ITERATIONS
