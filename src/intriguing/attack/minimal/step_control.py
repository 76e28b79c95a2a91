"""How far the next step goes, and which margin it aims at."""

import math

import numpy as np

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.acceptance import ACCEPTED
from intriguing.attack.vectors import ZERO


@kernel
def target_margin_after(misses, margin, logit_range):
    """Return the target margin after misses in a row, the last with this margin."""
    # Curvature and nonsmooth points take from the margin what linearisation promised.
    least = const.TARGET_MARGIN * logit_range
    if misses == 0:
        return least
    factor = np.float32(math.ldexp(1.0, misses))
    higher = max(least - const.RAISE * factor * min(margin, ZERO), factor * least)
    return min(higher, const.LARGEST_TARGET_MARGIN * logit_range)


@kernel
def adapt_target_margin(run, margin):
    """Raise the target margin where iterates miss it; say if after a rejection."""
    accepted = run.verdict == ACCEPTED
    missed = margin <= const.SAFE_MARGIN * run.logit_range
    again = not accepted and missed and run.rejections == const.RAISE_AFTER
    near = run.residual < const.NEAR_END * run.length
    if again or (accepted and missed and near):
        run.misses += 1
    elif accepted:
        run.misses = 0
    if accepted or again:
        run.target_margin = target_margin_after(run.misses, margin, run.logit_range)
    return again


@kernel
def limit_step(run, gap, own):
    """Write which share of which step is tried next, and how long it may be."""
    patience = const.PATIENCE
    for k in range(own, len(gap)):
        if gap[k] < np.inf:
            patience = const.PATIENCE_WITH_PLANES
    run.straight = run.halvings >= patience
    run.step_share = math.ldexp(1.0, -run.halvings)
    longest = const.LONGEST_STEP_FROM_IMAGES if run.start > 0 else const.LONGEST_STEP
    run.longest_step = longest * max(run.length, const.SHORT_DISTANCE)
