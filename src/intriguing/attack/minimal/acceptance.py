"""Whether a candidate becomes the next iterate.

A candidate costs one forward pass. It is accepted where the merit

    ‖x - clean‖² / 2 + μ · max(κ - margin, 0)

does not grow, with the target margin κ. The penalty parameter μ exceeds the sum of the
multipliers, so that the minimiser of the merit is the one of the problem.
"""

import numpy as np

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.cutting_planes import adds_plane_after
from intriguing.attack.vectors import HALF, ONE, ZERO, lowest, spread

INFEASIBLE, ARRIVED, ACCEPTED, REJECTED = range(4)
"""Verdicts on a candidate: the feasibility phase goes on or arrives at a first iterate,
a step is accepted or rejected."""


@kernel
def merit(run, length, margin):
    """Return half the squared distance plus the penalty of the missing margin."""
    shortfall = max(run.target_margin - margin, ZERO)
    return HALF * length * length + run.penalty * shortfall


@kernel
def verdict_on(run, iterate_margin):
    """Return the verdict on the candidate of a run."""
    if run.feasibility:
        reached = run.candidate_margin > 0
        over = reached or run.iteration > const.MOST_FEASIBILITY_STEPS
        return ARRIVED if over else INFEASIBLE
    if run.length == np.inf:
        return ARRIVED
    most = merit(run, run.length, iterate_margin)
    most += const.MERIT_SLACK * (run.length * run.length)
    merit_there = merit(run, run.candidate_length, run.candidate_margin)
    return ACCEPTED if merit_there <= most else REJECTED


@kernel
def arrive(run, logits):
    """Leave the feasibility phase, and take the scale of the margins."""
    run.logit_range = spread(logits)
    run.target_margin = const.TARGET_MARGIN * run.logit_range
    run.feasibility = False
    run.iteration = 0


@kernel
def keep_best(run):
    """Note whether the candidate is a success, and shorter than any before."""
    # Images known to be adversarial need no safe margin.
    given = run.start == const.KNOWN and run.best_length == np.inf
    least = ZERO if given else const.SAFE_MARGIN * run.logit_range
    safe = run.candidate_margin > least and run.logit_range > 0
    run.keeps_candidate = safe and run.candidate_length < run.best_length
    run.stalled += 1
    if run.keeps_candidate:
        if run.candidate_length < (ONE - const.LEAST_FALL) * run.best_length:
            run.stalled = 0
        run.best_length = run.candidate_length


@kernel
def judge(run, logits, margins, candidate_margins, nonsmooth):
    """Write the verdict on the candidate of a run, and what follows from it alone."""
    run.evaluations += 1
    run.iteration += 1
    run.verdict = verdict_on(run, margins[lowest(margins)])
    if run.verdict == ARRIVED:
        arrive(run, logits)
    keep_best(run)
    if run.verdict == REJECTED:
        run.rejections += 1
        run.halvings += 1
    else:
        run.rejections = run.halvings = 0
        run.iterations += 1
    answered = adds_plane_after(run, nonsmooth)
    run.plane_class = lowest(candidate_margins) if answered else -1
