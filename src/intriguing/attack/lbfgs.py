"""The paper's attack for thousands of images at once: projected L-BFGS, batched.

Every image is a problem of its own with its own weight, curvature and step length.
One turn of the loop is one forward and one backward of the network for all images that
are not finished yet; an image that has solved its problem takes its next weight at
once, without waiting for the others, and leaves when its search ends.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from intriguing.attack.live import (
    At,
    Found,
    Live,
    begin,
    copy_rows,
    nothing_found,
    pick,
    record,
    rows_of,
)
from intriguing.attack.objective import Evaluation, Penalty, evaluate
from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.attack.trial import next_trial
from intriguing.attack.weights import Rival, WeightRule, contest, first_weights

SAFE_MARGIN = 1e-4
"""Margin in logits that counts as success: the prediction then survives another
order of summation, which a mere tie does not."""

SUFFICIENT_DECREASE = 1e-4
ROUNDING = 2e-7
"""Relative noise of a float32 objective; smaller increases are not seen as such."""
MOST_HALVINGS = 8
LOOKS = 6
"""Trials after which to look whether the objective still falls. At the kinks of ReLU
and max-pooling the gradient never tells that the end is near."""
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
        little: Fall of the objective, as a share of it, that over `LOOKS` trials is too
            little to go on. With 0 only a rise is, which rounding may bring.
        clear: A solve may stop earlier, once that distance is this share of the one to
            the decision boundary: on which side it ends is then clear. 0 for never.
        memory: Curvature pairs kept.
        iterations: Cap on the steps of one solve.
    """

    tolerance: float = 2e-3
    little: float = 3e-4
    clear: float = 0.1
    memory: int = 10
    iterations: int = 100


DEFAULT = Accuracy()


@subnormals_as_zero()
def search(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    wanted: Bool[Tensor, "n classes"],
    penalty: Penalty,
    rule: WeightRule,
    first: float | Float[Tensor, " n"] = 1.0,
    accuracy: Accuracy = DEFAULT,
    rival: Rival | None = None,
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
        rival: The best of other starts; a search that cannot beat it ends early.
    """
    shape = clean.shape[1:]

    def at(points: Tensor, goal: Tensor) -> Evaluation:
        value = evaluate(model, points.reshape(-1, *shape), goal)
        return value._replace(slope=value.slope.flatten(1))

    live = begin(clean.flatten(1), wanted, at, accuracy.memory)
    scale = first_weights(live.at, live.clean, penalty)
    live.weight = first if isinstance(first, Tensor) else first * scale
    live.rival = rival or live.rival
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


def settle(
    live: Live, penalty: Penalty, rule: WeightRule, accuracy: Accuracy
) -> Bool[Tensor, " n"]:
    """Move images whose solve has ended to their next weight; return the finished."""
    length = (live.image - live.clean).norm(dim=1)
    excess, ended = solved(live, length, penalty, accuracy)
    ended = (ended | stalls(live, length, penalty, accuracy)) & ~live.finished
    if not ended.any():
        return ended
    reached = live.at.margin > SAFE_MARGIN
    facts = (live.weight, live.at.margin, length, excess)
    live.bracket.update(*facts, reached, ended)
    won = (ended & reached).nonzero()[:, 0]
    copy_rows(live.image, live.best, won)
    copy_rows(live.at, live.at_best, won)
    # A failed solve may have left the goal's basin: go on from the last success.
    back = (ended & ~reached & (live.bracket.success > 0)).nonzero()[:, 0]
    copy_rows(live.best, live.image, back)
    copy_rows(live.at_best, live.at, back)
    following = contest(live.bracket, rule(live.bracket), live.rival)
    over = ended & following.isnan()
    live.weight = torch.where(ended & ~over, following, live.weight)
    live.halvings = live.halvings.masked_fill(ended, 0)
    live.solving = live.solving.masked_fill(ended, 0)
    live.mark = live.mark.masked_fill(ended, torch.inf)
    return over


def solved(
    live: Live, length: Float[Tensor, " n"], penalty: Penalty, accuracy: Accuracy
) -> tuple[Float[Tensor, " n"], Bool[Tensor, " n"]]:
    """Return the distance to the boundary, and whose solve has ended.

    The distance is a share of the perturbation's length, positive inside the goal. The
    projected step of the penalty alone bounds the distance to the minimiser where the
    loss is convex.
    """
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
    return boundary / length, ended


def stalls(
    live: Live, length: Float[Tensor, " n"], penalty: Penalty, accuracy: Accuracy
) -> Bool[Tensor, " n"]:
    """Return whose objective hardly falls any more; look every few trials."""
    value = live.weight * penalty.value(length) + live.at.loss
    look = (live.solving > 0) & (live.solving % LOOKS == 0)
    little = look & (live.mark - value < accuracy.little * value)
    live.mark = torch.where(look, value, live.mark)
    return little


def advance(live: Live, penalty: Penalty, at: At, slot: int) -> None:
    """Try one quasi-Newton step of every image, and keep it where it helps."""
    length = (live.image - live.clean).norm(dim=1)
    stiffness = live.weight * penalty.stiffness(length)
    here = (live.image, live.clean, live.at.slope, stiffness, live.halvings)
    trial = next_trial(*here, live.steps, live.changes, slot)
    there = at(trial.point, live.wanted)
    torch.sub(there.slope, live.at.slope, out=live.changes[:, slot])
    before = live.weight * penalty.value(length) + live.at.loss
    after = live.weight * penalty.value(trial.length) + there.loss
    slack = SUFFICIENT_DECREASE * trial.descent
    accepted = after <= before + slack + ROUNDING * before.abs()
    live.image = pick(accepted, trial.point, live.image)
    live.at = pick(accepted, there, live.at)
    live.halvings = torch.where(accepted, 0.0, live.halvings + 1)
    busy = (~live.finished).long()
    live.solving = live.solving + busy
    live.iterations = live.iterations + busy * accepted
    live.evaluations = live.evaluations + busy
