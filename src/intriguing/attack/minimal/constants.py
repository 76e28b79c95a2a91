"""The constants of the search, read by the compiled functions and by those in torch.

Real numbers are in single precision, in which the search decides. Margins are given in
units of the logit range, which is the largest logit less the smallest.
"""

import numpy as np

single = np.float32

# Numbers of the starts that are neither the first one, 0, nor start images, 1 and up.
KNOWN, SMOOTHED, COLD = -1, -2, -3
"""The known image, a smoothed network's minimum, and a feasibility phase that begins at
the clean image although the first start's was warm."""

# --- Acceptance of candidates
SAFE_MARGIN = single(1.5e-6)
"""Margin that counts as success: three times what another order of summation changes in
float32."""
TARGET_MARGIN = single(3e-6)
"""Margin that the iterates aim at. It must exceed `SAFE_MARGIN`, or nothing
converges."""
MERIT_SLACK = single(1e-4)
"""Growth of the merit that is still accepted, in units of the squared distance."""
PENALTY_FACTOR = single(1.1)
"""Penalty parameter of the merit, as a multiple of the multipliers' sum."""
LEAST_FALL = single(1e-3)
"""Relative fall of the best length that counts as progress."""

# --- Length of steps
LONGEST_STEP, LONGEST_STEP_FROM_IMAGES = single(0.3), single(0.5)
"""Most that a step may be of the distance from the clean image, and the same in runs
from start images, which begin far away."""
SHORT_DISTANCE = single(0.3)
"""L2 distance below which steps are no longer capped in proportion to it."""
PATIENCE, PATIENCE_WITH_PLANES = 2, 1
"""Halvings after which the projection's step replaces the quasi-Newton step; and the
same where there are cutting planes, as pairs across a nonsmooth point tell nothing of
curvature."""
RAISE, RAISE_AFTER, LARGEST_TARGET_MARGIN = single(0.1), 4, single(1e-2)
"""After n misses in a row the target margin is RAISE * 2ⁿ times the last shortfall;
rejections that count as a miss; and the largest target margin."""
NEAR_END = single(0.05)
"""Length of a step, as a share of the perturbation's, at which the end is near."""

# --- Working set
MOST_CLASSES = 9
NEAR_MARGIN, MARGIN_PER_STEP, FARTHEST_MARGIN = single(7e-3), single(0.12), single(0.07)
"""A class takes part at a margin below NEAR_MARGIN plus MARGIN_PER_STEP times the last
step, as a share of the perturbation, and at most FARTHEST_MARGIN."""
NOTICEABLE = single(1e-6)
"""Smallest multiplier that keeps a class ahead of any other."""

# --- Cutting planes
PLANES, PLANES_OF_LAYERS = 64, 16
"""Constraint slots for cutting planes, and those that do for a stack of linear maps and
elementwise functions. Behind max-pooling dozens of nonsmooth points meet."""
PLANES_FROM, PLANES_FROM_NONSMOOTH, PLANES_TO = 2, 1, 20
"""First rejection in a row that is answered by a cutting plane, the same in a network
known to be nonsmooth, and the last one. In a smooth network the first rejection means
more often that the step was too long for the curvature."""
KEEP_GRADIENTS_FROM = 3
"""Cutting planes of a run from which on the gradients left behind by a step become
cutting planes too. Sooner, smooth margins would be taken for nonsmooth ones."""
KEEP_GRADIENTS_WITHIN = single(0.1)
"""In a network known to be nonsmooth they do from the first step that is no longer than
this share of the perturbation. From farther away linearisations of margins that are not
concave lead to worse minima."""
TRACE_MULTIPLIER = single(1e-9)
"""Multiplier of a new cutting plane of that kind: one with none is dropped."""
PLANE_SLACK = single(1e-6)
"""By how much a cutting plane may lie below the margin itself."""

# --- Feasibility phase
FIRST_STEP, STEP_GROWTH = single(1.6), single(1.15)
"""L2 length of the first step, and what each further one is multiplied by."""
WARM_STEPS, FIRST_WARM_STEP = 2, single(2.2)
"""Smoothed networks in each of which a warm phase takes a step before all others, and
length of the first of these steps: the units of such networks are not saturated."""
MOST_OF_KNOWN = single(1.0)
"""Most that the first step may be of the shortest perturbation known."""
TARGET_LOG_ODDS = single(0.05)
"""Log odds at which a step aims, in units of the logit range: a fixed number would lead
far behind the boundary where logits lie close together."""
MOST_FEASIBILITY_STEPS = 40

# --- Projection
MOST_DUAL_STEPS, MOST_DUAL_CUTS, DUAL_CUT = 25, 8, single(0.4)
"""Newton steps on the dual, and how often and by what each is shortened."""
DUAL_RIDGE, DUAL_RIDGE_GROWTH = single(1e-5), single(100)
LARGEST_DUAL_RIDGE = single(10)
"""Share of the trace added to the dual's Hessian, which nearly equal constraints, or
few free pixels, make singular; by what it is multiplied where the step leads nowhere;
and the largest. From a share of 1 on the step nearly follows the gradient."""
DUAL_ROUNDING = single(1e-6)
DUAL_ACCURACY = single(1e-4)
"""Shortfall at which the dual is solved, as a share of what was asked for first."""
MULTIPLIER_CAP = single(20)
"""Cap on the multipliers, as a multiple of the one that a single constraint at the
present distance would have: constraints that the box excludes have no multipliers."""

# --- Curvature
LEAST_CURVATURE = single(0.7)
"""Pairs are damped where yᵀs falls below this share of sᵀs."""
UNKNOWN_CURVATURE = single(1.8)
"""Most curvature assumed along directions of which no pair tells. With that of the
objective, 1, steps along a curved boundary are too long and are rejected."""
RIDGE, REFINEMENTS = single(1e-6), 3
"""Share of the trace added to the system for the multipliers, and the steps of
iterative refinement after which it leaves no bias."""
LONGEST_NEWTON = single(4)
"""The quasi-Newton step is taken up to this multiple of the projection's length."""

# --- Stopping
MOST_REJECTIONS, MOST_ITERATIONS, MOST_STALLED = 22, 240, 60
"""Rejections in a row, iterations, and iterations without progress that end a run."""
STALLED_WITHIN = single(1.005)
"""How close to the best the iterate must be for a lack of progress to count."""
BEST_COUNTS_AFTER = 20
"""Iterations without progress after which the best image counts, not only the
iterate."""
PRUNED_FROM = 3
"""Iterations after which a run is given up that will not come below the best."""
FALL_PER_STEP, FALL_PER_DECREASE = single(0.5), single(5)
"""Most that a run is expected to fall yet: this share of its next step, and this
multiple of the decrease predicted for it. Far away the first is smaller, near the end
the second."""
DIVERGED = single(2)
"""Multiple of the best length at which a feasibility phase is given up; it overshoots
by a third."""
BASIN = single(0.1)
"""Distance to the best image, as a share of the perturbation, at which a run is taken
to end in the same minimum."""
TIED = single(1e-3)
"""A class ties with the target if its multiplier exceeds this share of the largest."""

# --- Runs
HITS, HIT_SHARE = 4, 0.25
"""Starts that reach the best length before an image is done, and the share of all its
starts that has to, if that is more."""
SAME = single(1e-3)
"""Relative difference of two lengths below which they count as one minimum."""
START_SHARE = single(0.75)
"""Share of the way to a start image at which a run begins."""
TRUSTED, DOUBTFUL = single(1.3), single(2.5)
"""A class is left out where its estimated distance exceeds that of the first class by
this factor: the first number where estimates are true, the second where they are
not."""

# --- Batches
SLOTS, GPU_SLOTS, THREAD_SLOTS = 512, 4096, 32
"""Images worked on at once, in torch on the CPU, on a GPU, and by a thread of the
compiled search, where they should fit the processor's cache."""
SLOT_VALUES, GPU_SLOT_VALUES = 2**25, 2**29
"""Most pixels of all gradients and pairs together, which bounds the memory."""
THREAD_IMAGES = 64
"""Images for which a thread is worth while."""
REFILL_SHARE = 1 / 8
"""Runs begin once they are this share of those that go on: a few at a time cost as
much as many."""
ITERATIONS_A_CALL = 50
"""Iterations of the compiled loop between two looks at whether to stop."""
CHUNK = 1024
"""Images evaluated at once before the search."""
