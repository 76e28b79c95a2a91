"""The decisions of one iteration, for all images worked on.

They need no pixels: records, small rows and logits only. `loop` says in which order
they alternate with the work on pixels.
"""

import numpy as np

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.acceptance import ACCEPTED, ARRIVED, REJECTED, judge
from intriguing.attack.minimal.cutting_planes import add_rejected, keep_gradients
from intriguing.attack.minimal.feasibility import limit_feasibility_step, log_odds
from intriguing.attack.minimal.runs import choose_start, next_run, reset_run
from intriguing.attack.minimal.step_control import adapt_target_margin, limit_step
from intriguing.attack.minimal.stopping import ends, enter, may_restart, restart
from intriguing.attack.minimal.working_set import (
    choose_constraints,
    leave_multipliers,
    margins_over,
    weigh_margin,
)
from intriguing.attack.vectors import (
    INFINITE,
    ONE,
    ZERO,
    copy,
    fill,
    lowest,
    spread,
    total,
)

__all__ = ["answer", "begin_runs", "choose_requests", "judge_candidates", "stop_runs"]

BUSY, BEGINNING, SOLVING, PROPOSING = range(4)
"""Rows of `SearchState.lists`."""


@kernel
def begin_runs(state, problem, results, waiting, count):
    """Begin runs in vacant slots; return how many wait, have started, and are busy."""
    runs, started, busy = state.runs, 0, 0
    for i in range(len(runs)):
        busy += not runs[i].vacant
    refills = min(len(runs) - busy, count) >= const.REFILL_SHARE * busy
    busy = 0
    for i in range(len(runs)):
        while refills and runs[i].vacant and count > 0:
            count -= 1
            row = waiting[count]
            number, exists = next_run(row, problem, results[row])
            if exists:
                begin_run(i, row, number, state, problem, results)
                state.lists[BEGINNING, started] = i
                started += 1
        if not runs[i].vacant:
            state.lists[BUSY, busy] = i
            busy += 1
    return count, started, busy


@kernel
def begin_run(i, row, number, state, problem, results):
    """Begin a run of an image in a slot."""
    run, gap, competing = state.runs[i], state.gap[i], state.competing[i]
    choose_start(run, row, number, problem, results[row])
    reset_run(run, results[row].length)
    for c in range(len(competing)):
        competing[c] = not problem.target_mask[row, c]
    fill(gap, INFINITE)
    fill(state.multiplier[i], ZERO)


@kernel
def judge_candidates(state, busy, logits, settings):
    """Write the verdicts on candidates; return whether all logits are finite."""
    own, finite = settings.own, True
    for n in range(len(busy)):
        i = busy[n]
        run, margins = state.runs[i], state.candidate_margins[i]
        for c in range(logits.shape[1]):
            finite &= np.isfinite(logits[n, c])
        target, competing = run.target, state.competing[i]
        run.candidate_margin = margins_over(logits[n], target, competing, margins)
        judge(run, logits[n], state.margins[i], margins, settings.nonsmooth)
        if run.verdict == ACCEPTED:
            run.newest = (run.newest + 1) % settings.memory
            run.pairs += 1
            rows = (state.multiplier[i], state.classes[i], own)
            leave_multipliers(*rows, state.left[i], state.class_left[i], state.sums[0])
        elif run.verdict == ARRIVED:
            fill(state.class_left[i], ZERO)
    return finite


@kernel
def choose_requests(state, busy, logits, settings):
    """Choose constraints of new iterates; return how many gradients are asked for."""
    count = 0
    for n in range(len(busy)):
        i = busy[n]
        run = state.runs[i]
        if run.verdict == ACCEPTED or run.verdict == ARRIVED:
            move_constraints(i, state, settings)
        run.request = count
        run.requested = request(i, n, logits[n], state, settings.own)
        run.gradients += run.requested
        count += run.requested
    return count


@kernel
def move_constraints(i, state, settings):
    """Bring the constraints of a run to its new iterate."""
    run, margins, own = state.runs[i], state.margins[i], settings.own
    classes, gap, multiplier = state.classes[i], state.gap[i], state.multiplier[i]
    source = state.source[i]
    fill(source, -1)
    if run.verdict == ACCEPTED:
        for k in range(len(gap)):
            gap[k] += state.shift[i, k]
        keep_gradients(run, classes, gap, multiplier, source, own, settings.nonsmooth)
    copy(margins, state.candidate_margins[i])
    run.length = run.candidate_length
    left, class_left, sums = state.left[i], state.class_left[i], state.sums
    choose_constraints(
        run, margins, classes, gap, multiplier, left, class_left, own, sums
    )


@kernel
def request(i, n, logits, state, own):
    """List the gradients that a run needs from its first one on; return how many."""
    run, gap, count = state.runs[i], state.gap[i], 0
    place = run.request
    if run.feasibility:
        competing = state.competing[i]
        odds = log_odds(logits, run.target, competing, state.weights[place])
        scale = spread(logits)
        # Where all logits are equal any step shows their scale.
        run.deficit = const.TARGET_LOG_ODDS * scale - odds if scale > 0 else ONE
        limit_feasibility_step(run, competing)
        count = 1
    elif run.plane_class >= 0:
        weigh_margin(run.target, run.plane_class, state.weights[place])
        count = 1
    elif run.verdict != REJECTED:
        for k in range(own):
            if gap[k] < np.inf:
                weights = state.weights[place + count]
                weigh_margin(run.target, state.classes[i, k], weights)
                count += 1
    for p in range(place, place + count):
        state.requests[p] = n
    return count


@kernel
def answer(state, busy, settings):
    """Take note of new gradients; return how many runs solve, and how many propose."""
    solving = proposing = 0
    for i in busy:
        run = state.runs[i]
        if run.feasibility:
            continue
        if changes_problem(i, state, settings.own):
            state.lists[SOLVING, solving] = i
            solving += 1
        limit_step(run, state.gap[i], settings.own)
        state.lists[PROPOSING, proposing] = i
        proposing += 1
    return solving, proposing


@kernel
def changes_problem(i, state, own):
    """Return whether the sub-problem of a run is new, and adapt it to a rejection."""
    run, margins = state.runs[i], state.margins[i]
    margin, new = margins[lowest(margins)], True
    if run.verdict == ACCEPTED:
        adapt_target_margin(run, margin)
    elif run.verdict == REJECTED:
        new = False
        if run.plane_class >= 0:
            rows = (state.classes[i], state.gap[i], state.multiplier[i])
            new = add_rejected(run, margins, *rows, own)
        new |= adapt_target_margin(run, margin)
        if new:
            run.halvings = max(run.halvings - 1, 0)
            fill(state.left[i], ZERO)
    return new


@kernel
def stop_runs(state, busy, results, settings, ended):
    """Enter the runs that end; write their images to ``ended``, return how many."""
    count = 0
    for i in busy:
        run, gap, multiplier = state.runs[i], state.gap[i], state.multiplier[i]
        run.penalty = max(run.penalty, const.PENALTY_FACTOR * total(multiplier))
        margin = state.margins[i, lowest(state.margins[i])]
        over, converged, repeats = ends(run, state.competing[i], margin, settings)
        if over and not converged and not run.feasibility and may_restart(run):
            restart(run, gap, multiplier)
        elif over:
            result, length = results[run.row], run.best_length
            if repeats:
                length = min(length, run.known_length)
                converged |= result.converged
            rows = (multiplier, state.classes[i], state.sums[0])
            enter(run, result, length, converged, *rows)
            ended[count] = run.row
            count += 1
    return count
