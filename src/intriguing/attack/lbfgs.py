"""The paper's attack in batches: projected L-BFGS.

It minimises ``c * penalty(|r|) + loss(x + r)`` over the box [0, 1], and searches for
the largest weight c whose minimiser is in a target class. Each image has its own
weight, curvature pairs and step size. One iteration is one forward and one backward
pass for all images whose search has not ended. An image that has converged continues
with its next weight at once, and leaves the batch when its search ends.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from intriguing.attack.candidate import next_candidate
from intriguing.attack.objective import (
    Evaluation,
    Penalty,
    evaluate,
    penalty_named,
    safe_margins,
)
from intriguing.attack.state import (
    Evaluate,
    LbfgsResult,
    SearchState,
    best_start,
    copy_rows,
    failed_result,
    initial_state,
    select_rows,
    shorter,
    where_rows,
    write_finished,
)
from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.attack.watch import Watch
from intriguing.attack.weights import (
    BestStart,
    Refinement,
    initial_weights,
    weights_against_best,
)
from intriguing.errors import InputError

SUFFICIENT_DECREASE = 1e-4
"""Constant of Armijo's condition."""
ROUNDING = 2e-7
"""Relative rounding error of the objective in float32."""
MAX_BACKTRACKS = 8
CHECK_INTERVAL = 6
"""Evaluations between two checks of the objective's decrease. At the nonsmooth points
of ReLU and max-pooling the gradient does not vanish at the minimiser."""
MAX_SHARE = 0.02
"""Cap on the distance to the minimiser that `Accuracy.boundary_share` allows, as a
share of the perturbation's length."""
MIN_DISTORTION = 1e-3
"""Distortion below which tolerances no longer shrink with the perturbation."""
PACKING_SHARE = 0.15
"""Share of finished images at which their rows are removed, which copies the batch."""

BATCH, BATCH_VALUES = 1024, 2**22
"""Most images minimised at once, and most pixels of them, which bounds the memory."""
FIRST_WEIGHTS = (1.0, 0.1, 0.01, 4.0)
"""First weight of each start, as a multiple of an estimate."""


class Accuracy(NamedTuple):
    """Stopping criteria of the minimisation at one weight.

    Attributes:
        tolerance: Distance to the minimiser, as a share of the perturbation's length.
        decrease: Least relative decrease of the objective over `CHECK_INTERVAL`
            evaluations. With 0 only an increase ends the minimisation.
        boundary_share: Distance to the minimiser, as a share of the distance to the
            decision boundary: the side on which the minimiser lies is then known. 0
            turns this criterion off.
        memory: Curvature pairs kept.
        iterations: Cap on the evaluations at one weight.
    """

    tolerance: float = 2e-3
    decrease: float = 3e-4
    boundary_share: float = 0.1
    memory: int = 10
    iterations: int = 100


DEFAULT, REFINED = Accuracy(), Refinement()


def lbfgs_from_starts(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    *,
    starts: int | None = None,
    tolerance: float = DEFAULT.tolerance,
    iterations: int = DEFAULT.iterations,
    norm: str = "squared",
    first_weights: Sequence[float] = FIRST_WEIGHTS,
    weights: Float[Tensor, " n"] | None = None,
    rule: Refinement = REFINED,
    decrease: float = DEFAULT.decrease,
    boundary_share: float = DEFAULT.boundary_share,
    watch: Watch | None = None,
) -> LbfgsResult:
    """Return the shortest minimiser of all starts, in batches.

    Args:
        model: Classifier from pixels to logits.
        images: Clean images.
        target_mask: Classes that count as success.
        starts: How many of the ``first_weights`` are tried, if not all.
        tolerance: As in `Accuracy`.
        iterations: As in `Accuracy`.
        norm: Penalty on the perturbation, its ``squared`` or ``plain`` length.
        first_weights: Initial weights, as multiples of an estimate. Networks trained
            to zero error have several minima: a large weight finds those near the
            clean image, a small one those where the loss is least; from a weight that
            is too large the search follows the minimiser away from the image.
        weights: Initial weight of each image, instead of ``first_weights``.
        rule: The search for the weight.
        decrease: As in `Accuracy`.
        boundary_share: As in `Accuracy`.
        watch: Ends the attack early.

    Raises:
        InputError: The norm is unknown, or there are fewer first weights than starts.
    """
    if starts is not None and starts > len(first_weights):
        raise InputError(f"starts = {starts}: `lbfgs` has {len(first_weights)} starts")
    penalty, watch = penalty_named(norm), watch or Watch()
    accuracy = Accuracy(tolerance, decrease, boundary_share, iterations=iterations)
    firsts = list(first_weights)[:starts] if weights is None else [weights]
    results, size = [], max(1, min(BATCH, BATCH_VALUES // images[0].numel()))
    watch.parts = len(firsts)
    for rows in torch.arange(len(images), device=images.device).split(size):
        clean, mask, best = images[rows], target_mask[rows], None
        least = safe_margins(model, clean)
        for number, first in enumerate(firsts):
            if best is not None and watch.is_over():
                break
            first = first[rows] if isinstance(first, Tensor) else first
            problem = model, clean, mask, least, penalty, rule, first, accuracy
            known = best and best_start(best, clean.flatten(1))
            result = search(*problem, known, watch)
            result = result._replace(start=torch.full_like(rows, number))
            best = shorter(best, result, clean.flatten(1)) if best else result
        results.append(best)
    return LbfgsResult(*(torch.cat(field) for field in zip(*results, strict=True)))


@subnormals_as_zero()
def search(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    safe_margin: Float[Tensor, " n"],
    penalty: Penalty,
    rule: Refinement = REFINED,
    first: float | Float[Tensor, " n"] = 1.0,
    accuracy: Accuracy = DEFAULT,
    best: BestStart | None = None,
    watch: Watch | None = None,
) -> LbfgsResult:
    """Return the minimiser at the largest successful weight, from one start."""
    shape = clean.shape[1:]

    def evaluate_flat(points: Tensor, target_mask: Tensor) -> Evaluation:
        return evaluate(model, points.reshape(-1, *shape), target_mask)

    problem = clean.flatten(1), target_mask, safe_margin
    state = initial_state(*problem, evaluate_flat, accuracy.memory)
    estimate = initial_weights(state.current, penalty)
    state.weight = first if isinstance(first, Tensor) else first * estimate
    state.best_start = best or state.best_start
    result, watch = failed_result(state), watch or Watch()
    oldest = 0
    while True:
        state.finished = state.finished | update_weights(state, penalty, rule, accuracy)
        converged = state.finished & (state.bracket.tried < rule.max_weights)
        if watch.is_over():
            keep_present_success(state)
            state.finished = torch.ones_like(state.finished)
        finished = int(state.finished.sum())
        if finished > PACKING_SHARE * len(state.finished):
            write_finished(state, result, converged)
            watch.advance(finished)
            if finished == len(state.finished):
                return result
            state = select_rows(state, ~state.finished)
        line_search_step(state, penalty, evaluate_flat, oldest)
        oldest = (oldest + 1) % accuracy.memory


def keep_present_success(state: SearchState) -> None:
    """Take iterates that are in a target class as results where there are none."""
    safe = state.current.margin > state.safe_margin
    success = (state.bracket.success == 0) & safe
    copy_rows(state.current, state.best, success.nonzero()[:, 0])
    state.bracket.success = torch.where(success, state.weight, state.bracket.success)


def update_weights(
    state: SearchState, penalty: Penalty, rule: Refinement, accuracy: Accuracy
) -> Bool[Tensor, " n"]:
    """Set the next weight of each minimisation that has ended; return the finished."""
    length = state.length
    distance, ended = has_converged(state, length, penalty, accuracy)
    ended = (ended | has_stalled(state, length, penalty, accuracy)) & ~state.finished
    if not ended.any():
        return ended
    margin = state.current.margin
    success = margin > state.safe_margin
    state.bracket.update(state.weight, margin, length, distance, success, ended)
    won = (ended & success).nonzero()[:, 0]
    copy_rows(state.current, state.best, won)
    state.capped[won] = state.solve_evaluations[won] >= accuracy.iterations
    # A failure may lie outside the target's basin: continue from the last success.
    back = (ended & ~success & (state.bracket.success > 0)).nonzero()[:, 0]
    copy_rows(state.best, state.current, back)
    weight = rule.next_weights(state.bracket)
    weight = weights_against_best(state.bracket, weight, state.best_start)
    finished = ended & weight.isnan()
    state.weight = torch.where(ended & ~finished, weight, state.weight)
    state.backtracks = state.backtracks.masked_fill(ended, 0)
    state.solve_evaluations = state.solve_evaluations.masked_fill(ended, 0)
    state.checked_objective = state.checked_objective.masked_fill(ended, torch.inf)
    return finished


def has_converged(
    state: SearchState,
    length: Float[Tensor, " n"],
    penalty: Penalty,
    accuracy: Accuracy,
) -> tuple[Float[Tensor, " n"], Bool[Tensor, " n"]]:
    """Return the distances to the decision boundary, and which minimisations end.

    The distance is relative to the perturbation's length, and positive in the target
    classes. The projected gradient step, with the penalty's curvature as the Hessian,
    bounds the distance to the minimiser where the loss is convex.
    """
    gradient = state.current.gradient
    curvature = state.weight * penalty.curvature(length)
    stationary = torch.addcdiv(state.clean, gradient, curvature[:, None], value=-1)
    residual = (stationary.clamp_(0, 1) - state.current.image).norm(dim=1)
    length = length.clamp_min(MIN_DISTORTION * state.clean.shape[1] ** 0.5)
    # The gradient of the loss is that of the margin times 1 - exp(-loss).
    saturation = -torch.expm1(-state.current.loss).clamp_max(-1e-6)
    gradient_norm = gradient.norm(dim=1) / saturation
    distance = state.current.margin / gradient_norm.clamp_min(1e-12)
    allowed = (accuracy.boundary_share * distance.abs()).clamp_max(MAX_SHARE * length)
    ended = residual <= torch.maximum(accuracy.tolerance * length, allowed)
    ended = ended | (state.backtracks > MAX_BACKTRACKS)
    ended = ended | (state.solve_evaluations >= accuracy.iterations)
    return distance / length, ended


def has_stalled(
    state: SearchState,
    length: Float[Tensor, " n"],
    penalty: Penalty,
    accuracy: Accuracy,
) -> Bool[Tensor, " n"]:
    """Return where the objective hardly decreased since the last check."""
    objective = state.weight * penalty.value(length) + state.current.loss
    count = state.solve_evaluations
    check = (count > 0) & (count % CHECK_INTERVAL == 0)
    decrease = state.checked_objective - objective
    state.checked_objective = torch.where(check, objective, state.checked_objective)
    return check & (decrease < accuracy.decrease * objective)


def line_search_step(
    state: SearchState, penalty: Penalty, evaluate: Evaluate, oldest: int
) -> None:
    """Evaluate one candidate of each image; accept it or backtrack."""
    length = state.length
    curvature = state.weight * penalty.curvature(length)
    candidate = next_candidate(state, curvature, oldest)
    there = evaluate(candidate.image, state.target_mask)
    torch.sub(there.gradient, state.current.gradient, out=state.changes[:, oldest])
    before = state.weight * penalty.value(length) + state.current.loss
    after = state.weight * penalty.value(candidate.length) + there.loss
    bound = before + SUFFICIENT_DECREASE * candidate.descent
    accepted = after <= bound + ROUNDING * before.abs()
    state.current = where_rows(accepted, there, state.current)
    state.backtracks = torch.where(accepted, 0.0, state.backtracks + 1)
    active = (~state.finished).long()
    state.solve_evaluations = state.solve_evaluations + active
    state.iterations = state.iterations + active * accepted
    state.evaluations = state.evaluations + active
