"""What a turn does to the pixels of each image, in torch, on any device.

Three steps: an accepted image leaves for its trial point (`leave`), the sub-problem
there is solved (`solve`), and the next trial point follows from it (`aim`).
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from intriguing.attack.minimal import curvature, projection, steps
from intriguing.attack.minimal.live import Live

try:
    from intriguing.attack.minimal import fused
except ImportError:  # numba is optional
    fused = None

GROUPS = ((0, 1), (1, 2), (2, 4), (4, 99))
"""Numbers of seats that are padded to the largest of their group in torch."""


def compiled(clean: Tensor) -> bool:
    """Return whether the compiled functions apply in place of those of torch."""
    on_cpu = clean.device.type == "cpu" and clean.dtype == torch.float32
    return fused is not None and on_cpu


def leave(live: Live, rows: Int[Tensor, " n"], before: Float[Tensor, "n k"]) -> None:
    """Go to the trial points of some rows, and begin the pair of each step.

    Args:
        live: The slots.
        rows: Those whose trial is accepted.
        before: Multipliers of the slopes that are left behind.
    """
    live.newest[rows] = (live.newest[rows] + 1) % live.steps.shape[1]
    live.pairs[rows] += 1
    step = live.trial[rows] - live.image[rows]
    seats, listed = seated(live, rows)
    weights = before.gather(1, seats)
    live.steps[rows, live.newest[rows]] = step
    pull = torch.einsum("nk,nkd->nd", weights, listed)
    live.changes[rows, live.newest[rows]] = step + pull
    live.gap[rows[:, None], seats] += torch.einsum("nkd,nd->nk", listed, step)
    live.image[rows] = live.trial[rows]


def seated(
    live: Live, rows: Int[Tensor, " n"]
) -> tuple[Int[Tensor, "n k"], Float[Tensor, "n k d"]]:
    """Return the seats that are taken in any of some rows, and their slopes.

    Where a row has fewer than others, empty seats follow, with slopes of zero.
    """
    empty = live.gap[rows].isinf()
    most = int((~empty).sum(1).max()) if len(rows) else 0
    seats = empty.to(torch.uint8).argsort(dim=1, stable=True)[:, :most]
    slopes = live.slopes[rows[:, None], seats]
    return seats, slopes.masked_fill_(empty.gather(1, seats)[:, :, None], 0)


def solve(
    live: Live,
    rows: Int[Tensor, " n"],
    before: Float[Tensor, "n k"],
) -> None:
    """Complete the pairs of some rows, and solve their sub-problems.

    Args:
        live: The slots. Multipliers are first guesses, and replaced.
        rows: Those whose sub-problem is new.
        before: Multipliers, by the present seats, of the slopes that the last step
            left behind; zero where there was no step.
    """
    if not len(rows):
        return
    taken = live.gap[rows].isfinite().sum(1)
    for least, most in GROUPS:
        some = ((taken > least) & (taken <= most)).nonzero()[:, 0]
        if len(some):
            solve_alike(live, rows[some], before[some])


def solve_alike(
    live: Live, rows: Int[Tensor, " n"], before: Float[Tensor, "n k"]
) -> None:
    """Solve the sub-problems of rows with about as many seats taken, in torch."""
    seats, listed = seated(live, rows)
    newest, place = live.newest[rows], (rows[:, None], seats)
    pull = torch.einsum("nk,nkd->nd", before.gather(1, seats), listed)
    live.changes[rows, newest] -= pull
    clean, image = live.clean[rows], live.image[rows]
    need = live.kappa[rows, None] - live.gap[place]
    point, multiplier, capped = projection.project(
        clean, image, listed, need, live.multiplier[place], live.kappa[rows]
    )
    pairs = (
        curvature.ordered(ring[rows], newest, live.pairs[rows])
        for ring in (live.steps, live.changes)
    )
    bent, bent_multiplier, sound = curvature.quasi_newton(
        clean, image, listed, need, point, multiplier, *pairs
    )
    # Across a kink there is no curvature.
    kinked = ((multiplier > 0) & (seats >= live.own)).any(1)
    take = (sound & ~capped & ~kinked)[:, None]
    live.projected[rows] = point
    live.step[rows] = torch.where(take, bent, point - image)
    live.multiplier[place] = torch.where(take, bent_multiplier, multiplier)
    live.residual[rows] = (point - image).norm(dim=1)
    live.excess[rows] = live.length[rows] - (point - clean).norm(dim=1)


def aim(
    live: Live,
    rows: Int[Tensor, " n"],
    share: Float[Tensor, " n"],
    plain: Bool[Tensor, " n"],
) -> None:
    """Write the next trial points of some rows.

    Args:
        live: The slots.
        rows: Those whose sub-problem is solved.
        share: Share of the step to be tried.
        plain: Where the projection's direction is taken instead of the step.
    """
    image = live.image[rows]
    straight = live.projected[rows] - image
    direction = torch.where(plain[:, None], straight, live.step[rows])
    longest = steps.longest_trial(live.length[rows], live.start[rows])
    live.trial[rows] = steps.trial_point(image, direction, longest, share)
