"""The feasibility phase, which leads out of the saturated region of the clean image.

At the clean image the gradients of a saturated network point nowhere near the target:
the linearised sub-problem fails there on two images of five. A few normalised gradient
steps on the log odds of the target lead to where linearisations are accurate. In a
*warm* phase the first steps are made in smoothed networks, whose units are not
saturated; a *cold* one begins at the clean image.
"""

import math
from collections.abc import Callable
from typing import Any

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.vectors import INFINITE, ONE, ZERO, spread


@kernel
def log_odds(logits, target, competing, weights):
    """Return the target's log odds, and write their gradient by the logits."""
    largest, total = -INFINITE, ZERO
    for c in range(len(logits)):
        if competing[c]:
            largest = max(largest, logits[c])
    for c in range(len(logits)):
        weights[c] = math.exp(logits[c] - largest) if competing[c] else ZERO
        total += weights[c]
    for c in range(len(logits)):
        weights[c] /= -total
    weights[target] = ONE
    return logits[target] - (largest + math.log(total))


@kernel
def missing_log_odds(logits, odds):
    """Return by how much log odds fall short of those that a step aims at."""
    return const.TARGET_LOG_ODDS * spread(logits) - odds


@kernel
def diverges_beyond(run, competing):
    """Return the length that bounds the phase: the best known, by another class.

    Towards an only class the best known is the known image. Limited by it, the phase
    would lead to another minimum than without.
    """
    count = 0
    for c in range(len(competing)):
        count += competing[c]
    return INFINITE if count == len(competing) - 1 else run.known_length


@kernel
def limit_feasibility_step(run, competing):
    """Write the length that the next step has at most."""
    growth = ONE
    for _ in range(run.iteration - 1):
        growth *= const.STEP_GROWTH
    bound = diverges_beyond(run, competing)
    run.longest_step = min(const.MOST_OF_KNOWN * bound, const.FIRST_STEP) * growth


def warm_steps_with(
    decisions: Any, pixel_work: Any, passes: Any
) -> Callable[..., None]:
    """Return the function that steps in a smoothed network.

    Arguments are those of `loop.loop_with`.
    """

    def warm_steps(network, state, problem, results, points, images, longest):
        """Take a step in a network with every image that is not in its target."""
        most = len(state.runs)
        for begin in range(0, len(images), most):
            rows = images[begin : begin + most]
            passes.forward(network, points, rows)
            logits = network.logits
            count = decisions.request_ascents(
                state, problem, results, rows, logits, longest
            )
            asked, weights = state.requests[:count], state.weights[:count]
            passes.backward(network, asked, weights)
            pixel_work.ascend(state, points, rows, count, network.gradients)

    return warm_steps


@kernel
def request_ascents(state, problem, results, rows, logits, longest):
    """Ask for gradients of the log odds of images not at their target; count them."""
    count = 0
    for n in range(len(rows)):
        row = rows[n]
        target, competing = problem.targets[row, 0], state.competing[n]
        for c in range(len(competing)):
            competing[c] = not problem.target_mask[row, c]
        odds = log_odds(logits[n], target, competing, state.weights[count])
        results[row].evaluations += 1
        if odds <= 0:
            results[row].gradients += 1
            run = state.runs[count]
            run.deficit = missing_log_odds(logits[n], odds)
            run.longest_step = longest
            state.requests[count] = n
            count += 1
    return count
