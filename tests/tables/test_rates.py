"""From answers to single images to the cells of tables and to claims."""

import runpy

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from intriguing.tables import rates as results
from intriguing.tables.html import claims_page, table_page
from intriguing.tables.tidy import tidy
from intriguing.transfer import claims as findings


def answers_of(errors: dict[tuple[str, str], list[int]], images: int = 100):
    """Answers in which so many of the first images of each seed are wrong."""
    tables = []
    for (row, column), wrong in errors.items():
        for seed, count in enumerate(wrong):
            label = np.zeros(images, int)
            prediction = (np.arange(images) < count).astype(int)
            known = {"row": row, "column": column, "seed": seed, "label": label}
            known |= {"index": np.arange(images), "distortion": 0.1 * (seed + 1)}
            tables.append(pd.DataFrame(known | {"prediction": prediction}))
    return pd.concat(tables, ignore_index=True)


def test_a_cell_is_the_share_of_wrong_answers_over_seeds():
    rates = results.error_rates(
        answers_of({("a", "b"): [10, 30], ("a", "a"): [100, 100]})
    )
    assert rates["a", "b"].value == pytest.approx(0.2)
    assert rates["a", "b"].n == 200
    assert rates["a", "b"].seeds == 2
    assert rates["a", "b"].low < 0.1 < 0.3 < rates["a", "b"].high
    assert rates["a", "a"].value == 1


def test_fooling_counts_only_images_that_were_right_when_clean():
    answers = answers_of({("clean", "b"): [20], ("a", "b"): [50]})
    rates = results.fooling_rates(answers, "clean")
    assert rates["a", "b"].value == pytest.approx(30 / 80)
    assert rates["clean", "b"].value == 0


def test_distortions_are_kept_apart_by_seed_and_counted_once():
    answers = answers_of({("a", "b"): [1, 2], ("a", "c"): [3, 4]})
    per_seed = results.set_distortions(answers)["a"]
    assert [len(seed) for seed in per_seed] == [100, 100]
    assert [seed[0] for seed in per_seed] == pytest.approx([0.1, 0.2])


def test_images_that_were_not_fooled_have_no_distortion():
    table = pd.DataFrame(
        {"reached": [True, False, True], "distortion": [0.1, 0.0, 0.3]}
    )
    assert results.distortions([table])[0].tolist() == [0.1, 0.3]


def test_errors_are_pooled_over_seeds():
    counts = [
        {"train": {"wrong": 1, "images": 100}, "test": {"wrong": 4, "images": 50}},
        {"train": {"wrong": 3, "images": 100}, "test": {"wrong": 6, "images": 50}},
    ]
    cells = results.error_cells("net", counts)
    assert cells["net", "train-error"].value == pytest.approx(0.02)
    assert cells["net", "test-error"].value == pytest.approx(0.1)


NETWORKS = ("weak", "strong", "coded")


judged = runpy.run_path(str(ROOT / "scripts/stats/claims.py"))["run"]


def transfer_of(strength: dict[tuple[str, str], int], noise: int) -> pd.DataFrame:
    errors = {("clean", column): [5] * 5 for column in NETWORKS}
    for source in NETWORKS:
        for column in NETWORKS:
            errors[source, column] = [strength.get((source, column), 100)] * 5
            errors[f"matched:{source}", column] = [noise] * 5
    return answers_of(errors)


STRENGTH = {
    ("weak", "strong"): 30,
    ("weak", "coded"): 15,
    ("strong", "weak"): 80,
    ("strong", "coded"): 20,
    ("coded", "weak"): 40,
    ("coded", "strong"): 35,
}


def test_transfer_far_above_noise_agrees_and_near_it_does_not():
    assert findings.transfer_beats_noise(transfer_of(STRENGTH, 7)).verdict == "agrees"
    weak = dict.fromkeys(STRENGTH, 30)
    assert findings.transfer_beats_noise(transfer_of(weak, 28)).verdict == "differs"


def test_transfer_and_noise_are_averaged_over_pairs_of_different_networks():
    claim = findings.transfer_beats_noise(transfer_of(STRENGTH, 7))
    foreign = np.mean([(wrong - 5) / 95 for wrong in STRENGTH.values()])
    assert claim.measured == pytest.approx(foreign - 2 / 95)


def test_direction_between_linear_networks_is_judged_by_its_least_difference():
    rates = results.error_rates(transfer_of(STRENGTH, 7))
    claim = findings.strong_to_weak(rates, ["weak", "strong"])
    assert claim.verdict == "agrees"
    assert claim.measured == pytest.approx(0.5)
    assert findings.strong_to_weak(rates, ["strong", "weak"]).verdict == "differs"
    assert (
        findings.strong_to_weak_is_best(rates, ["weak", "strong"]).verdict == "agrees"
    )


def test_the_network_with_the_fewest_errors_on_foreign_images_resists_best():
    rates = results.error_rates(transfer_of(STRENGTH, 7))
    claim = findings.autoencoder_resists(rates, "coded")
    assert claim.verdict == "agrees"
    # Against `weak` on the images of `strong`, and the other way round.
    assert claim.measured == pytest.approx(min(0.8 - 0.2, 0.3 - 0.15))
    assert findings.autoencoder_resists(rates, "weak").verdict == "differs"


@pytest.mark.parametrize(
    ("by_decay", "autoencoder", "left_out"),
    [
        (["weak", "strong"], "coded", set()),
        (["weak"], "coded", {"strong-to-weak-linear", "strong-to-weak-is-best"}),
        (["weak", "strong"], None, {"autoencoder-resists"}),
    ],
)
def test_claims_on_networks_that_are_not_there_are_left_out(
    by_decay, autoencoder, left_out, tmp_path
):
    pd.DataFrame({"reached": [True] * 50}).to_parquet(tmp_path / "records.parquet")
    records = [("weak", 0)], [str(tmp_path / "records.parquet")]
    answers = transfer_of(STRENGTH, 7)
    whole = judged(*records, answers, ["weak", "strong"], "coded")
    found = judged(*records, answers, by_decay, autoencoder)
    assert {one.id for one in whole} - {one.id for one in found} == left_out
    assert len(whole) == 5


def test_a_single_network_has_the_claim_on_its_own_images_alone(tmp_path):
    pd.DataFrame({"reached": [True] * 50}).to_parquet(tmp_path / "records.parquet")
    records = [("weak", 0)], [str(tmp_path / "records.parquet")]
    answers = answers_of({("clean", "weak"): [5], ("weak", "weak"): [100]})
    found = judged(*records, answers, ["weak"], None)
    assert [one.id for one in found] == ["adversarial-images-exist"]


@pytest.mark.parametrize(("failed", "verdict"), [(0, "agrees"), (1, "differs")])
def test_a_single_failure_contradicts_that_every_image_has_one(failed, verdict):
    reached = pd.Series([False] * failed + [True] * (500 - failed))
    claim = findings.every_image_has_one({"net": [reached]})
    assert claim.verdict == verdict
    assert claim.low < 1


def test_pages_show_every_cell_and_escape_what_is_no_markup():
    rates = results.error_rates(answers_of({("a<b", "c&d"): [10, 30]}))
    columns = ["table", "row", "column", "value", "printed", "sample"]
    page = table_page(tidy(rates, pd.DataFrame(columns=columns), "none"), "A & B")
    assert "a&lt;b" in page
    assert "c&amp;d" in page
    assert "20.0%" in page
    assert "<h1>A &amp; B</h1>" in page
    claim = findings.every_image_has_one({"net": [pd.Series([True] * 10)]})
    assert claim.statement in claims_page([claim])
