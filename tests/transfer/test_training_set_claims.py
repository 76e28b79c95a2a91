"""Claims across training sets, on predictions whose truth is known."""

import itertools

import numpy as np
import pandas as pd
import pytest

from intriguing.tables.rates import fooling_hits
from intriguing.transfer.training_set_claims import claims

SPLITS = {"A": "P1", "B": "P1", "C": "P2"}
IMAGES, SEEDS = 200, 3


def predictions_by(chance, clean_error=0.0):
    """Draw predictions; ``chance(row kind, source, target)`` is the share fooled."""
    generator = np.random.default_rng(0)
    frames = []
    for seed, target in itertools.product(range(SEEDS), SPLITS):
        wrong_when_clean = generator.random(IMAGES) < clean_error
        sets = {"clean": wrong_when_clean}
        for source, kind in itertools.product(SPLITS, ("", "matched:", "amplified:")):
            hit = generator.random(IMAGES) < chance(kind, source, target)
            sets[f"{kind}{source}"] = wrong_when_clean | hit
        for row, wrong in sets.items():
            known = {"row": row, "column": target, "seed": seed, "label": 0}
            known |= {"index": np.arange(IMAGES), "prediction": wrong.astype(int)}
            frames.append(pd.DataFrame(known))
    return pd.concat(frames, ignore_index=True)


def by_split(same, other, noise=0.01, amplified=0.5):
    """Fool networks of the same part and of the other one with these chances."""

    def chance(kind, source, target):
        made = same if SPLITS[source] == SPLITS[target] else other
        return {"": made, "matched:": noise, "amplified:": amplified}[kind]

    return chance


def verdicts(predictions):
    return {claim.id: claim.verdict for claim in claims(predictions, SPLITS)}


def test_the_paper_s_picture_makes_all_claims_agree():
    assert set(verdicts(predictions_by(by_split(0.3, 0.1))).values()) == {"agrees"}


@pytest.mark.parametrize(
    ("chance", "name"),
    [
        (by_split(0.1, 0.3), "disjoint-data-transfers-less"),
        (by_split(0.3, 0.1, noise=0.2), "disjoint-data-transfer-beats-noise"),
        (by_split(0.3, 0.1, amplified=0.1), "amplified-transfer-strongly"),
    ],
)
def test_each_claim_differs_where_its_opposite_is_true(chance, name):
    found = verdicts(predictions_by(chance))
    assert found.pop(name) == "differs"
    assert set(found.values()) == {"agrees"}


def test_what_is_measured_is_the_difference_that_was_put_in():
    found = {c.id: c for c in claims(predictions_by(by_split(0.4, 0.1)), SPLITS)}
    gap = found["disjoint-data-transfers-less"]
    assert gap.low < 0.3 < gap.high
    assert gap.measured == pytest.approx(0.3, abs=0.05)
    noise = found["disjoint-data-transfer-beats-noise"]
    assert noise.measured == pytest.approx(0.09, abs=0.03)


def test_images_wrong_when_clean_count_nowhere():
    predictions = predictions_by(by_split(0.3, 0.1), clean_error=0.5)
    hits = fooling_hits(predictions)
    assert not hits.loc[hits["row"] == "clean", "hit"].any()
    clean = predictions[predictions["row"] == "clean"]
    right = int((clean["label"] == clean["prediction"]).sum())
    assert (hits["row"] == "clean").sum() == right
    found = {c.id: c for c in claims(predictions, SPLITS)}
    assert found["disjoint-data-transfers-less"].measured == pytest.approx(0.2, abs=0.1)
