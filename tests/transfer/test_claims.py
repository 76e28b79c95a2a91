"""The claims on Tables 2 and 4, on predictions whose truth is known."""

import itertools

import numpy as np
import pandas as pd
import pytest
from synthetic import first_wrong, predictions_with

from intriguing.attack.claims import (
    adversarial_images_are_close,
    adversarial_images_exist,
)
from intriguing.stats.intervals import Interval
from intriguing.tables.rates import fooling_hits
from intriguing.transfer.claims import cross_model_claims, cross_training_set_claims

NETWORKS = ("weak", "strong", "coded")
STRENGTH = {
    ("weak", "strong"): 30,
    ("weak", "coded"): 15,
    ("strong", "weak"): 80,
    ("strong", "coded"): 20,
    ("coded", "weak"): 40,
    ("coded", "strong"): 35,
}


def transfer_of(strength: dict[tuple[str, str], int], noise: int) -> pd.DataFrame:
    errors = {("clean", column): [5] * 5 for column in NETWORKS}
    for source, column in itertools.product(NETWORKS, NETWORKS):
        errors[source, column] = [strength.get((source, column), 100)] * 5
        errors[f"matched:{source}", column] = [noise] * 5
    return first_wrong(errors)


TRANSFER = transfer_of(STRENGTH, 7)


def by_id(predictions, *, by_decay=("weak", "strong"), coded="coded", own=NETWORKS):
    found = cross_model_claims(predictions, own, by_decay, coded)
    return {claim.id: claim for claim in found}


def test_claims_on_table_2_measure_what_was_put_in():
    found = by_id(TRANSFER)
    verdicts = {name: claim.verdict for name, claim in found.items()}
    # Three networks that differ so much say little about others.
    assert verdicts.pop("transfer-beats-noise") == "undecided"
    assert set(verdicts.values()) == {"agrees"}
    alike = by_id(transfer_of(dict.fromkeys(STRENGTH, 40), 7))
    assert alike["transfer-beats-noise"].verdict == "agrees"
    foreign = np.mean([(wrong - 5) / 95 for wrong in STRENGTH.values()])
    noise = found["transfer-beats-noise"]
    assert noise.measured == pytest.approx(foreign - 2 / 95)
    assert found["strong-to-weak-linear"].measured == pytest.approx(0.5)
    # Against `weak` on the images of `strong`, and the other way round.
    least = min(0.8 - 0.2, 0.3 - 0.15)
    assert found["autoencoder-resists"].measured == pytest.approx(least)


@pytest.mark.parametrize(
    ("name", "predictions", "how"),
    [
        ("transfer-beats-noise", transfer_of(dict.fromkeys(STRENGTH, 30), 28), {}),
        ("strong-to-weak-linear", TRANSFER, {"by_decay": ["strong", "weak"]}),
        ("strong-to-weak-is-best", TRANSFER, {"by_decay": ["strong", "weak"]}),
        ("autoencoder-resists", TRANSFER, {"coded": "weak"}),
    ],
)
def test_each_claim_on_table_2_differs_where_its_opposite_is_true(
    name, predictions, how
):
    assert by_id(predictions, **how)[name].verdict == "differs"


@pytest.mark.parametrize(
    ("how", "left_out"),
    [
        ({}, set()),
        ({"by_decay": ["weak"]}, {"strong-to-weak-linear", "strong-to-weak-is-best"}),
        ({"coded": None}, {"autoencoder-resists"}),
    ],
)
def test_claims_on_networks_that_are_not_there_are_left_out(how, left_out):
    assert set(by_id(TRANSFER)) - set(by_id(TRANSFER, **how)) == left_out
    alone = first_wrong({("clean", "weak"): [5], ("weak", "weak"): [100]})
    assert by_id(alone, by_decay=["weak"], coded=None, own=["weak"]) == {}


def test_claims_on_transfer_are_of_the_papers_own_networks():
    rows = [*NETWORKS, *(f"matched:{name}" for name in NETWORKS), "clean", "net"]
    more = [(row, "net") for row in rows] + [
        (f"{kind}net", column) for kind in ("", "matched:") for column in NETWORKS
    ]
    other = first_wrong({cell: [50] * 5 for cell in more})
    both = pd.concat([TRANSFER, other], ignore_index=True)
    assert by_id(both) == by_id(TRANSFER)


SPLITS = {"A": "P1", "B": "P1", "C": "P2"}
IMAGES, SEEDS = 200, 3


def predictions_by(
    same=0.4, other=0.1, noise=0.01, amplified=(0.9, 0.3), clean_error=0.0
) -> pd.DataFrame:
    """Fool networks of the same split and of the other one with these chances.

    The chances of amplified images are those of both.
    """
    draw = np.random.default_rng(0).random
    clean = {t: [draw(IMAGES) < clean_error for _ in range(SEEDS)] for t in SPLITS}
    wrong = {("clean", target): seeds for target, seeds in clean.items()}
    for source, target in itertools.product(SPLITS, SPLITS):
        is_same = SPLITS[source] == SPLITS[target]
        made = same if is_same else other
        for kind, chance in {
            "": made,
            "matched:": noise,
            "amplified:": amplified[0 if is_same else 1],
        }.items():
            wrong[f"{kind}{source}", target] = [
                seed | (draw(IMAGES) < chance) for seed in clean[target]
            ]
    return predictions_with(wrong)


def across_splits(**how):
    found = cross_training_set_claims(predictions_by(**how), SPLITS)
    return {claim.id: claim for claim in found}


def test_claims_on_table_4_measure_what_was_put_in():
    found = across_splits()
    assert {claim.verdict for claim in found.values()} == {"agrees"}
    gap = found["disjoint-data-transfers-less"]
    assert gap.low < 0.3 < gap.high
    assert gap.measured == pytest.approx(0.3, abs=0.05)
    noise = found["disjoint-data-transfer-beats-noise"]
    assert noise.measured == pytest.approx(0.09, abs=0.03)


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({"same": 0.1, "other": 0.3}, "disjoint-data-transfers-less"),
        ({"noise": 0.2}, "disjoint-data-transfer-beats-noise"),
        ({"amplified": (0.6, 0.5)}, "amplified-disjoint-data-transfers-less"),
        # Less, but not considerably.
        ({"same": 0.35, "other": 0.3}, "disjoint-data-transfers-less"),
    ],
)
def test_each_claim_on_table_4_differs_where_its_opposite_is_true(how, name):
    found = {name: claim.verdict for name, claim in across_splits(**how).items()}
    assert found.pop(name) == "differs"
    assert set(found.values()) == {"agrees"}


def test_images_wrong_when_clean_count_nowhere():
    predictions = predictions_by(clean_error=0.5)
    hits = fooling_hits(predictions)
    clean = predictions[predictions["row"] == "clean"]
    correct = int((clean["label"] == clean["prediction"]).sum())
    assert not hits.loc[hits["row"] == "clean", "hit"].any()
    assert (hits["row"] == "clean").sum() == correct
    gap = across_splits(clean_error=0.5)["disjoint-data-transfers-less"]
    assert gap.measured == pytest.approx(0.3, abs=0.1)


@pytest.mark.parametrize(("failed", "verdict"), [(0, "agrees"), (1, "differs")])
def test_a_single_failure_contradicts_that_every_image_has_one(failed, verdict):
    reached = pd.Series([False] * failed + [True] * (500 - failed))
    claim = adversarial_images_exist({"net": [reached]})
    assert claim.verdict == verdict
    assert claim.low < 1


@pytest.mark.parametrize(
    ("lengths", "verdict"),
    [
        ((0.06, 0.09, 0.14), "agrees"),
        ((0.06, 0.12, 0.14), "differs"),
        ((0.06, 0.099, 0.14), "undecided"),
    ],
)
def test_images_are_close_where_all_networks_but_one_have_short_ones(lengths, verdict):
    found = adversarial_images_are_close(
        {str(x): Interval(x, x - 0.005, x + 0.005) for x in lengths}
    )
    assert (found.measured, found.verdict) == (lengths[1], verdict)
    assert found.evidence.endswith(str(lengths[1]))
