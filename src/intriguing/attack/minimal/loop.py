"""The loop of the search: decisions and work on pixels in turn.

It is written once and runs in three ways: compiled as a whole for fully connected
networks on the CPU, with compiled stages between the passes of other networks there,
and as Python on tensors.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from intriguing.attack.minimal.decisions import BEGINNING, BUSY, PROPOSING, SOLVING


def stages_with(decisions: Any, pixel_work: Any) -> SimpleNamespace:
    """Return the stages, for numba or Python, with modules of these functions.

    They are what precedes the forward pass, what is between both passes, and the rest.
    """

    def begin(state, pixels, problem, origins, results, waiting, count):
        """Begin runs; return how many images still wait, and how many runs are busy."""
        given = state, problem, results, waiting, count
        count, started, most = decisions.begin_runs(*given)
        pixel_work.begin(state, pixels, origins, state.lists[BEGINNING, :started])
        return count, most

    def judge(state, pixels, busy, logits, settings):
        """Judge candidates; return how many gradients are asked for, -1 for NaN."""
        if not decisions.judge_candidates(state, busy, logits, settings):
            return -1
        pixel_work.move(state, pixels, busy)
        return decisions.choose_requests(state, busy, logits, settings)

    def advance(
        state, pixels, busy, gradients, results, best_images, settings, room, ended
    ):
        """Propose candidates; write images of runs that end, return how many."""
        pixel_work.receive(state, pixels, busy, gradients)
        solving, proposing = decisions.answer(state, busy, settings)
        solve = state.lists[SOLVING, :solving]
        pixel_work.solve(state, pixels, solve, gradients, settings, room)
        propose = state.lists[PROPOSING, :proposing]
        pixel_work.propose(state, pixels, propose, best_images)
        count = decisions.stop_runs(state, busy, results, settings, ended)
        pixel_work.store(state, pixels, busy, best_images)
        return count

    return SimpleNamespace(begin=begin, judge=judge, advance=advance)


def loop_with(stages: Any, passes: Any) -> Callable[..., tuple[int, int, bool]]:
    """Return the loop, for numba or Python, with modules of these functions.

    It takes ``count`` images that are ``waiting``, the next one last, through as many
    iterations at most. It returns how many wait or are worked on, those that wait, and
    whether all logits were finite. The passes write ``network.logits`` and
    ``network.gradients``.
    """

    def loop(network, state, pixels, task, settings, room, waiting, count, iterations):
        problem, origins, results, best_images = task
        most = 0
        for _ in range(iterations):
            count, most = stages.begin(
                state, pixels, problem, origins, results, waiting, count
            )
            if most == 0:
                break
            busy = state.lists[BUSY, :most]
            passes.forward(network, pixels.candidate, busy)
            asked = stages.judge(state, pixels, busy, network.logits, settings)
            if asked < 0:
                return 0, count, False
            passes.backward(network, state.requests[:asked], state.weights[:asked])
            known = results, best_images, settings, room, waiting[count:]
            count += stages.advance(state, pixels, busy, network.gradients, *known)
        return count + most, count, True

    return loop
