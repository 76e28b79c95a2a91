"""The sheets: what is refused, what they ask for, what each step takes from them."""

import pytest
import yaml
from conftest import ROOT

from intriguing.errors import InputError
from intriguing.workflow import splits
from intriguing.workflow.config import RunConfig, read_config
from intriguing.workflow.sheets import (
    ModelRow,
    attacked,
    image_count,
    read_attacks,
    read_models,
    seeds_of,
    trained,
)

MODELS = """\
model family hidden decay split learning_rate epochs batch warmup
FC10-1 linear - 1 all - - - -
FC9-8-10@P1 sigmoid 9,8 1e-5,1e-5,1e-6 P1 2e-2 3 50 0
AE7-10 autoencoder 7 1e-6 all 2e-2 3 50 0.2
"""
ATTACKS = """\
attack method norm search target models seeds images
lbfgs lbfgs squared refine random all all all
coarse lbfgs squared grid random FC10-1,AE7-10 0 sample
one lbfgs squared one-weight random FC9-8-10@P1 2 30
"""
WRONG_CELL = ("A cell of a sheet is wrong", "everything; no job starts")
SMALL = {"seeds": [0, 2], "attack": {"images": 40, "sample": 20}}


@pytest.fixture
def write(tmp_path):
    """Write a sheet whose cells stand apart by blanks here, by tabs in the file."""

    def to_file(text, name="sheet.tsv"):
        (tmp_path / name).write_text(text.replace(" ", "\t"))
        return tmp_path / name

    return to_file


@pytest.fixture
def models(write):
    return read_models(write(MODELS, "models.tsv"))


def told(read, *arguments):
    """Return what the user is told about a wrong sheet."""
    with pytest.raises(InputError) as caught:
        read(*arguments)
    return str(caught.value)


def test_a_row_is_read_as_it_is_meant(models):
    assert list(models) == ["FC10-1", "FC9-8-10@P1", "AE7-10"]
    assert models["FC9-8-10@P1"] == ModelRow(
        model="FC9-8-10@P1",
        family="sigmoid",
        hidden=(9, 8),
        decay=(1e-5, 1e-5, 1e-6),
        split="P1",
        learning_rate=0.02,
        epochs=3,
        batch=50,
        warmup=0,
    )
    assert models["FC10-1"].hidden == ()
    assert models["FC10-1"].epochs is None


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("model family", "model famly", ["'famly'", "did you mean family?"]),
        (" warmup\n", " warmup colour\n", ["'colour' is not a known column"]),
        ("1 all - -", "1 all -", ["FC10-1", "8 cells", "header has 9"]),
        ("AE7-10 auto", "FC10-1 auto", ["two rows are called FC10-1"]),
        ("linear", "lineal", ["row FC10-1, family: must be", "'lineal'"]),
        ("9,8 1e-5", "9,x 1e-5", ["row FC9-8-10@P1, hidden.1", "not 'x'"]),
        ("9,8 1e-5", "9 1e-5", ["row FC9-8-10@P1, decay: must have 2", "not 3"]),
        ("linear - 1", "linear 5 1", ["row FC10-1, hidden"]),
        ("all - - - -", "all 1 - - -", ["row FC10-1, learning_rate", "convex"]),
        ("all 2e-2 3 50 0.2", "all - - - -", ["row AE7-10, learning_rate", "Adam"]),
        ("P1 2e-2", "P1 -", ["row FC9-8-10@P1, epochs: must be -"]),
        ("50 0.2", "- 0.2", ["row AE7-10, batch: must be a number"]),
        ("50 0.2", "0 0.2", ["row AE7-10, batch: must be at least 1, not '0'"]),
        ("50 0.2", "50 1.2", ["row AE7-10, warmup: must be less than 1"]),
        ("1e-6 all", "-1 all", ["row AE7-10, decay.0: must be at least 0"]),
        ("1e-6 all", "nan all", ["row AE7-10, decay.0: must be a finite number"]),
        ("1e-6 all", "1e-6 P3", ["row AE7-10, split: must be", "'P3'"]),
        ("1e-6 all", "1e-6 P2", ["row AE7-10, model: must end in @P2"]),
        ("AE7-10", "AE7-10@P1", ["row AE7-10@P1, model: must have no @"]),
        ("1e-6 P1", "1e-6 P2", ["row FC9-8-10@P1, model: must end in @P2"]),
        ("AE7-10", "../AE7", ["row ../AE7, model: must match"]),
    ],
)
@pytest.mark.fault(*WRONG_CELL)
def test_a_wrong_sheet_of_networks_is_told_with_row_and_column(
    write, old, new, parts, seen
):
    assert MODELS.count(old) == 1
    path = write(MODELS.replace(old, new))
    message = told(read_models, path)
    seen(message, f"{old} → {new}")
    assert message.startswith(str(path))
    assert "\n" not in message
    assert all(part in message for part in parts), message


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("0 sample", "0 some", ["row coarse, images: must match", "'some'"]),
        ("0 sample", "x sample", ["row coarse, seeds.0", "not 'x'"]),
        ("FC10-1,AE7-10", "FC10-1,AE7", ["row coarse, models", "'AE7'", "AE7-10"]),
        ("squared one", "plain one", ["row one, norm: ", "must be squared"]),
        ("lbfgs squared grid", "scipy squared grid", ["row coarse, method"]),
        ("one-weight random", "one-weight next", ["row one, target", "random"]),
        ("lbfgs lbfgs", "other lbfgs", ["row coarse, search", "add that row"]),
        ("squared refine", "squared grid", ["row lbfgs, search", "refine"]),
        ("coarse", "Coarse", ["row Coarse, attack: must match"]),
        ("coarse", "minimal", ["row minimal, attack", "rule", "call the row"]),
    ],
)
@pytest.mark.fault(*WRONG_CELL)
def test_a_wrong_sheet_of_attacks_is_told_with_row_and_column(
    write, models, old, new, parts, seen
):
    assert ATTACKS.count(old) == 1
    path = write(ATTACKS.replace(old, new))
    message = told(read_attacks, path, models)
    seen(message, f"{old} → {new}")
    assert message.startswith(str(path))
    assert "\n" not in message
    assert all(part in message for part in parts), message


@pytest.mark.parametrize("text", ["", "\n\n", "model family\n", MODELS.split("\n")[0]])
def test_a_sheet_without_rows_or_that_is_not_there_is_refused(write, tmp_path, text):
    assert "sheet.tsv" in told(read_models, write(text))
    unread = told(read_models, tmp_path / "none.tsv")
    assert "none.tsv: the sheet cannot be read" in unread


def test_empty_lines_and_windows_line_ends_change_nothing(write, models):
    text = MODELS.replace("\n", "\r\n\r\n")
    assert read_models(write(text)) == models


def test_convex_networks_are_trained_with_seed_0_only(models):
    assert seeds_of(models["FC10-1"], (3, 4)) == (0,)
    assert seeds_of(models["AE7-10"], (3, 4)) == (3, 4)
    assert trained(models, (0, 2)) == [
        ("FC10-1", 0),
        *[("FC9-8-10@P1", 0), ("FC9-8-10@P1", 2)],
        *[("AE7-10", 0), ("AE7-10", 2)],
    ]


def test_the_attacks_asked_for_are_those_of_the_sheet(write, models):
    attacks = read_attacks(write(ATTACKS), models)
    jobs = attacked(attacks, models, read_config(SMALL))
    everything = [("lbfgs", model, seed) for model in models for seed in (0, 2)]
    chosen = [("coarse", "FC10-1", 0), ("coarse", "AE7-10", 0)]
    assert jobs == [*everything, *chosen, ("one", "FC9-8-10@P1", 2)]


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"seeds": [0, 1]}, ["row one, seeds: [2]", "config's seeds [0, 1]"]),
        (
            {"attack": {"images": 29, "sample": 20}},
            ["row one, images: 30", "attack.images 29"],
        ),
    ],
)
def test_an_attack_that_the_config_cannot_serve_is_told(write, models, changes, parts):
    attacks = read_attacks(write(ATTACKS), models)
    message = told(attacked, attacks, models, read_config(SMALL | changes))
    assert all(part in message for part in parts), message


def test_a_cell_stands_for_a_number_of_images():
    section = read_config({"attack": {"images": 41, "sample": 20}}).attack
    cells = ("all", "sample", "30")
    assert [image_count(cell, section) for cell in cells] == [41, 20, 30]


def sheets(run):
    """Read the two sheets of one of our runs, relative to the root."""
    config = read_config(
        {} if run == "paper" else {"models": f"config/{run}-models.tsv"}
    )
    models = read_models(ROOT / config.models)
    prefix = "" if run == "paper" else f"{run}-"
    return models, read_attacks(ROOT / f"config/{prefix}attacks.tsv", models)


def test_smoke_has_every_kind_of_network_and_search_of_the_paper_run():
    (models, attacks), (small_models, small_attacks) = sheets("paper"), sheets("smoke")
    assert list(small_models) == [m for m in models if m in small_models]
    assert list(small_attacks) == [a for a in attacks if a in small_attacks]
    kinds = [{(r.family, r.split) for r in m.values()} for m in (models, small_models)]
    assert kinds[0] == kinds[1]
    # A search begins anew or goes on from the finest one's records.
    assert {"refine", "grid"} == {row.search for row in small_attacks.values()}
    for name, small in small_models.items():
        row = models[name]
        assert (small.family, small.hidden) == (row.family, row.hidden)
        assert (small.decay, small.split) == (row.decay, row.split)


def test_the_quick_run_has_the_same_networks_trained_by_adam():
    config = read_config(yaml.safe_load((ROOT / "config/quick.yaml").read_text()))
    models, quick = (read_models(ROOT / p) for p in (RunConfig().models, config.models))
    assert list(quick) == list(models)
    optimiser = dict.fromkeys(("learning_rate", "epochs", "batch", "warmup"))
    for name, row in models.items():
        assert (row.learning_rate is None) == (row.family != "autoencoder")
        assert (quick[name].learning_rate is None) == (row.family == "linear")
        if row.family == "sigmoid":
            assert quick[name].model_copy(update=optimiser) == row
        else:
            assert quick[name] == row


def test_the_papers_networks_are_in_the_sheet():
    models, _ = sheets("paper")
    linear = ["FC10-1e-4", "FC10-1e-2", "FC10-1"]
    assert [*linear, "FC100-100-10", "FC200-200-10", "AE400-10"] == list(models)[:6]
    for name in linear:
        assert models[name].decay == (float(name.removeprefix("FC10-")),)
    for name, row in models.items():
        units = name.partition("@")[0].lstrip("FCAE").split("-")
        if row.hidden:
            assert [str(width) for width in row.hidden] == units[:-1]


# Networks on splits


SPLITS = """\
model family hidden decay split learning_rate epochs batch warmup
FC10-1 linear - 1 all - - - -
A@P1 sigmoid 9,8 1e-5,1e-5,1e-6 P1 2e-2 3 50 0
B@P1 sigmoid 7,8 1e-5,1e-5,1e-6 P1 2e-2 3 50 0
A@P2 sigmoid 9,8 1e-5,1e-5,1e-6 P2 2e-2 3 50 0
B@P2 sigmoid 7,8 1e-5,1e-5,1e-6 P2 2e-2 3 50 0
"""


@pytest.fixture
def on_splits(write):
    return read_models(write(SPLITS, "splits.tsv"))


def config(*networks, **settings):
    return read_config({"training_sets": {"networks": networks, **settings}})


def test_networks_on_splits_are_told_apart_and_compared_in_the_order_of_the_config(
    on_splits,
):
    assert list(splits.whole(on_splits)) == ["FC10-1"]
    assert list(splits.on_splits(on_splits)) == ["A@P1", "B@P1", "A@P2", "B@P2"]
    chosen = splits.compared(on_splits, config("A@P2", "A@P1", "B@P1"))
    assert list(chosen) == ["A@P2", "A@P1", "B@P1"]
    assert splits.compared(on_splits, config()) == {}


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        (("A@P1", "A@P2", "C@P1"), "'C@P1'; known: A@P1, B@P1"),
        (("A@P1", "A@P2", "FC10-1"), "trained on a split is called 'FC10-1'"),
        (("A@P1", "A@P2"), "two trained on one split and one trained on the other"),
        (("A@P1", "B@P1"), "two trained on one split and one trained on the other"),
    ],
)
def test_networks_that_cannot_be_compared_are_refused_in_one_line(
    on_splits, networks, said
):
    message = told(splits.compared, on_splits, config(*networks))
    assert message.startswith("config: training_sets.networks: ")
    assert said in message
    assert "\n" not in message
