"""The feasibility phase, which leads out of the saturated region of the clean image.

At the clean image the gradients of a saturated network point nowhere near the target:
the linearised sub-problem fails there on two images of five. A few normalised gradient
steps on the log odds of the target lead to where linearisations are accurate. In a
*warm* phase the first steps are made in smoothed networks, whose units are not
saturated; a *cold* one begins at the clean image.
"""

import math

from intriguing.attack.compilation import kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.vectors import INFINITE, ONE, ZERO


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
def diverges_beyond(run, competing):
    """Return the length that bounds the phase: the best known, by another class."""
    # Bounded by a known image the phase would lead to another minimum than without.
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
