"""The state of a batch of searches: what is known of each image, one row an image."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.objective import Evaluation
from intriguing.attack.weights import Bracket, Rival

At = Callable[[Tensor, Tensor], Evaluation]
"""The network at points, for the classes wanted of each."""


@dataclass
class Live:
    """The images being worked on; every field has one row an image.

    Attributes:
        row: Index of the image in the whole batch.
        clean: Unperturbed pixels.
        wanted: Classes that count as success.
        weight: Weight c of the problem being solved.
        bracket: What is known of the largest successful weight.
        rival: The best of the starts before this one.
        image: Accepted iterate.
        at: The network there.
        best: Minimiser at the largest successful weight.
        at_best: The network there.
        steps: Last trial steps, a ring over the second axis.
        changes: Change of the loss gradient over each step. The penalty is left out:
            its curvature is known, so that pairs stay true when the weight changes.
        halvings: How often the present step has been halved.
        solving: Trial steps of the present solve.
        mark: Its objective when it was last looked at.
        iterations: Accepted steps so far.
        evaluations: Forward and backward passes so far.
        finished: Whether the search has ended; the row waits to be packed away.
    """

    row: Int[Tensor, " n"]
    clean: Float[Tensor, "n d"]
    wanted: Bool[Tensor, "n classes"]
    weight: Float[Tensor, " n"]
    bracket: Bracket
    rival: Rival
    image: Float[Tensor, "n d"]
    at: Evaluation
    best: Float[Tensor, "n d"]
    at_best: Evaluation
    steps: Float[Tensor, "n m d"]
    changes: Float[Tensor, "n m d"]
    halvings: Float[Tensor, " n"]
    solving: Int[Tensor, " n"]
    mark: Float[Tensor, " n"]
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
        start: Which of several starts this is.
    """

    image: Float[Tensor, "n d"]
    success: Bool[Tensor, " n"]
    weight: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    start: Int[Tensor, " n"]


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
        rival=Rival(zero + torch.inf, zero + torch.inf),
        image=clean.clone(),
        at=here,
        best=clean.clone(),
        at_best=Evaluation(*(part.clone() for part in here)),
        steps=pairs,
        changes=pairs.clone(),
        halvings=zero,
        solving=none,
        mark=zero + torch.inf,
        iterations=none,
        evaluations=none + 1,
        finished=none.bool(),
    )


def nothing_found(live: Live) -> Found:
    """Return the outcome to be filled in, as if every image had failed."""
    none = torch.zeros_like(live.row)
    weight = torch.full_like(live.weight, torch.nan)
    return Found(live.clean.clone(), none.bool(), weight, none, none.clone(), none)


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


def copy_rows(source: Any, target: Any, rows: Int[Tensor, " n"]) -> None:
    """Copy some rows of a tensor, or of every tensor of a record, in place."""
    if isinstance(source, Tensor):
        target.index_copy_(0, rows, source.index_select(0, rows))
        return
    for part, place in zip(source, target, strict=True):
        copy_rows(part, place, rows)
