"""The loop of the search: decisions and work on pixels in turn.

It is written once and runs twice: compiled by numba as a whole for fully connected
networks on the CPU, and as Python for all others.
"""

from collections.abc import Callable
from typing import Any

from intriguing.attack.minimal.decisions import BEGINNING, BUSY, PROPOSING, SOLVING


def loop_with(decisions: Any, pixel_work: Any, passes: Any) -> Callable[..., Any]:
    """Return the loop, for numba or for Python.

    Args:
        decisions: The functions of `decisions`.
        pixel_work: Functions on pixels: those of `compiled.pixels` or `tensors.pixels`.
        passes: Both passes of a network: those of `compiled.dense` or `network`.
    """

    def loop(
        network,
        state,
        pixels,
        problem,
        origins,
        results,
        best_images,
        settings,
        room,
        waiting,
        count,
        iterations,
    ):
        """Take iterations until no image is left, or so many are taken.

        Args:
            network: What the passes take; they write its ``logits`` and ``gradients``.
            state: Records and small rows of the images worked on.
            pixels: Their pixels.
            problem: What is given, but for pixels.
            origins: Points from which runs begin.
            results: What is known of each image.
            best_images: Shortest success of each image.
            settings: What does not change.
            room: Room for the work on pixels.
            waiting: Images whose next run waits, the next one last.
            count: How many these are.
            iterations: How many iterations to take at most.

        Returns:
            How many images wait or are worked on, those that wait among them, and
            whether all logits were finite.
        """
        busy = state.lists[BUSY, :0]
        for _ in range(iterations):
            count, started, most = decisions.begin_runs(
                state, problem, results, waiting, count
            )
            busy = state.lists[BUSY, :most]
            if most == 0:
                break
            begin = state.lists[BEGINNING, :started]
            pixel_work.begin(state, pixels, origins, begin)
            passes.forward(network, pixels.candidate, busy)
            if not decisions.judge_candidates(state, busy, network.logits, settings):
                return 0, count, False
            pixel_work.move(state, pixels, busy)
            logits = network.logits
            asked = decisions.choose_requests(state, busy, logits, settings)
            rows, weights = state.requests[:asked], state.weights[:asked]
            passes.backward(network, rows, weights)
            pixel_work.receive(state, pixels, busy, network.gradients)
            solving, proposing = decisions.answer(state, busy, settings)
            solve = state.lists[SOLVING, :solving]
            gradients = network.gradients
            pixel_work.solve(state, pixels, solve, gradients, settings, room)
            propose = state.lists[PROPOSING, :proposing]
            pixel_work.propose(state, pixels, propose, best_images)
            ended = waiting[count:]
            count += decisions.stop_runs(state, busy, results, settings, ended)
            pixel_work.store(state, pixels, busy, best_images)
        return count + len(busy), count, True

    return loop
