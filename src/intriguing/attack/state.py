"""State and result of a batch of L-BFGS searches, one row an image."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.objective import Evaluation
from intriguing.attack.weights import BestStart, Bracket

Evaluate = Callable[[Tensor, Tensor], Evaluation]
"""Evaluates flattened images for a mask of target classes."""


@dataclass
class SearchState:
    """The searches that have not ended; every field has one row an image.

    Attributes:
        row: Index of the image in the whole batch.
        clean: Unperturbed pixels.
        target_mask: Classes that count as success.
        safe_margin: Margin above which they do.
        weight: Present weight c of the penalty.
        bracket: What is known of the largest successful weight.
        best_start: The best result of the earlier starts.
        current: Accepted iterate.
        best: Minimiser at the largest successful weight.
        steps: Last steps, a ring buffer over the second axis.
        changes: Change of the loss gradient over each step. The penalty's curvature is
            known and left out, so that the pairs hold for every weight.
        backtracks: How often the present step has been halved.
        solve_evaluations: Candidates evaluated at the present weight.
        checked_objective: Objective at the last check for a stall.
        iterations: Accepted steps so far.
        evaluations: Forward and backward passes so far.
        capped: Whether the minimisation that gave ``best`` ran out of evaluations.
        finished: Whether the search has ended; the row is removed later.
    """

    row: Int[Tensor, " n"]
    clean: Float[Tensor, "n d"]
    target_mask: Bool[Tensor, "n classes"]
    safe_margin: Float[Tensor, " n"]
    weight: Float[Tensor, " n"]
    bracket: Bracket
    best_start: BestStart
    current: Evaluation
    best: Evaluation
    steps: Float[Tensor, "n m d"]
    changes: Float[Tensor, "n m d"]
    backtracks: Float[Tensor, " n"]
    solve_evaluations: Int[Tensor, " n"]
    checked_objective: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    capped: Bool[Tensor, " n"]
    finished: Bool[Tensor, " n"]

    @property
    def length(self) -> Float[Tensor, " n"]:
        """L2 length of the present perturbation."""
        return (self.current.image - self.clean).norm(dim=1)


class LbfgsResult(NamedTuple):
    """Outcome of a search, one row an image.

    Attributes:
        image: Minimiser at the largest successful weight; the clean image if none.
        success: Whether any weight succeeded.
        weight: That weight, or the last one tried.
        iterations: Accepted quasi-Newton steps, over all weights.
        evaluations: Forward passes, over all weights.
        gradients: Backward passes, over all weights.
        start: Number of the start.
        converged: Whether the search ended by its tolerances.
    """

    image: Float[Tensor, "n d"]
    success: Bool[Tensor, " n"]
    weight: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    gradients: Int[Tensor, " n"]
    start: Int[Tensor, " n"]
    converged: Bool[Tensor, " n"]


def initial_state(
    clean: Float[Tensor, "n d"],
    target_mask: Bool[Tensor, "n classes"],
    safe_margin: Float[Tensor, " n"],
    evaluate: Evaluate,
    memory: int,
) -> SearchState:
    """Return the state of searches that start at the clean images."""
    start = evaluate(clean, target_mask)
    zero = torch.zeros_like(start.loss)
    none = torch.zeros(len(clean), dtype=torch.int64, device=clean.device)
    pairs = clean.new_zeros(len(clean), memory, clean.shape[1])
    return SearchState(
        row=torch.arange(len(clean), device=clean.device),
        clean=clean,
        target_mask=target_mask,
        safe_margin=safe_margin,
        weight=zero,
        bracket=Bracket.unknown(zero),
        best_start=BestStart(zero + torch.inf, zero + torch.inf),
        current=Evaluation(*(part.clone() for part in start)),
        best=Evaluation(*(part.clone() for part in start)),
        steps=pairs,
        changes=pairs.clone(),
        backtracks=zero,
        solve_evaluations=none,
        checked_objective=zero + torch.inf,
        iterations=none,
        evaluations=none + 1,
        capped=none.bool(),
        finished=none.bool(),
    )


def failed_result(state: SearchState) -> LbfgsResult:
    """Return the result in which every search has failed."""
    none = torch.zeros_like(state.row)
    weight = torch.full_like(state.weight, torch.nan)
    clean = state.clean.clone()
    counts = none.clone(), none.clone(), none.clone(), none.clone()
    return LbfgsResult(clean, none.bool(), weight, *counts, none.bool())


def write_finished(
    state: SearchState, result: LbfgsResult, converged: Bool[Tensor, " n"]
) -> None:
    """Write the outcome of the finished searches to their rows of the result."""
    done = state.finished
    rows, weight = state.row[done], state.bracket.success[done]
    result.image[rows] = state.best.image[done]
    result.success[rows] = weight > 0
    result.weight[rows] = torch.where(weight > 0, weight, state.weight[done])
    result.iterations[rows] = state.iterations[done]
    result.evaluations[rows] = result.gradients[rows] = state.evaluations[done]
    result.converged[rows] = (converged & ~state.capped)[done]


def select_rows(value: Any, chosen: Bool[Tensor, " n"]) -> Any:
    """Return the chosen rows of a tensor, or of every tensor of a record."""
    if isinstance(value, Tensor):
        return value[chosen]
    if isinstance(value, tuple):
        return type(value)(*(select_rows(part, chosen) for part in value))
    parts = {f.name: select_rows(getattr(value, f.name), chosen) for f in fields(value)}
    return type(value)(**parts)


def where_rows(condition: Bool[Tensor, " n"], yes: Any, no: Any) -> Any:
    """Return the rows of ``yes`` where the condition holds, else those of ``no``."""
    if isinstance(yes, Tensor):
        return torch.where(condition.reshape(-1, *[1] * (yes.dim() - 1)), yes, no)
    pairs = zip(yes, no, strict=True)
    return type(yes)(*(where_rows(condition, *pair) for pair in pairs))


def copy_rows(source: Any, target: Any, rows: Int[Tensor, " n"]) -> None:
    """Copy some rows of a tensor, or of every tensor of a record, in place."""
    if isinstance(source, Tensor):
        target.index_copy_(0, rows, source.index_select(0, rows))
        return
    for source_part, target_part in zip(source, target, strict=True):
        copy_rows(source_part, target_part, rows)


def best_start(best: LbfgsResult, clean: Float[Tensor, "n d"]) -> BestStart:
    """Return the weight and length of each success."""
    length = (best.image - clean).norm(dim=1)
    return BestStart(
        best.weight.masked_fill(~best.success, torch.inf),
        length.masked_fill(~best.success, torch.inf),
    )


def shorter(
    best: LbfgsResult, result: LbfgsResult, clean: Float[Tensor, "n d"]
) -> LbfgsResult:
    """Return the shorter success of each image, with the passes of both."""
    nearer = (result.image - clean).norm(dim=1) < (best.image - clean).norm(dim=1)
    won = result.success & (nearer | ~best.success)
    return where_rows(won, result, best)._replace(
        iterations=best.iterations + result.iterations,
        evaluations=best.evaluations + result.evaluations,
        gradients=best.gradients + result.gradients,
    )
