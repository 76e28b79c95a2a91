"""The shortest perturbations beside the paper's."""

import numpy as np
import pandas as pd
import pytest

from intriguing.attack import minimal_norm
from intriguing.stats.intervals import average
from intriguing.tables.rates import fooling_rates


def test_lengths_that_rounding_makes_longer_pass():
    paper = np.array([0.1, 0.2, np.inf])
    minimal_norm.require_never_longer(np.array([0.1 + 5e-7, 0.1, np.inf]), paper)


@pytest.mark.parametrize("worst", [0.2 * 1.0001, np.inf])
def test_a_longer_one_is_refused_in_one_line_that_says_which(worst):
    paper = np.array([0.1, 0.2, 0.3])
    with pytest.raises(RuntimeError, match=r"1 of 3 .* number 1: ") as refused:
        minimal_norm.require_never_longer(np.array([0.1, worst, 0.2]), paper)
    assert "\n" not in str(refused.value)


def records_of(lengths, starts, tied):
    return pd.DataFrame(
        {"distortion": lengths, "start": starts, "tied": tied}
        | {"reached": True, "converged": True}
    )


@pytest.fixture(scope="module")
def cells():
    new = [
        records_of([0.10, 0.10, 0.05], [-1, -2, 2], [1, 2, 3]),
        records_of([0.20, 0.20, 0.20], [0, 0, 0], [1, 1, 1]),
    ]
    old = [
        records_of([0.10, 0.125, 0.10], 0, 0),
        records_of([0.20, 0.20, 0.200001], 0, 0),
    ]
    return minimal_norm.length_cells("net", new, old)[0]


def test_ratios_are_image_by_image(cells):
    expected = np.mean([np.mean([1, 0.8, 0.5]), 1])
    assert cells["net", "ratio"].value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("column", "images"),
    [
        ("shorter", 2),
        ("corners", 2),
        ("won-by-walk", 3),
        ("won-by-smoothed", 1),
        ("won-by-start-image", 1),
        ("won-by-paper", 1),
        ("unconverged", 0),
    ],
)
def test_shares_are_of_all_images_of_all_seeds(cells, column, images):
    found = cells["net", column]
    assert (found.value, found.n, found.seeds) == (pytest.approx(images / 6), 6, 2)


def test_both_mean_lengths_are_there(cells):
    assert cells["net", "distortion-lbfgs"].value == pytest.approx(0.15416683)
    assert cells["net", "distortion-minimal"].value == pytest.approx(0.14166667)


def answers_of(seed, shares):
    """Draw answers to images of the networks a and b, with shares of wrong ones."""
    drawn = np.random.default_rng(seed)
    parts = []
    for (row, column), share in shares.items():
        for number in range(5):
            known = {"row": row, "column": column, "seed": number, "label": 0}
            wrong = {"prediction": (drawn.random(200) < share).astype(int)}
            parts.append(pd.DataFrame({"index": np.arange(200)} | known | wrong))
    return pd.concat(parts, ignore_index=True)


CLEAN = {("clean", "a"): 0.1, ("clean", "b"): 0.05}
OWN = {("a", "a"): 1, ("b", "b"): 1}
PAPER = answers_of(1, CLEAN | OWN | {("a", "b"): 0.3, ("b", "a"): 0.5})
LESS = answers_of(2, OWN | {("a", "b"): 0.1, ("b", "a"): 0.2})


def test_transfer_is_that_of_images_answered_rightly_when_clean():
    changes = minimal_norm.paired_answers(LESS, PAPER)
    assert set(changes) == {("a", "b"), ("b", "a")}
    rates = fooling_rates(PAPER, "clean")
    with_clean = pd.concat([LESS, PAPER[PAPER["row"].eq("clean")]])
    less = fooling_rates(with_clean, "clean")
    cells = minimal_norm.transfer_cells(changes, ["a", "b"])
    for row, column in changes:
        assert cells[row, "transfer-lbfgs"] == average([rates[row, column]])
        assert cells[row, "transfer-minimal"] == average([less[row, column]])
        change = less[row, column].value - rates[row, column].value
        # Seeds count alike in a mean of differences, images alike in a rate.
        assert cells[row, "transfer-change"].value == pytest.approx(change, abs=0.01)


def test_alike_answers_leave_no_doubt_about_their_difference():
    """What both methods share does not widen the interval of the change."""
    changes = minimal_norm.paired_answers(PAPER[PAPER["row"].ne("clean")], PAPER)
    found = minimal_norm.change_of(changes["a", "b"])
    assert (found.low, found.value, found.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.1, "agrees"), (0.3, "undecided"), (0.8, "differs")]
)
def test_the_claim_is_judged_by_the_interval_of_the_change(share, verdict):
    other = answers_of(3, OWN | {("a", "b"): share, ("b", "a"): share + 0.1})
    again = answers_of(4, CLEAN | OWN | {("a", "b"): 0.3, ("b", "a"): 0.4})
    claim = minimal_norm.transfer_less(minimal_norm.paired_answers(other, again))
    assert claim.verdict == verdict
    assert claim.published is None
