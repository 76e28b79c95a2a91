"""Which run of an image is next: networks trained to no error have several minima.

The runs of an image are, in this order: one from the known image, one for each class
that counts as success, one from the minimum of a smoothed network, one with a cold
feasibility phase if the first had a warm one, and runs from start images. These begin
well on the way to an image that the network puts in the class of the best one so far,
and find other minima. An image is done once its best length was reached from several
starts (`hits_for`), or all starts are used.
"""

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.vectors import INFINITE, ONE, ZERO

TINY = const.single(1e-12)
CLEAN_IMAGES, WARM_POINTS, KNOWN_IMAGES, SMOOTHED_MINIMA, START_IMAGES = range(5)
"""Where the first point of a run comes from, by place in `Origins`."""


def hits_for(starts: int) -> int:
    """Return how many starts have to reach the best length."""
    return max(const.HITS, int(const.HIT_SHARE * starts))


@kernel
def worthwhile(estimate, first, best):
    """Return whether a class may still come below the best length known."""
    error = best / max(first, TINY)
    doubt = max(error, ONE / max(error, TINY))
    factor = min(const.TRUSTED * doubt * doubt, const.DOUBTFUL)
    return estimate < factor * min(best, first)


@kernel
def cold_runs(row, problem, result):
    """Return 1 where the phase towards the best class was warm, so one may be cold."""
    same = result.target == problem.targets[row, 0]
    return 1 if problem.has_warm and same else 0


@kernel
def next_run(row, problem, result):
    """Return the number of the next run of an image, and whether there is one."""
    # Numbers: -1 the known image, then classes, and the others in their order.
    known = 1 if problem.has_known else 0
    classes, number = problem.targets.shape[1], result.started - known
    if problem.starts == 1 and 1 <= number < classes:
        estimate = problem.estimates[row]
        # They are sorted: where one class is left out, so are those behind it.
        if not worthwhile(estimate[number], estimate[0], result.length):
            number = classes
    if problem.target_counts[row] <= number < classes:
        number = classes
    smoothed = 1 if problem.has_smoothed else 0
    others = 0
    if result.hits < problem.hits:
        others = smoothed
        if problem.has_images:
            more = cold_runs(row, problem, result) + problem.counts[result.target]
            others += min(more, problem.starts - 1 - smoothed)
    exists = number < classes + others
    result.started = number + known + exists
    return number, exists


@kernel
def choose_start(run, row, number, problem, result):
    """Write where a run begins, and towards which class."""
    classes = problem.targets.shape[1]
    smoothed = classes if problem.has_smoothed else -1
    cold = classes + (smoothed >= 0) if cold_runs(row, problem, result) else -1
    first_image = classes + (smoothed >= 0) + (cold >= 0)
    run.row = run.origin_row = row
    run.start, run.origin, run.feasibility = 0, CLEAN_IMAGES, False
    if number < 0:
        run.start, run.origin = const.KNOWN, KNOWN_IMAGES
        run.target = problem.known_target[row]
    elif number < classes:
        run.target, run.feasibility = problem.targets[row, number], True
        if number == 0 and problem.has_warm:
            run.origin = WARM_POINTS
    elif number == smoothed:
        run.start, run.origin = const.SMOOTHED, SMOOTHED_MINIMA
        run.target = problem.smoothed_target[row]
    elif number == cold:
        run.start, run.target, run.feasibility = const.COLD, result.target, True
    else:
        run.target, run.origin = result.target, START_IMAGES
        run.start = number - first_image + 1
        place = (problem.seed[row] + number - first_image) % problem.counts[run.target]
        run.origin_row = problem.firsts[run.target] + place


@kernel
def reset_run(run, known_length):
    """Write the state of a run that begins."""
    run.vacant = run.improves = run.restarting = run.keeps_candidate = False
    run.known_length = known_length
    run.length = run.best_length = INFINITE
    run.logit_range = run.penalty = run.target_margin = ZERO
    run.residual = run.decrease = ZERO
    run.rejections = run.halvings = run.planes = run.misses = run.pairs = 0
    run.newest = run.iteration = run.stalled = run.restarts = 0
    run.iterations = run.evaluations = run.gradients = 0
    run.plane_slot = run.plane_class = -1
