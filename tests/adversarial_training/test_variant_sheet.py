"""The sheet of the ways to regularise, and what is claimed of them."""

import itertools

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from synthetic import predictions_with

from intriguing.adversarial_training.claims import claims
from intriguing.adversarial_training.table import variant_cells
from intriguing.errors import InputError
from intriguing.workflow import variants

SHEET = """\
setting variant decay dropout lengths weight renewed learning_rate epochs batch chosen
decay-1 weight-decay 1e-5,1e-5,1e-6 0,0,0 -,-,- 0 1 1e-2 2 50 yes
drop-1 dropout 1e-5,1e-5,1e-6 0.2,0.1,0 -,-,- 0 1 1e-2 2 50 -
drop-2 dropout 1e-5,1e-5,1e-6 0.3,0.1,0 -,-,- 0 1 1e-2 2 50 yes
image-1 input-pool 1e-5,1e-5,1e-6 0,0,0 1.5,-,- 2 0.5 1e-2 2 50 yes
layer-1 layer-pools 1e-5,1e-5,1e-6 0,0,0 1.5,0.3,- 2 0.25 1e-2 2 50 yes
"""


def read(tmp_path, text):
    path = tmp_path / "variants.tsv"
    path.write_text(text.replace(" ", "\t"))
    return variants.read_variants(path)


def test_a_setting_is_read_as_it_is_meant(tmp_path):
    row = read(tmp_path, SHEET)["layer-1"]
    assert row.lengths == (1.5, 0.3, None)
    assert row.dropout == (0, 0, 0)
    assert row.decay == (1e-5, 1e-5, 1e-6)


def test_the_chosen_settings_have_the_names_of_their_networks(tmp_path):
    chosen = variants.chosen(read(tmp_path, SHEET))
    assert list(chosen) == [
        "FC100-100-10-weight-decay",
        "FC100-100-10-dropout",
        "FC100-100-10-input-pool",
        "FC100-100-10-layer-pools",
    ]
    assert chosen["FC100-100-10-dropout"].setting == "drop-2"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "0.3,0.1,0 -,-,- 0 1 1e-2 2 50 yes",
            "0.3,0.1,0 -,-,- 0 1 1e-2 2 50 -",
            "0 setti",
        ),
        (
            "0.2,0.1,0 -,-,- 0 1 1e-2 2 50 -",
            "0.2,0.1,0 -,-,- 0 1 1e-2 2 50 yes",
            "choose",
        ),
        ("1.5,-,- 2", "1.5,1,- 2", "image-1, lengths: do not make it"),
        ("1.5,0.3,- 2", "1.5,-,- 2", "layer-1, lengths: do not make it"),
        ("1.5,0.3,- 2", "1.5,0.3 2", "layer-1, lengths: must have 3 entries"),
        ("0.2,0.1,0", "0,0,0", "drop-1, dropout: does not make it the variant"),
        ("0.2,0.1,0", "1,0.1,0", "drop-1, dropout.0"),
        ("weight-decay", "weight", "decay-1, variant: must be"),
    ],
)
def test_a_wrong_sheet_is_told_with_row_and_column(tmp_path, old, new, told):
    assert SHEET.count(old) == 1
    with pytest.raises(InputError) as caught:
        read(tmp_path, SHEET.replace(old, new))
    assert told in str(caught.value)
    assert "variants.tsv" in str(caught.value)


def test_every_variant_was_given_as_many_settings_to_choose_from():
    rows = variants.read_variants(ROOT / "config/variants.tsv").values()
    counts = pd.Series([row.variant for row in rows]).value_counts()
    assert {"weight-decay", "dropout", "input-pool", "layer-pools"} <= set(counts.index)
    assert counts.nunique() == 1


TUNED = ROOT / "results/paper/tables/tuning.csv"


@pytest.mark.skipif(not TUNED.is_file(), reason="`snakemake tuning` has not been run")
def test_the_best_setting_on_held_out_images_is_the_chosen_one():
    rows = variants.read_variants(ROOT / "config/variants.tsv")
    table = pd.read_csv(TUNED)
    errors = table[table["column"] == "held-out-error"].set_index("row")["value"]
    assert set(errors.index) == set(rows)
    for row in (row for row in rows.values() if row.chosen == "yes"):
        own = [name for name, other in rows.items() if other.variant == row.variant]
        assert errors[row.setting] == errors[own].min()


def counts(wrong, images=10_000):
    return [{"wrong": number, "images": images} for number in wrong]


GOOD, BAD = counts([105, 110, 100, 108, 104]), counts([150, 155, 149, 160, 152])


LAYERS = ["layer-pools-below-1.2", "layer-pools-beats-dropout"]


@pytest.mark.parametrize(
    ("errors", "verdicts"),
    [
        (
            {"layer-pools": GOOD, "input-pool": BAD, "weight-decay": BAD},
            {
                "layer-pools-below-1.2": "agrees",
                "layer-pools-beats-input-pool": "agrees",
                "input-pool-does-not-beat-weight-decay": "undecided",
            },
        ),
        ({"layer-pools": BAD, "dropout": GOOD}, dict.fromkeys(LAYERS, "differs")),
        (
            {"layer-pools": counts([120]), "dropout": counts([125])},
            dict.fromkeys(LAYERS, "undecided"),
        ),
        ({"dropout": BAD}, {}),
    ],
)
def test_the_claims_follow_the_errors(errors, verdicts):
    assert {claim.id: claim.verdict for claim in claims(errors)} == verdicts


def test_transfer_counts_images_that_are_classified_correctly_when_clean():
    """B errs on every other clean image; those of A fool it, its own do not."""
    is_wrong, index = {}, np.arange(50)
    sets = ["clean", "A", "B", "amplified:A", "amplified:B"]
    for row, column in itertools.product(sets, "AB"):
        is_wrong[row, column] = [
            ((column == "B") & (index % 2 == 1))
            | (row.endswith("A") & (index % 4 == 0))
        ]
    errors = {"train": {"wrong": 0, "images": 9}, "test": {"wrong": 3, "images": 9}}
    predictions = predictions_with(is_wrong)
    cells = variant_cells({"A": [errors], "B": [errors]}, predictions)
    for prefix in ("", "amplified:"):
        assert cells[f"{prefix}A", "A"].value == pytest.approx(13 / 50)
        assert cells[f"{prefix}A", "B"].value == pytest.approx(13 / 25)
        assert cells[f"{prefix}B", "B"].value == 0
    assert cells["A", "test-error"].value == pytest.approx(1 / 3)
    assert cells["A", "distortion"].value == pytest.approx(0.1)
    assert ("amplified:A", "test-error") not in cells
