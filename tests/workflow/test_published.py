"""The paper's numbers, as they are kept in data/published.tsv."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from intriguing.stats.agreement import read_printed

PATH = Path(__file__).parents[2] / "data/published.tsv"
NETWORKS = [
    "FC10-1e-4",
    "FC10-1e-2",
    "FC10-1",
    "FC100-100-10",
    "FC200-200-10",
    "AE400-10",
]
HALVES = ["FC100-100-10@P1", "FC123-456-10@P1", "FC100-100-10@P2"]
NOISES = ["noise-0.06", "noise-0.1"]
AMPLIFIED = [f"amplified:{name}" for name in HALVES]
GRIDS = {
    "models": (NETWORKS, ["train-error", "test-error", "distortion"]),
    "cross-model": (
        [*NETWORKS, "noise-0.1", "noise-0.3"],
        [*NETWORKS, "distortion"],
    ),
    "training-sets": (HALVES, ["error-P1", "error-P2", "test-error", "distortion"]),
    "cross-training-set": (
        [*HALVES, *AMPLIFIED, *NOISES],
        [*HALVES, "distortion"],
    ),
    "adversarial-training": (
        ["weight-decay", "dropout", "layer-pools"],
        ["test-error"],
    ),
}


@pytest.fixture(scope="module")
def published():
    return pd.read_csv(PATH, sep="\t")


def column(published, table, name):
    own = published[(published["table"] == table) & (published["column"] == name)]
    return own.set_index("row")["value"]


@pytest.mark.parametrize("table", GRIDS)
def test_every_cell_of_a_table_is_there_once(published, table):
    own = published[published["table"] == table]
    rows, columns = GRIDS[table]
    expected = sorted((row, name) for row in rows for name in columns)
    assert sorted(zip(own["row"], own["column"], strict=True)) == expected


def test_layers_have_sizes_and_the_bounds_of_both_versions(published):
    own = published[published["table"] == "spectral"]
    sizes, bounds = (
        ["in-channels", "out-channels"],
        ["upper-v4", "lower-v1", "upper-v1"],
    )
    expected = {f"fc{k}": {*sizes, *bounds} for k in (1, 2, 3)}
    expected |= {f"conv{k}": {*sizes, *bounds, "kernel", "stride"} for k in range(1, 6)}
    assert own.groupby("row")["column"].agg(set).to_dict() == expected
    assert not own.duplicated(["row", "column"]).any()


def test_no_other_table_is_there(published):
    assert set(published["table"]) == {*GRIDS, "spectral"}


def test_value_equals_what_is_printed(published):
    wrong = [
        f"{one.table} {one.row} {one.column}"
        for one in published.itertuples()
        if read_printed(one.printed)[0] != one.value
    ]
    assert wrong == []


def test_percentages_and_rates_are_the_same_cells(published):
    not_rates = published["column"].str.match("distortion") | (
        published["table"] == "spectral"
    )
    assert (published["printed"].str.endswith("%") == ~not_rates).all()


def test_values_lie_in_the_range_of_their_kind(published):
    layers = published["table"] == "spectral"
    assert published.loc[~layers, "value"].between(0, 1).all()
    assert (published.loc[layers, "value"] > 0).all()


def test_only_layers_and_settings_have_no_sample(published):
    layers = published["table"] == "spectral"
    setting = (published["column"] == "distortion") & (
        published["row"].str.match("noise|amplified")
    )
    assert (published["sample"].isna() == (layers | setting)).all()
    assert set(published["sample"].dropna()) == {256, 10_000, 30_000, 60_000}


def test_setting_of_a_noise_row_is_its_name(published):
    rows = published[(published["column"] == "distortion")]
    rows = rows[rows["row"].str.startswith("noise-")]
    assert (rows["row"].str.removeprefix("noise-").astype(float) == rows["value"]).all()


def test_versions_differ_only_in_the_layers(published):
    layers = published["table"] == "spectral"
    assert set(published.loc[~layers, "source"]) == {"both"}
    assert set(published["source"]) == {"v1", "v4", "both"}


def test_every_network_fails_on_its_own_adversarial_images(published):
    for table, own in (("cross-model", NETWORKS), ("cross-training-set", HALVES)):
        for name in own:
            assert column(published, table, name)[name] == 1


@pytest.mark.parametrize(
    ("small", "large"),
    [("models", "cross-model"), ("training-sets", "cross-training-set")],
)
def test_tables_repeat_the_same_distortions(published, small, large):
    first = column(published, small, "distortion")
    assert column(published, large, "distortion")[first.index].equals(first)


def test_inputs_of_a_layer_are_outputs_of_the_one_before(published):
    inputs = column(published, "spectral", "in-channels")
    outputs = column(published, "spectral", "out-channels")
    chain = ["conv1", "conv2", "conv3", "conv4", "conv5"]
    for before, after in pairwise(chain):
        assert inputs[after] == outputs[before]
    assert inputs["fc1"] == outputs["conv5"] * 6 * 6
    assert inputs["fc2"] == outputs["fc1"]
    assert inputs["fc3"] == outputs["fc2"]


def test_adversarial_cells_are_shares_of_256_images_but_for_two(published):
    """The reason to believe in 256 images: rounding or cutting k / 256 gives them."""
    own = published[
        (published["sample"] == 256) & published["printed"].str.endswith("%")
    ]
    misfits = []
    for one in own.itertuples():
        _, unit = read_printed(one.printed)
        step = Decimal(str(unit))
        value = Decimal(one.printed.rstrip("%")) / 100
        shares = (Decimal(k) / 256 for k in range(257))
        if not any(value - step / 2 <= share < value + step for share in shares):
            misfits.append((one.row, one.column))
    assert misfits == [("FC10-1", "FC100-100-10"), ("AE400-10", "FC10-1")]
