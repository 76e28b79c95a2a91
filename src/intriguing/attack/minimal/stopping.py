"""When a run ends, and what is kept of it."""

import numpy as np

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.feasibility import diverges_beyond
from intriguing.attack.vectors import HALF, INFINITE, ONE, ZERO, sum_by_class


@kernel
def has_converged(run, margin, settings):
    """Return whether the iterate is stationary, and hardly below a success."""
    # At nonsmooth points iterates may miss the margin for ever, by hardly anything.
    stationary = run.residual < settings.tolerance * run.length + np.float32(1e-12)
    least = run.length - run.decrease
    most = least + settings.decrease * run.length + np.float32(1e-6)
    here = run.length < most and margin > const.SAFE_MARGIN * run.logit_range
    best = run.best_length < most and run.stalled >= const.BEST_COUNTS_AFTER
    return stationary and (here or best)


@kernel
def has_stalled(run, settings):
    """Return whether a run makes no progress, or has reached a limit."""
    near = run.best_length < const.STALLED_WITHIN * run.length
    stalled = run.stalled > const.MOST_STALLED and near
    tired = run.rejections > const.MOST_REJECTIONS
    return stalled or tired or run.iteration > settings.iterations


@kernel
def stays_above(run):
    """Return whether a run will not come below the best length known."""
    saved = max(run.decrease, run.residual * run.residual / run.length)
    fall = min(const.FALL_PER_STEP * run.residual, const.FALL_PER_DECREASE * saved)
    above = run.length - fall > (ONE + const.SAME) * run.known_length
    near = run.residual < HALF * run.length
    return above and near and run.iteration >= const.PRUNED_FROM


@kernel
def has_diverged(run, competing):
    """Return whether a feasibility phase is too far for a minimum nearby to be best."""
    return run.candidate_length > const.DIVERGED * diverges_beyond(run, competing)


@kernel
def repeats_best(run, settings):
    """Return whether a run is so close to the best image that it must end there."""
    shorter = run.best_length < (ONE - settings.decrease) * run.known_length
    if run.known_length == np.inf or shorter:
        return False
    return run.best_distance < const.BASIN * run.length


@kernel
def may_restart(run):
    """Return whether a run was shorter than all known, and may go back there once."""
    return run.restarts == 0 and run.best_length < (ONE - const.SAME) * run.known_length


@kernel
def restart(run, gap, multiplier):
    """Begin once more at the shortest success of a run, with its penalty parameter."""
    # The penalty was too low when the success was left: iterates missed the margin.
    for k in range(len(gap)):
        gap[k], multiplier[k] = INFINITE, ZERO
    run.rejections = run.halvings = run.planes = run.misses = 0
    run.pairs = run.stalled = 0
    run.restarts += 1
    run.length, run.candidate_length = INFINITE, run.best_length
    run.restarting = True


@kernel
def hits_after(hits, known, length):
    """Return how often the best length is known after a run with this length."""
    if length < known * (ONE - const.SAME):
        return 1
    same = length <= known * (ONE + const.SAME) and known < np.inf
    return hits + 1 if same else hits


@kernel
def count_tied(class_multipliers):
    """Return how many classes tie with the target, and the multipliers' sum."""
    largest, total, tied = ZERO, ZERO, 0
    for c in range(len(class_multipliers)):
        largest = max(largest, class_multipliers[c])
        total += class_multipliers[c]
    for c in range(len(class_multipliers)):
        tied += class_multipliers[c] > const.TIED * largest
    return tied, total


@kernel
def enter(run, result, length, converged, multiplier, classes, sums):
    """Enter the outcome of a run in the result of its image."""
    # A known image is no hit, as it may lie in a poor basin.
    result.iterations += run.iterations
    result.evaluations += run.evaluations
    result.gradients += run.gradients
    hits = hits_after(result.hits, result.length, length)
    result.hits = 0 if run.start == const.KNOWN else hits
    if length < result.length * (ONE - const.SAME):
        result.start = run.start
    run.improves, run.vacant = length < result.length, True
    if run.improves:
        result.target, result.length, result.converged = run.target, length, converged
        sum_by_class(multiplier, classes, sums)
        result.tied, result.multiplier_sum = count_tied(sums)


@kernel
def ends(run, competing, margin, settings):
    """Return whether a run ends, converged, and at the best image known."""
    if run.feasibility:
        return has_diverged(run, competing), False, False
    converged = has_converged(run, margin, settings)
    repeats = repeats_best(run, settings)
    over = converged or repeats or has_stalled(run, settings) or stays_above(run)
    return over, converged, repeats
