"""The paper's numbers, as they are kept in data/published.tsv."""

from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pytest
from conftest import ROOT

from intriguing.stats.equivalence import read_printed

PUBLISHED = pd.read_csv(ROOT / "data/published.tsv", sep="\t")
PERCEPTRONS = ["FC10-1e-4", "FC10-1e-2", "FC10-1", "FC100-100-10", "FC200-200-10"]
NETWORKS = [*PERCEPTRONS, "AE400-10"]
SPLITS = ["FC100-100-10@P1", "FC123-456-10@P1", "FC100-100-10@P2"]
SET_ROWS = [f"amplified:{name}" for name in SPLITS] + ["noise-0.06", "noise-0.1"]
GRIDS = {
    "models": (NETWORKS, ["train-error", "test-error", "distortion"]),
    "cross-model": ([*NETWORKS, "noise-0.1", "noise-0.3"], [*NETWORKS, "distortion"]),
    "training-sets": (SPLITS, ["error-P1", "error-P2", "test-error", "distortion"]),
    "cross-training-set": ([*SPLITS, *SET_ROWS], [*SPLITS, "distortion"]),
    "adversarial-training": (
        ["weight-decay", "dropout", "layer-pools"],
        ["test-error"],
    ),
}
LAYERS = PUBLISHED["table"] == "spectral"
DISTORTIONS = PUBLISHED["column"] == "distortion"


def column(table, name):
    own = PUBLISHED[(PUBLISHED["table"] == table) & (PUBLISHED["column"] == name)]
    return own.set_index("row")["value"]


@pytest.mark.parametrize("table", GRIDS)
def test_every_cell_of_a_table_is_there_once(table):
    own = PUBLISHED[PUBLISHED["table"] == table]
    rows, columns = GRIDS[table]
    expected = sorted((row, name) for row in rows for name in columns)
    assert sorted(zip(own["row"], own["column"], strict=True)) == expected


def test_layers_have_sizes_and_the_bounds_of_both_versions():
    own = PUBLISHED[LAYERS]
    every = {"in-channels", "out-channels", "upper-v4", "lower-v1", "upper-v1"}
    expected = {f"fc{k}": every for k in (1, 2, 3)}
    expected |= {f"conv{k}": {*every, "kernel", "stride"} for k in range(1, 6)}
    assert own.groupby("row")["column"].agg(set).to_dict() == expected
    assert not own.duplicated(["row", "column"]).any()
    assert set(PUBLISHED["table"]) == {*GRIDS, "spectral"}


def test_value_equals_what_is_printed():
    wrong = [
        f"{one.table} {one.row} {one.column}"
        for one in PUBLISHED.itertuples()
        if read_printed(one.printed)[0] != one.value
    ]
    assert wrong == []


def test_kinds_have_their_ranges_samples_and_sources():
    assert (PUBLISHED["printed"].str.endswith("%") == ~(DISTORTIONS | LAYERS)).all()
    assert PUBLISHED.loc[~LAYERS, "value"].between(0, 1).all()
    assert (PUBLISHED.loc[LAYERS, "value"] > 0).all()
    settings = DISTORTIONS & PUBLISHED["row"].str.match("noise|amplified")
    assert (PUBLISHED["sample"].isna() == (LAYERS | settings)).all()
    assert set(PUBLISHED["sample"].dropna()) == {256, 10_000, 30_000, 60_000}
    noise = PUBLISHED[DISTORTIONS & PUBLISHED["row"].str.startswith("noise-")]
    assert (
        noise["row"].str.removeprefix("noise-").astype(float) == noise["value"]
    ).all()
    assert set(PUBLISHED.loc[~LAYERS, "source"]) == {"both"}
    assert set(PUBLISHED["source"]) == {"v1", "v4", "both"}


def test_every_network_fails_on_its_own_adversarial_images():
    for table, own in (("cross-model", NETWORKS), ("cross-training-set", SPLITS)):
        for name in own:
            assert column(table, name)[name] == 1


@pytest.mark.parametrize(
    ("small", "large"),
    [("models", "cross-model"), ("training-sets", "cross-training-set")],
)
def test_tables_repeat_the_same_distortions(small, large):
    first = column(small, "distortion")
    assert column(large, "distortion")[first.index].equals(first)


def test_inputs_of_a_layer_are_outputs_of_the_one_before():
    inputs = column("spectral", "in-channels")
    outputs = column("spectral", "out-channels")
    chain = ["conv1", "conv2", "conv3", "conv4", "conv5"]
    for before, after in pairwise(chain):
        assert inputs[after] == outputs[before]
    assert inputs["fc1"] == outputs["conv5"] * 6 * 6
    assert inputs["fc2"] == outputs["fc1"]
    assert inputs["fc3"] == outputs["fc2"]


def test_adversarial_cells_are_shares_of_256_images_but_for_two():
    """The reason to believe in 256 images: rounding or cutting k / 256 gives them."""
    of_256 = PUBLISHED[PUBLISHED["sample"] == 256]
    own = of_256[of_256["printed"].str.endswith("%")]
    misfits = []
    for one in own.itertuples():
        _, unit = read_printed(one.printed)
        step = Decimal(str(unit))
        value = Decimal(one.printed.rstrip("%")) / 100
        shares = (Decimal(k) / 256 for k in range(257))
        if not any(value - step / 2 <= share < value + step for share in shares):
            misfits.append((one.row, one.column))
    assert misfits == [("FC10-1", "FC100-100-10"), ("AE400-10", "FC10-1")]
