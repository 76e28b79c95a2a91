"""The claims on Table 2, on predictions whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from synthetic import first_wrong

from intriguing.attack.claims import adversarial_images_exist
from intriguing.tables.rates import error_rates
from intriguing.transfer.claims import (
    among,
    autoencoder_resists,
    claims,
    strong_to_weak,
    strong_to_weak_is_best,
    transfer_beats_noise,
)

NETWORKS = ("weak", "strong", "coded")


def transfer_of(strength: dict[tuple[str, str], int], noise: int) -> pd.DataFrame:
    errors = {("clean", column): [5] * 5 for column in NETWORKS}
    for source in NETWORKS:
        for column in NETWORKS:
            errors[source, column] = [strength.get((source, column), 100)] * 5
            errors[f"matched:{source}", column] = [noise] * 5
    return first_wrong(errors)


STRENGTH = {
    ("weak", "strong"): 30,
    ("weak", "coded"): 15,
    ("strong", "weak"): 80,
    ("strong", "coded"): 20,
    ("coded", "weak"): 40,
    ("coded", "strong"): 35,
}


def test_transfer_far_above_noise_agrees_and_near_it_does_not():
    assert transfer_beats_noise(transfer_of(STRENGTH, 7)).verdict == "agrees"
    weak = dict.fromkeys(STRENGTH, 30)
    assert transfer_beats_noise(transfer_of(weak, 28)).verdict == "differs"


def test_transfer_and_noise_are_averaged_over_pairs_of_different_networks():
    claim = transfer_beats_noise(transfer_of(STRENGTH, 7))
    foreign = np.mean([(wrong - 5) / 95 for wrong in STRENGTH.values()])
    assert claim.measured == pytest.approx(foreign - 2 / 95)


def test_direction_between_linear_networks_is_judged_by_its_least_difference():
    rates = error_rates(transfer_of(STRENGTH, 7))
    claim = strong_to_weak(rates, ["weak", "strong"])
    assert claim.verdict == "agrees"
    assert claim.measured == pytest.approx(0.5)
    assert strong_to_weak(rates, ["strong", "weak"]).verdict == "differs"
    assert strong_to_weak_is_best(rates, ["weak", "strong"]).verdict == "agrees"


def test_the_network_with_the_fewest_errors_on_foreign_images_resists_best():
    rates = error_rates(transfer_of(STRENGTH, 7))
    claim = autoencoder_resists(rates, "coded")
    assert claim.verdict == "agrees"
    # Against `weak` on the images of `strong`, and the other way round.
    assert claim.measured == pytest.approx(min(0.8 - 0.2, 0.3 - 0.15))
    assert autoencoder_resists(rates, "weak").verdict == "differs"


@pytest.mark.parametrize(
    ("by_decay", "autoencoder", "left_out"),
    [
        (["weak", "strong"], "coded", set()),
        (["weak"], "coded", {"strong-to-weak-linear", "strong-to-weak-is-best"}),
        (["weak", "strong"], None, {"autoencoder-resists"}),
    ],
)
def test_claims_on_networks_that_are_not_there_are_left_out(
    by_decay, autoencoder, left_out
):
    predictions = transfer_of(STRENGTH, 7)
    whole = claims(predictions, ["weak", "strong"], "coded")
    found = claims(predictions, by_decay, autoencoder)
    assert {one.id for one in whole} - {one.id for one in found} == left_out
    assert len(whole) == 4


def test_a_single_network_has_no_claim_on_transfer():
    predictions = first_wrong({("clean", "weak"): [5], ("weak", "weak"): [100]})
    assert claims(predictions, ["weak"], None) == []


def test_claims_on_transfer_are_of_the_papers_own_networks():
    names = ["A", "B", "net"]
    rows = [*names, *(f"matched:{name}" for name in names), "clean", "noise-0.1"]
    cells = [(row, column) for row in rows for column in names]
    kept = among(pd.DataFrame(cells, columns=["row", "column"]), ["A", "B"])
    assert set(kept["column"]) == {"A", "B"}
    assert set(kept["row"]) == set(rows) - {"net", "matched:net"}
    assert len(kept) == 2 * 6


@pytest.mark.parametrize(("failed", "verdict"), [(0, "agrees"), (1, "differs")])
def test_a_single_failure_contradicts_that_every_image_has_one(failed, verdict):
    reached = pd.Series([False] * failed + [True] * (500 - failed))
    claim = adversarial_images_exist({"net": [reached]})
    assert claim.verdict == verdict
    assert claim.low < 1
