"""The paper's attack for thousands of images at once: projected L-BFGS, batched.

Every image is a problem of its own with its own weight, curvature and step length.
One turn of the loop is one forward and one backward of the network for all images that
are not finished yet; an image that has solved its problem takes its next weight at
once, without waiting for the others, and leaves when its search ends.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.objective import Evaluation, Penalty, evaluate, free_pixels
from intriguing.attack.recursion import quasi_newton_step
from intriguing.attack.weights import Bracket, WeightRule, first_weights

SAFE_MARGIN = 1e-4
"""Margin in logits that counts as success: the prediction then survives another
order of summation, which a mere tie does not."""

SUFFICIENT_DECREASE = 1e-4
ROUNDING = 2e-7
"""Relative noise of a float32 objective; smaller increases are not seen as such."""
MOST_HALVINGS = 8
LONGEST_STEP = 2.0
"""Cap on the L2 length of one step."""
LOOSEST = 0.02
"""A solve whose side of the boundary is clear may stop at this distance to the
minimiser, as a share of the perturbation's length."""
SHORTEST = 1e-3
"""Distortion below which tolerances stop shrinking with the perturbation."""
PARKED = 0.15
"""Share of finished images at which the batch is packed anew; packing copies all."""


class Accuracy(NamedTuple):
    """When one solve ends.

    Attributes:
        tolerance: Distance to the minimiser, as a share of the perturbation's length.
        clear: A solve may stop earlier, once that distance is this share of the one to
            the decision boundary: on which side it ends is then clear. 0 for never.
        memory: Curvature pairs kept.
        iterations: Cap on the steps of one solve.
    """

    tolerance: float = 2e-3
    clear: float = 0.1
    memory: int = 10
    iterations: int = 100


DEFAULT = Accuracy()


@dataclass
class Live:
    """The images being worked on; every field has one row an image.

    Attributes:
        row: Index of the image in the whole batch.
        clean: Unperturbed pixels.
        wanted: Classes that count as success.
        weight: Weight c of the problem being solved.
        bracket: What is known of the largest successful weight.
        image: Accepted iterate.
        at: The network there.
        best: Minimiser at the largest successful weight.
        at_best: The network there.
        steps: Last trial steps, a ring over the second axis.
        changes: Change of the loss gradient over each step. The penalty is left out:
            its curvature is known, so that pairs stay true when the weight changes.
        halvings: How often the present step has been halved.
        solving: Trial steps of the present solve.
        iterations: Accepted steps so far.
        evaluations: Forward and backward passes so far.
        finished: Whether the search has ended; the row waits to be packed away.
    """

    row: Int[Tensor, " n"]
    clean: Float[Tensor, "n d"]
    wanted: Bool[Tensor, "n classes"]
    weight: Float[Tensor, " n"]
    bracket: Bracket
    image: Float[Tensor, "n d"]
    at: Evaluation
    best: Float[Tensor, "n d"]
    at_best: Evaluation
    steps: Float[Tensor, "n m d"]
    changes: Float[Tensor, "n m d"]
    halvings: Float[Tensor, " n"]
    solving: Int[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    finished: Bool[Tensor, " n"]


class Found(NamedTuple):
    """Outcome of the search, one row an image.

    Attributes:
        image: Minimiser at the largest successful weight; the clean image if none.
        success: Whether any weight succeeded.
        weight: That weight, or the last one tried.
        iterations: Accepted quasi-Newton steps, over all weights.
        evaluations: Forward and backward passes, over all weights.
    """

    image: Float[Tensor, "n d"]
    success: Bool[Tensor, " n"]
    weight: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]


At = Callable[[Tensor, Tensor], Evaluation]


def search(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    wanted: Bool[Tensor, "n classes"],
    penalty: Penalty,
    rule: WeightRule,
    first: float | Float[Tensor, " n"] = 1.0,
    accuracy: Accuracy = DEFAULT,
) -> Found:
    """Solve the paper's problem for weight after weight, until each image's rule ends.

    Args:
        model: Classifier from pixels to logits.
        clean: Images to perturb, in [0, 1].
        wanted: Classes that count as success.
        penalty: Price on the perturbation.
        rule: Maps brackets to next weights.
        first: First weight tried: a number scales `first_weights`, a tensor is taken
            as it is.
        accuracy: When each solve ends.
    """
    shape = clean.shape[1:]

    def at(points: Tensor, goal: Tensor) -> Evaluation:
        value = evaluate(model, points.reshape(-1, *shape), goal)
        return value._replace(slope=value.slope.flatten(1))

    live = begin(clean.flatten(1), wanted, at, accuracy.memory)
    scale = first_weights(live.at, live.clean, penalty)
    live.weight = first if isinstance(first, Tensor) else first * scale
    found = nothing_found(live)
    slot = 0
    while True:
        newly = settle(live, penalty, rule, accuracy)
        live.finished = live.finished | newly
        if live.finished.all():
            record(live, found)
            return found
        if live.finished.float().mean() > PARKED:
            record(live, found)
            live = rows_of(live, ~live.finished)
        advance(live, penalty, at, slot)
        slot = (slot + 1) % accuracy.memory


def begin(clean: Tensor, wanted: Tensor, at: At, memory: int) -> Live:
    """Return all images at their clean pixels, with nothing known yet."""
    here = at(clean, wanted)
    zero = torch.zeros_like(here.loss)
    none = torch.zeros(len(clean), dtype=torch.int64, device=clean.device)
    pairs = clean.new_zeros(len(clean), memory, clean.shape[1])
    return Live(
        row=torch.arange(len(clean), device=clean.device),
        clean=clean,
        wanted=wanted,
        weight=zero,
        bracket=Bracket.unknown(zero),
        image=clean,
        at=here,
        best=clean,
        at_best=here,
        steps=pairs,
        changes=pairs.clone(),
        halvings=zero,
        solving=none,
        iterations=none,
        evaluations=none + 1,
        finished=none.bool(),
    )


def nothing_found(live: Live) -> Found:
    """Return the outcome to be filled in, as if every image had failed."""
    none = torch.zeros_like(live.row)
    weight = torch.full_like(live.weight, torch.nan)
    return Found(live.clean.clone(), none.bool(), weight, none, none.clone())


def record(live: Live, found: Found) -> None:
    """Write the outcome of the finished images to their rows."""
    over = live.finished
    rows, success = live.row[over], live.bracket.success[over]
    found.image[rows] = live.best[over]
    found.success[rows] = success > 0
    found.weight[rows] = torch.where(success > 0, success, live.weight[over])
    found.iterations[rows] = live.iterations[over]
    found.evaluations[rows] = live.evaluations[over]


def rows_of(value: Any, chosen: Bool[Tensor, " n"]) -> Any:
    """Return the chosen rows of a tensor, or of every tensor of a record."""
    if isinstance(value, Tensor):
        return value[chosen]
    if isinstance(value, tuple):
        return type(value)(*(rows_of(part, chosen) for part in value))
    parts = {f.name: rows_of(getattr(value, f.name), chosen) for f in fields(value)}
    return type(value)(**parts)


def pick(condition: Bool[Tensor, " n"], yes: Any, no: Any) -> Any:
    """Return, row by row, ``yes`` where the condition holds and ``no`` elsewhere."""
    if isinstance(yes, Tensor):
        return torch.where(condition.reshape(-1, *[1] * (yes.dim() - 1)), yes, no)
    return type(yes)(*(pick(condition, a, b) for a, b in zip(yes, no, strict=True)))


def settle(
    live: Live, penalty: Penalty, rule: WeightRule, accuracy: Accuracy
) -> Bool[Tensor, " n"]:
    """Move images whose solve has ended to their next weight; return the finished."""
    excess, ended = solved(live, penalty, accuracy)
    if not ended.any():
        return ended
    reached = live.at.margin > SAFE_MARGIN
    live.bracket.update(live.weight, live.at.margin, excess, reached, ended)
    won = ended & reached
    live.best = pick(won, live.image, live.best)
    live.at_best = pick(won, live.at, live.at_best)
    # A failed solve may have left the goal's basin: go on from the last success.
    back = ended & ~reached & (live.bracket.success > 0)
    live.image = pick(back, live.best, live.image)
    live.at = pick(back, live.at_best, live.at)
    following = rule(live.bracket)
    over = ended & following.isnan()
    live.weight = torch.where(ended & ~over, following, live.weight)
    live.halvings = live.halvings.masked_fill(ended, 0)
    live.solving = live.solving.masked_fill(ended, 0)
    return over


def solved(
    live: Live, penalty: Penalty, accuracy: Accuracy
) -> tuple[Float[Tensor, " n"], Bool[Tensor, " n"]]:
    """Return the distance to the boundary, and whose solve has ended.

    The distance is a share of the perturbation's length, positive inside the goal. The
    projected step of the penalty alone bounds the distance to the minimiser where the
    loss is convex.
    """
    shift = live.image - live.clean
    length = shift.norm(dim=1)
    stiffness = live.weight * penalty.stiffness(length)
    pulled = torch.addcdiv(live.clean, live.at.slope, stiffness[:, None], value=-1)
    residual = (pulled.clamp_(0, 1) - live.image).norm(dim=1)
    length = length.clamp_min(SHORTEST * live.clean.shape[1] ** 0.5)
    # The loss saturates as the odds of the goal grow, the margin does not.
    saturation = -torch.expm1(-live.at.loss).clamp_max(-1e-6)
    steepness = live.at.slope.norm(dim=1) / saturation
    boundary = live.at.margin / steepness.clamp_min(1e-12)
    clear = (accuracy.clear * boundary.abs()).clamp_max(LOOSEST * length)
    converged = residual <= torch.maximum(accuracy.tolerance * length, clear)
    ended = converged | (live.halvings > MOST_HALVINGS)
    ended = ended | (live.solving >= accuracy.iterations)
    return boundary / length, ended & ~live.finished


def advance(live: Live, penalty: Penalty, at: At, slot: int) -> None:
    """Try one quasi-Newton step of every image, and keep it where it helps."""
    shift = live.image - live.clean
    length = shift.norm(dim=1)
    stiffness = live.weight * penalty.stiffness(length)
    gradient = torch.addcmul(live.at.slope, stiffness[:, None], shift)
    free = free_pixels(live.image, gradient)
    step = quasi_newton_step(gradient, free, stiffness, live.steps, live.changes, slot)
    cap = LONGEST_STEP / step.norm(dim=1).clamp_min(1e-12)
    scale = torch.minimum(0.5**live.halvings, cap)
    trial = torch.addcmul(live.image, scale[:, None], step).clamp_(0, 1)
    there = at(trial, live.wanted)
    moved = trial - live.image
    live.steps[:, slot] = moved
    live.changes[:, slot] = there.slope - live.at.slope
    before = live.weight * penalty.value(length) + live.at.loss
    after = live.weight * penalty.value((trial - live.clean).norm(dim=1)) + there.loss
    slack = SUFFICIENT_DECREASE * torch.linalg.vecdot(gradient, moved)
    accepted = after <= before + slack + ROUNDING * before.abs()
    live.image = pick(accepted, trial, live.image)
    live.at = pick(accepted, there, live.at)
    live.halvings = torch.where(accepted, 0.0, live.halvings + 1)
    busy = (~live.finished).long()
    live.solving = live.solving + busy
    live.iterations = live.iterations + busy * accepted
    live.evaluations = live.evaluations + busy
