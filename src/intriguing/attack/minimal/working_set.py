"""Which classes take part: more than half of the minima are corners where several tie.

The margin of a target over a *competing class* is the target's logit less that class's.
A method that linearises the strongest competitor alone jumps from one to the other and
stalls. So every class that has a multiplier or lies within reach of the next step gets
a constraint.
"""

import numpy as np

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.cutting_planes import drop_invalid
from intriguing.attack.vectors import INFINITE, ONE, ZERO, fill, lowest, sum_by_class


@kernel
def margins_over(logits, target, competing, margins):
    """Write the target's margins, infinite for other classes; return the least."""
    least = INFINITE
    for c in range(len(logits)):
        margins[c] = logits[target] - logits[c] if competing[c] else INFINITE
        least = min(least, margins[c])
    return least


@kernel
def leave_multipliers(multiplier, classes, own, left, class_left, own_sums):
    """Write the multipliers that an accepted step leaves behind."""
    # Where a class has cutting planes only, its gradient at the iterate is unknown.
    sum_by_class(multiplier[:own], classes[:own], own_sums)
    sum_by_class(multiplier, classes, class_left)
    for c in range(len(class_left)):
        if own_sums[c] == 0:
            class_left[c] = ZERO
    for k in range(len(multiplier)):
        c = classes[k]
        share = class_left[c] / max(own_sums[c], np.float32(1e-30))
        left[k] = multiplier[k] * share if k < own else ZERO


@kernel
def reach(run):
    """Return the margin below which a class takes part."""
    share = INFINITE
    if run.iteration > 0:
        share = run.residual / max(run.length, np.float32(1e-12))
    within = const.NEAR_MARGIN + const.MARGIN_PER_STEP * share
    return run.logit_range * min(within, const.FARTHEST_MARGIN)


@kernel
def rank_classes(margins, multiplier, key):
    """Write keys by which classes take part: those with a multiplier come first."""
    # In another order equal keys would swap a binding class in and out for ever.
    for c in range(len(margins)):
        key[c] = margins[c]
        if multiplier[c] > const.NOTICEABLE:
            key[c] = min(margins[c], ZERO) - np.float32(1e4)
        elif multiplier[c] > 0:
            key[c] = margins[c] - np.float32(1e3)


@kernel
def choose_classes(key, most, classes):
    """Write the classes of lowest key, at least one; return how many take part."""
    for k in range(len(classes)):
        classes[k] = lowest(key)
        if k > 0 and not key[classes[k]] < most:
            return k
        key[classes[k]] = INFINITE
    return len(classes)


@kernel
def choose_constraints(
    run, margins, classes, gap, multiplier, left, class_left, own, sums
):
    """Choose the constraints anew; ``left`` is written by their slots."""
    total, of_planes, key = sums[0], sums[1], sums[2]
    sum_by_class(multiplier, classes, total)
    drop_invalid(run, margins, classes, gap, multiplier, own)
    sum_by_class(multiplier, classes, of_planes)
    rank_classes(margins, total, key)
    used = choose_classes(key, reach(run), classes[:own])
    fill(left, ZERO)
    for k in range(used):
        c = classes[k]
        gap[k], multiplier[k] = margins[c], total[c] - of_planes[c]
        left[k] = class_left[c] if gap[k] < np.inf else ZERO


@kernel
def weigh_margin(target, competing, weights):
    """Write the weights of the logits in the margin of a target over a class."""
    fill(weights, ZERO)
    weights[target], weights[competing] = ONE, -ONE
