"""How far the next step goes, and which margin it aims at."""

import numpy as np

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal.constants import (
    HALF,
    LARGEST_TARGET_MARGIN,
    LONGEST_STEP,
    LONGEST_STEP_FROM_IMAGES,
    NEAR_END,
    PATIENCE,
    PATIENCE_WITH_PLANES,
    RAISE,
    RAISE_AFTER,
    SAFE_MARGIN,
    SHORT_DISTANCE,
    TARGET_MARGIN,
    ZERO,
)


@kernel
def target_margin_after(misses, margin, logit_range):
    """Return the target margin after some misses in a row, the last with this margin.

    Curvature and nonsmooth points take from the margin what its linearisation promised.
    Where the steps shrink quickly so does that loss. Where they do not, the target
    margin has to exceed it.
    """
    least = TARGET_MARGIN * logit_range
    if misses == 0:
        return least
    factor = np.float32(2.0**misses)
    higher = max(least - RAISE * factor * min(margin, ZERO), factor * least)
    return min(higher, LARGEST_TARGET_MARGIN * logit_range)


@kernel
def adapt_target_margin(run, margin, accepted):
    """Raise the target margin where iterates near the end keep missing it.

    Args:
        run: Record of the run.
        margin: Least margin of the iterate.
        accepted: Whether a step has just been accepted.

    Returns:
        Whether it was raised after a rejection.
    """
    missed = margin <= SAFE_MARGIN * run.logit_range
    again = not accepted and missed and run.rejections == RAISE_AFTER
    near = run.residual < NEAR_END * run.length
    if again or (accepted and missed and near):
        run.misses += 1
    elif accepted:
        run.misses = 0
    if accepted or again:
        run.target_margin = target_margin_after(run.misses, margin, run.logit_range)
    return again


@kernel
def limit_step(run, gap, own):
    """Write which share of which step is tried next, and how long it may be.

    A rejected step is halved, and replaced by the projection's if that does not help.
    """
    patience = PATIENCE
    for k in range(own, len(gap)):
        if gap[k] < np.inf:
            patience = PATIENCE_WITH_PLANES
    run.straight = run.halvings >= patience
    run.step_share = HALF**run.halvings
    longest = LONGEST_STEP_FROM_IMAGES if run.start > 0 else LONGEST_STEP
    run.longest_step = longest * max(run.length, SHORT_DISTANCE)
