"""The decisions of the minimal attack, on records of single runs."""

import numpy as np
import pytest
import torch
from minimal_cases import images_of, linear_classifier, targeted, untargeted

from intriguing.attack.minimal import backends, cutting_planes, decisions, stopping
from intriguing.attack.minimal import constants as c
from intriguing.attack.minimal.acceptance import ACCEPTED, ARRIVED, REJECTED
from intriguing.attack.minimal.network import network_of
from intriguing.attack.minimal.problem import own_slots, problem_of
from intriguing.attack.minimal.runs import CLEAN_IMAGES, KNOWN_IMAGES, START_IMAGES
from intriguing.attack.minimal.state import RESULT, RUN, Accuracy, Settings, empty_state
from intriguing.attack.minimal.step_control import target_margin_after

DECIDE = backends.callable_from_python(decisions)
CLASSES, OWN, PLANES = 4, 3, 3


def settings_of(nonsmooth: bool = False) -> Settings:
    stopping = map(np.float32, (Accuracy().tolerance, Accuracy().decrease))
    return Settings(OWN, 8, nonsmooth, *stopping)


def record(**values) -> np.recarray:
    """Return one run, whose fields are attributes."""
    run = np.zeros(1, RUN).view(np.recarray)[0]
    for name, value in values.items():
        setattr(run, name, value)
    return run


def state_of(count: int = 1, **values):
    """Return runs towards class 0 from which steps go, with no constraints yet."""
    state = empty_state(count, CLASSES, OWN, PLANES)
    state.competing[:, 1:] = True
    lengths = {"known_length": np.inf, "best_length": np.inf, "logit_range": 1}
    none = {"vacant": False, "plane_slot": -1, "plane_class": -1}
    for name, value in {**lengths, **none, **values}.items():
        state.runs[name] = value
    return state


def busy(state) -> np.ndarray:
    return np.arange(len(state.runs))


def judged(state, margins, settings):
    """Judge candidates whose margins over classes 1 to 3 are given; return verdicts."""
    logits = -np.array(margins, np.float32).reshape(len(state.runs), CLASSES - 1)
    logits = np.concatenate([np.zeros((len(logits), 1), np.float32), logits], 1)
    assert DECIDE.judge_candidates(state, busy(state), logits, settings)
    return state.runs["verdict"].tolist(), logits


def test_a_candidate_is_accepted_where_the_merit_does_not_grow():
    lengths = np.array([1.0, 1.01, 1.2, 1.2], np.float32)
    state = state_of(4, length=1, candidate_length=lengths, penalty=2)
    state.runs["target_margin"] = 0.1
    state.margins[:] = [np.inf, 0.0, 3, 3]  # a merit of 0.5 + 2 * 0.1
    # The missing margin is made up for up to a length of sqrt(1.4).
    verdicts, _ = judged(
        state, [[0, 3, 3], [0, 3, 3], [0.1, 3, 3], [5, 3, 3]], settings_of()
    )
    assert verdicts == [ACCEPTED, REJECTED, REJECTED, REJECTED]
    state.runs["candidate_length"] = 1.18
    verdicts, _ = judged(state, [[0.1, 3, 3]] * 4, settings_of())
    assert verdicts == [ACCEPTED] * 4


def test_the_first_iterate_sets_the_scale_and_the_shortest_success_is_kept():
    state = state_of(2, feasibility=True, candidate_length=2.0)
    verdicts, _ = judged(state, [[1, 2, 4], [-1, 2, 4]], settings_of())
    assert verdicts[0] == ARRIVED and state.runs["feasibility"].tolist() == [
        False,
        True,
    ]
    run = state.runs[0]
    assert run["logit_range"] == 4
    assert run["target_margin"] == pytest.approx(4 * c.TARGET_MARGIN)
    assert state.runs["keeps_candidate"].tolist() == [True, False]
    assert run["best_length"] == 2


@pytest.mark.parametrize("start, kept", [(0, False), (c.KNOWN, True)])
def test_only_a_known_image_needs_no_safe_margin(start, kept):
    state = state_of(start=start, length=np.inf, candidate_length=1)
    judged(state, [[1e-6, 1, 1]], settings_of())
    assert state.runs["keeps_candidate"].tolist() == [kept]


def test_logits_that_are_not_finite_are_noticed():
    state, logits = state_of(), np.zeros((1, CLASSES), np.float32)
    for broken in (np.nan, np.inf, -np.inf):
        logits[0, 2] = broken
        assert not DECIDE.judge_candidates(state, busy(state), logits, settings_of())


def test_the_working_set_keeps_multipliers_and_takes_what_is_near():
    state = state_of(2, verdict=ARRIVED, residual=0, length=1, iteration=1)
    state.candidate_margins[:] = [np.inf, 0.5, 5e-3, 3]
    state.classes[0, 0], state.multiplier[0, 0] = 3, 0.7
    logits = np.zeros((2, CLASSES), np.float32)
    asked = DECIDE.choose_requests(state, busy(state), logits, settings_of())
    used = np.isfinite(state.gap)
    assert state.classes[0, used[0]].tolist() == [3, 2]
    assert state.multiplier[0, :2] == pytest.approx([0.7, 0])
    assert state.classes[1, used[1]].tolist() == [2]
    assert asked == 3 and state.requests[:3].tolist() == [0, 0, 1]
    weights = [[1, 0, 0, -1], [1, 0, -1, 0], [1, 0, -1, 0]]
    assert state.weights[:3].tolist() == weights


@pytest.mark.parametrize("share, taken", [(0.0, 1), (0.02, 2), (10.0, 2)])
def test_after_long_steps_more_classes_take_part_but_never_all(share, taken):
    state = state_of(verdict=ARRIVED, iteration=1, residual=share)
    state.runs["candidate_length"] = 1
    state.candidate_margins[:] = [np.inf, 6e-3, 9e-3, 0.08]
    logits = np.zeros((1, CLASSES), np.float32)
    assert DECIDE.choose_requests(state, busy(state), logits, settings_of()) == taken


@pytest.mark.parametrize("nonsmooth, first", [(False, 2), (True, 1)])
def test_rejections_call_for_planes_where_these_would_be_violated(nonsmooth, first):
    for rejections in range(4):
        state = state_of(2, length=1, candidate_length=2, target_margin=0.01)
        state.runs["rejections"], state.margins[:] = rejections, 0.02
        judged(state, [[1, -0.1, 1], [1, 0.02, 1]], settings_of(nonsmooth))
        wanted = 2 if rejections + 1 >= first else -1
        assert state.runs["plane_class"].tolist() == [wanted, -1]


def test_a_plane_takes_an_empty_slot_then_one_that_does_not_bind_then_turns():
    gap = np.array([[1, np.inf, np.inf], [1, 2, 3], [1, 2, 3]])
    multiplier = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 1]])
    slots = [
        cutting_planes.next_slot.py_func(record(planes=made), *rows, 0)
        for made, *rows in zip((1, 3, 4), gap, multiplier, strict=True)
    ]
    assert slots == [1, 1, 1]
    again = record(planes=5)
    assert cutting_planes.next_slot.py_func(again, gap[2], multiplier[2], 0) == 0


def test_rejected_planes_are_those_below_the_margin_or_satisfied_by_the_projection():
    values = {"verdict": REJECTED, "rejections": 3, "halvings": 1, "plane_class": 1}
    state = state_of(3, length=1, target_margin=0.01, **values)
    state.margins[:] = [np.inf, 0.0, 1, 1]
    state.runs["candidate_margin"] = [-0.1, -0.1, -0.1]
    state.runs["plane_back"] = [0.11, 0.05, 0.11]  # the second contradicts the margin
    state.runs["plane_ahead"] = [-0.02, -0.02, 0.02]  # the third changes nothing
    solving, proposing = DECIDE.answer(state, busy(state), settings_of())
    assert solving == 1 and proposing == 3
    assert np.isfinite(state.gap[:, OWN:]).any(1).tolist() == [True, False, False]
    assert state.gap[0, state.runs["plane_slot"][0]] == pytest.approx(0.01)
    # The others are halved instead: a like candidate would be rejected too.
    assert state.runs["halvings"].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    "nonsmooth, planes, share, kept",
    [
        (False, c.KEEP_GRADIENTS_FROM, 1.0, True),
        (False, c.KEEP_GRADIENTS_FROM - 1, 0.0, False),
        (True, 0, 0.99 * float(c.KEEP_GRADIENTS_WITHIN), True),
        (True, 0, 1.01 * float(c.KEEP_GRADIENTS_WITHIN), False),
    ],
)
def test_gradients_left_behind_become_planes_among_nonsmooth_points(
    nonsmooth, planes, share, kept
):
    state = state_of(verdict=ACCEPTED, planes=planes, length=2, residual=2 * share)
    state.candidate_margins[:] = [np.inf, 1, 1, 0.1]
    state.gap[0, :2], state.multiplier[0, 0], state.classes[0, 0] = 0.1, 1, 3
    state.shift[0, 0] = 0.05
    logits = np.zeros((1, CLASSES), np.float32)
    DECIDE.choose_requests(state, busy(state), logits, settings_of(nonsmooth))
    assert np.isfinite(state.gap[0, OWN:]).tolist() == [kept, False, False]
    if kept:
        assert state.source[0, OWN] == 0 and state.classes[0, OWN] == 3
        assert state.gap[0, OWN] == pytest.approx(0.15)
        assert 0 < state.multiplier[0, OWN] < c.NOTICEABLE


def test_the_target_margin_rises_with_misses_and_falls_back():
    margins = [
        target_margin_after.py_func(misses, np.float32(-0.01), np.float32(1))
        for misses in (0, 1, 2, 9)
    ]
    raised = [c.TARGET_MARGIN + c.RAISE * 2**n * 0.01 for n in (1, 2)]
    assert margins == pytest.approx(
        [c.TARGET_MARGIN, *raised, c.LARGEST_TARGET_MARGIN], rel=1e-5
    )


@pytest.mark.parametrize(
    "halvings, plane, straight", [(1, False, False), (2, False, True), (1, True, True)]
)
def test_the_projection_replaces_the_curved_step_after_some_halvings(
    halvings, plane, straight
):
    state = state_of(verdict=REJECTED, halvings=halvings, plane_class=-1, length=2)
    state.margins[:] = 1
    if plane:
        state.gap[0, OWN] = 0.5
    DECIDE.answer(state, busy(state), settings_of())
    run = state.runs[0]
    assert run["straight"] == straight and run["step_share"] == 0.5**halvings
    assert run["longest_step"] == pytest.approx(2 * c.LONGEST_STEP)


def test_feasibility_steps_follow_the_gradient_of_the_log_odds():
    state = state_of(feasibility=True, iteration=3, verdict=0)
    logits = np.array([[0.0, 1.0, 2.0, -1.0]], np.float32)
    assert DECIDE.choose_requests(state, busy(state), logits, settings_of()) == 1
    variable = torch.tensor(logits[0], requires_grad=True)
    odds = variable.softmax(0)[0].logit()
    odds.backward()
    assert state.weights[0] == pytest.approx(variable.grad.numpy(), abs=1e-6)
    deficit = float(c.TARGET_LOG_ODDS) * 3 - odds.item()
    assert state.runs["deficit"][0] == pytest.approx(deficit, rel=1e-5)
    longest = c.FIRST_STEP * c.STEP_GROWTH**2
    assert state.runs["longest_step"][0] == pytest.approx(longest, rel=1e-5)


@pytest.mark.parametrize(
    ("margin", "best", "stalled", "converged"),
    [
        (1e-3, 1.5, 0, True),  # reached, whatever was before
        (-1e-3, 1.00005, c.BEST_COUNTS_AFTER, True),  # the best is hardly longer
        (-1e-3, 1.00005, c.BEST_COUNTS_AFTER - 1, False),  # it may still fall
        (-1e-3, 1.0002, c.BEST_COUNTS_AFTER, False),  # it is noticeably longer
    ],
)
def test_a_run_has_converged_at_a_stationary_point_or_hardly_above_it(
    margin, best, stalled, converged
):
    given = {"length": 1, "logit_range": 1, "best_length": best, "stalled": stalled}
    for residual, expected in ((0.009, converged), (0.011, False)):
        run = record(**given, residual=residual)
        assert stopping.has_converged.py_func(run, margin, settings_of()) == expected


@pytest.mark.parametrize(
    ("length", "residual", "decrease", "above"),
    [
        (2.0, 0.9, 0.5, True),  # far above, even after half of the next step
        (1.3, 0.6, 0.2, False),
        (2.0, 1.1, 0.5, False),  # the next step is long: it may lead anywhere
        (1.006, 0.02, 3e-4, True),  # near its end, which is above
        (1.006, 0.05, 2e-3, False),
        (1.0005, 0.001, 0.0, False),  # as long as the best
    ],
)
def test_a_run_is_given_up_where_it_will_not_come_below_the_best(
    length, residual, decrease, above
):
    given = {"length": length, "residual": residual, "decrease": decrease}
    for iteration, expected in ((c.PRUNED_FROM, above), (c.PRUNED_FROM - 1, False)):
        run = record(**given, known_length=1, iteration=iteration)
        assert stopping.stays_above.py_func(run) == expected


def test_hits_count_how_often_the_best_length_was_reached():
    after = stopping.hits_after.py_func
    assert [after(2, 1.0, x) for x in (1.0002, 0.9, 1.2)] == [3, 1, 2]
    assert after(0, np.inf, np.inf) == 0


def run_beside_a_known_one(best: float, known: float, **values):
    """Return a run at its iteration limit, and what is known of its image."""
    limit = {"iteration": c.MOST_ITERATIONS + 1, "length": 3, "residual": 0.3}
    given = {**limit, "best_length": best, "known_length": known, **values}
    state, results = state_of(best_distance=9, **given), np.zeros(1, RESULT)
    results["length"], results["converged"] = known, True
    state.margins[:], state.gap[:], state.multiplier[:] = 1, 0.1, 2
    for name in ("penalty", "pairs", "planes", "rejections"):
        state.runs[name] = 99 if name == "penalty" else 2
    return state, results


def ended(state, results) -> int:
    ends = np.empty(1, np.int64)
    return DECIDE.stop_runs(state, busy(state), results, settings_of(), ends)


def test_only_a_run_that_left_the_shortest_known_goes_back_to_it_and_once():
    state, results = run_beside_a_known_one(best=0.9, known=1)
    assert ended(state, results) == 0
    run = state.runs[0]
    assert run["restarting"] and not run["vacant"] and results["length"] == 1
    assert run["candidate_length"] == np.float32(0.9) and np.isinf(run["length"])
    assert np.isinf(state.gap).all() and not state.multiplier.any()
    assert not any(run[name] for name in ("pairs", "planes", "rejections"))
    assert run["penalty"] == 99  # too low a one was why it had left
    run["iteration"], run["length"] = c.MOST_ITERATIONS + 1, 3
    assert ended(state, results) == 1 and run["improves"] and run["vacant"]
    assert results["length"][0] == np.float32(0.9) and not results["converged"][0]
    assert ended(*run_beside_a_known_one(best=0.9999, known=1)) == 1


@pytest.mark.parametrize(("best", "ends"), [(0.99995, 1), (0.9998, 0)])
def test_a_run_back_at_the_best_image_ends_unless_it_is_clearly_shorter(best, ends):
    elsewhere = {"iteration": 1, "residual": 2}  # so that nothing else would end it
    state, results = run_beside_a_known_one(best, 1, **elsewhere)
    state.runs["best_distance"] = 0
    assert ended(state, results) == ends
    assert results["length"][0] == np.float32(best if ends else 1)
    assert results["converged"][0]  # the minimum is the one that was known


def problem_with(mask, model, images, starts, others, known):
    network = network_of(model, images.shape[1:])
    return problem_of(network, images, mask, starts, others, known)


def started(problem, results, own: int):
    """Begin the next run of every image, and return the runs."""
    count, classes = problem.target_mask.shape
    state, waiting = empty_state(count, classes, own, 1), np.arange(count)
    DECIDE.begin_runs(state, problem, results, waiting, count)
    return state


def test_a_known_image_is_no_hit_but_the_starts_that_follow_are():
    """It may lie in a poor basin: the others must not stop short because of it."""
    model, images = linear_classifier(3, 30, 3), images_of(4, 30, 4)
    others, mask = images_of(200, 30, 5), targeted(model, images)
    given = (mask, model, images, 3, others, others[:4])
    problem, _, results, _ = problem_with(*given)
    origins = (KNOWN_IMAGES, CLEAN_IMAGES, START_IMAGES)
    for start, hits, origin in zip((-1, 0, 1), (0, 1, 2), origins, strict=True):
        state = started(problem, results, own_slots(problem))
        assert (state.runs["start"] == start).all()
        assert (state.runs["origin"] == origin).all()
        over = {"best_length": 1, "iteration": 999, "restarts": 1, "feasibility": False}
        for name, value in over.items():
            state.runs[name] = value
        settings = settings_of()._replace(own=own_slots(problem))
        ends = np.empty(4, np.int64)
        assert DECIDE.stop_runs(state, busy(state), results, settings, ends) == 4
        assert (results["hits"] == hits).all() and (results["start"] == -1).all()


def test_untargeted_start_images_are_of_the_nearest_class_and_none_comes_twice():
    model, images = linear_classifier(4, 30, 3), images_of(5, 30, 4)
    others = images_of(200, 30, 5)
    model[-1].bias.data -= model(others).mean(0)
    given = (untargeted(model, images), model, images, 8, others, None)
    problem, origins, results, _ = problem_with(*given)
    assert problem.counts.all()
    nearest = problem.targets[:, 1]
    results["started"], results["target"], results["length"] = 3, nearest, 1
    predictions, rows = model(origins.start_images).argmax(1).numpy(), []
    for number in range(7):
        runs = started(problem, results, own_slots(problem)).runs
        assert (runs["start"] == number + 1).all() and not runs["feasibility"].any()
        assert (runs["target"] == nearest[runs["row"]]).all()
        assert (predictions[runs["origin_row"]] == runs["target"]).all()
        rows.append(runs["origin_row"])
    for each in np.stack(rows, 1):
        assert len(set(each.tolist())) == 7
    assert started(problem, results, own_slots(problem)).runs["vacant"].all()
