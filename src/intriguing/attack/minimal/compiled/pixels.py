"""What an iteration does to the pixels of each image; `tensors.pixels` does the same.

Of an accepted step from iterate x to x⁺ the pair (s, y) begins with s + Σ λ_k W_k, when
the old gradients are left, and is completed with the new ones when these are known.
"""

import numpy as np

from intriguing.attack.compilation import sum_kernel
from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.acceptance import ACCEPTED, REJECTED
from intriguing.attack.minimal.compiled.curvature import Pairs, quasi_newton
from intriguing.attack.minimal.compiled.projection import project
from intriguing.attack.minimal.runs import START_IMAGES
from intriguing.attack.minimal.state import Subproblem
from intriguing.attack.vectors import ONE, ZERO, add, copy, distance, dot, linear_change

__all__ = ["begin", "move", "propose", "receive", "solve", "store"]


@sum_kernel
def begin(state, pixels, origins, slots):
    """Write clean images and first points of runs that begin."""
    for i in slots:
        run, clean, candidate = state.runs[i], pixels.clean[i], pixels.candidate[i]
        copy(clean, origins.clean[run.row])
        copy(candidate, origins[run.origin][run.origin_row])
        if run.origin == START_IMAGES:
            for j in range(len(clean)):
                back = (candidate[j] - clean[j]) * (ONE - const.START_SHARE)
                candidate[j] -= back
        run.candidate_length = distance(candidate, clean)


@sum_kernel
def move(state, pixels, slots):
    """Go to candidates that are not rejected, and begin the pairs of accepted steps."""
    for i in slots:
        run, candidate = state.runs[i], pixels.candidate[i]
        if run.keeps_candidate:
            copy(pixels.best[i], candidate)
        if run.verdict == ACCEPTED:
            leave(i, state, pixels)
        elif run.verdict != REJECTED:
            copy(pixels.image[i], candidate)


@sum_kernel
def leave(i, state, pixels):
    """Accept a step: begin its pair, and write how it shifts linearised margins."""
    newest, gap, left = state.runs[i].newest, state.gap[i], state.left[i]
    candidate, image = pixels.candidate[i], pixels.image[i]
    step, change = pixels.steps[i, newest], pixels.changes[i, newest]
    for j in range(len(step)):
        step[j] = candidate[j] - image[j]
        change[j] = step[j]
        image[j] = candidate[j]
    for k in range(len(gap)):
        if left[k] != 0:
            add(change, left[k], pixels.gradients[i, k])
        shift = dot(pixels.gradients[i, k], step) if gap[k] < np.inf else ZERO
        state.shift[i, k] = shift


@sum_kernel
def receive(state, pixels, slots, gradients):
    """Use new gradients: step in the feasibility phase, fill slots, compare planes."""
    for i in slots:
        run = state.runs[i]
        new = gradients[run.request : run.request + run.requested]
        image, candidate = pixels.image[i], pixels.candidate[i]
        if run.feasibility:
            copy(candidate, image)
            climb(candidate, new[0], run.deficit, run.longest_step)
            run.candidate_length = distance(candidate, pixels.clean[i])
        elif run.verdict != REJECTED:
            fill_slots(state.gap[i], state.source[i], pixels.gradients[i], new)
        elif run.plane_class >= 0:
            run.plane_back = linear_change(new[0], candidate, image)
            run.plane_ahead = linear_change(new[0], image, pixels.projected[i])


@sum_kernel
def fill_slots(gap, source, gradients, new):
    """Write gradients of cutting planes from their sources, and then the new ones."""
    place = 0
    for k in range(len(gap)):
        if source[k] >= 0:
            copy(gradients[k], gradients[source[k]])
    for k in range(len(gap)):
        if place < len(new) and gap[k] < np.inf:
            copy(gradients[k], new[place])
            place += 1


@sum_kernel
def climb(point, gradient, deficit, longest):
    """Step up the gradient of the log odds, as far as the box lets it."""
    for j in range(len(point)):
        low, high = point[j] <= 0, point[j] >= 1
        if (low and gradient[j] < 0) or (high and gradient[j] > 0):
            gradient[j] = ZERO
    norm = max(np.sqrt(dot(gradient, gradient)), np.float32(1e-20))
    share = min(deficit / norm, longest) / norm
    for j in range(len(point)):
        point[j] = min(max(point[j] + share * gradient[j], ZERO), ONE)


@sum_kernel
def solve(state, pixels, slots, gradients, settings, room):
    """Complete the pairs of some runs, and solve their sub-problems."""
    for i in slots:
        run = state.runs[i]
        if run.plane_slot >= 0:
            copy(pixels.gradients[i, run.plane_slot], gradients[run.request])
            run.plane_slot = -1
        complete_pair(state.left[i], pixels.gradients[i], pixels.changes[i, run.newest])
        size = list_constraints(i, state, pixels, room)
        multiplier, used = room.multiplier[:size], room.used[:size]
        solve_one(i, run, pixels, size, settings.own, room)
        for k in range(state.gap.shape[1]):
            state.multiplier[i, k] = ZERO
        for p in range(size):
            state.multiplier[i, used[p]] = multiplier[p]
        point = pixels.projected[i]
        run.residual = distance(point, pixels.image[i])
        run.decrease = run.length - distance(point, pixels.clean[i])


@sum_kernel
def complete_pair(left, gradients, change):
    """Subtract the new gradients from the change of the last step."""
    for k in range(len(left)):
        if left[k] != 0:
            add(change, -left[k], gradients[k])


@sum_kernel
def list_constraints(i, state, pixels, room):
    """Write the constraints of a run to the room; return how many there are."""
    size, target_margin = 0, state.runs[i].target_margin
    for k in range(state.gap.shape[1]):
        if state.gap[i, k] < np.inf:
            room.used[size] = k
            copy(room.gradients[size], pixels.gradients[i, k])
            room.required[size] = target_margin - state.gap[i, k]
            room.multiplier[size] = state.multiplier[i, k]
            size += 1
    return size


@sum_kernel
def solve_one(i, run, pixels, size, own, room):
    """Write the projection, the step and the multipliers of listed constraints."""
    # Where a cutting plane binds there is no curvature.
    image, point, step = pixels.image[i], pixels.projected[i], pixels.step[i]
    multiplier, required = room.multiplier[:size], room.required[:size]
    constraints = room.gradients[:size]
    subproblem = Subproblem(
        pixels.clean[i], image, constraints, required, run.target_margin
    )
    pairs = Pairs(pixels.steps[i], pixels.changes[i], run.newest, run.pairs)
    smooth = project(subproblem, multiplier, point, room)
    for p in range(size):
        smooth &= room.used[p] < own or multiplier[p] <= 0
    if not smooth or not quasi_newton(subproblem, point, multiplier, pairs, room, step):
        for j in range(len(step)):
            step[j] = point[j] - image[j]


@sum_kernel
def propose(state, pixels, slots, best_images):
    """Write the next candidates of runs, and their distances to known images."""
    for i in slots:
        run, step, image = state.runs[i], pixels.step[i], pixels.image[i]
        candidate, projected = pixels.candidate[i], pixels.projected[i]
        for j in range(len(candidate)):
            candidate[j] = projected[j] - image[j] if run.straight else step[j]
        length = max(np.sqrt(dot(candidate, candidate)), np.float32(1e-12))
        share = min(run.step_share, run.longest_step * run.step_share / length)
        for j in range(len(candidate)):
            candidate[j] = min(max(image[j] + share * candidate[j], ZERO), ONE)
        run.candidate_length = distance(candidate, pixels.clean[i])
        if run.known_length < np.inf:
            run.best_distance = distance(image, best_images[run.row])


@sum_kernel
def store(state, pixels, slots, best_images):
    """Store the best images of runs that have ended, and begin restarts."""
    for i in slots:
        run = state.runs[i]
        if run.improves:
            copy(best_images[run.row], pixels.best[i])
        if run.restarting:
            copy(pixels.candidate[i], pixels.best[i])
        run.improves = run.restarting = False
