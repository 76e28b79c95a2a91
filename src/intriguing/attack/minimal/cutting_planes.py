"""Cutting planes: linearisations elsewhere that bound the margin at nonsmooth points.

A minimum may lie where the gradient of a margin jumps, as with ReLU. The gradient at
the iterate belongs to one side of that point. A linearisation at a rejected candidate
belongs to the other side, and both together hold the iterate there.
"""

import numpy as np

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.vectors import ZERO


@kernel
def adds_plane_after(run, nonsmooth):
    """Return whether a cutting plane follows the last rejection of a run."""
    # A plane that is not violated at the candidate would change nothing there.
    first = const.PLANES_FROM_NONSMOOTH if nonsmooth else const.PLANES_FROM
    in_time = first <= run.rejections <= const.PLANES_TO
    return in_time and run.candidate_margin < run.target_margin


@kernel
def next_slot(run, gap, multiplier, own):
    """Return a slot that is empty, or does not bind, or the next in turn."""
    slots = len(gap)
    for k in range(own, slots):
        if gap[k] == np.inf:
            return k
    for k in range(own, slots):
        if multiplier[k] == 0:
            return k
    return slots - 1 - run.planes % (slots - own)


@kernel
def add_plane(run, classes, gap, multiplier, own, entry):
    """Enter a cutting plane in the next slot, and return this slot."""
    slot = next_slot(run, gap, multiplier, own)
    classes[slot], gap[slot], multiplier[slot] = entry
    run.planes += 1
    return slot


@kernel
def add_rejected(run, margins, classes, gap, multiplier, own):
    """Add the linearisation at a rejected candidate; return whether that matters."""
    # A plane that the projection satisfies would not move it: the candidate returns.
    value = run.candidate_margin + run.plane_back
    run.plane_slot = -1
    if not value >= margins[run.plane_class] - const.PLANE_SLACK * run.logit_range:
        return False
    if not value + run.plane_ahead < run.target_margin:
        return False
    entry = (run.plane_class, value, ZERO)
    run.plane_slot = add_plane(run, classes, gap, multiplier, own, entry)
    return True


@kernel
def keep_gradients(run, classes, gap, multiplier, source, own, nonsmooth):
    """Make cutting planes of the gradients that a step leaves behind."""
    near = nonsmooth and run.residual < const.KEEP_GRADIENTS_WITHIN * run.length
    if run.planes < const.KEEP_GRADIENTS_FROM and not near:
        return
    for k in range(own):
        if gap[k] < np.inf and multiplier[k] > 0:
            entry = (classes[k], gap[k], const.TRACE_MULTIPLIER)
            source[add_plane(run, classes, gap, multiplier, own, entry)] = k


@kernel
def drop_invalid(run, margins, classes, gap, multiplier, own):
    """Empty the slots of the working set, and those of planes that no longer hold."""
    for k in range(len(gap)):
        least = margins[classes[k]] - const.PLANE_SLACK * run.logit_range
        holds = multiplier[k] > 0 and gap[k] >= least and gap[k] < np.inf
        if k < own or not holds:
            gap[k], multiplier[k] = np.float32(np.inf), ZERO
