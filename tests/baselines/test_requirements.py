"""The table of what is asked of the attacks, and the exact optima in it."""

import runpy

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from intriguing.baselines.requirements import (
    AT_LEAST,
    AT_MOST,
    FIVE,
    constant,
    excess,
    kinds_of,
    ratios,
    requirements_table,
)
from intriguing.models.files import serialise_model
from intriguing.models.perceptron import perceptron, perceptron_architecture
from intriguing.tables.tidy import to_markdown

LENGTHS = {
    "minimal-1": [1.1, 2.2, 3.0],
    "minimal-8": [0.99, 2.0, 3.03],
    "minimal-8-lbfgs": [0.98, 2.0, 3.0],
    "lbfgs": [1.01, 2.0, 3.1],
    "scipy": [1.0, 2.0, 3.1],
    "ddn-100": [1.2, 2.3, 3.3],
    **{name: [1.0, 2.1, 3.0] for name in FIVE[:-1]},
}
SECONDS = {"minimal-1": 0.001, "minimal-8": 0.01, "scipy": 0.5, "lbfgs": 0.01}


def compared() -> pd.DataFrame:
    parts = [
        pd.DataFrame({"attack": name, "image": range(3), "distortion": own})
        .assign(reached=np.isfinite(own), forwards=13.5, backwards=19.0)
        .assign(seconds=SECONDS.get(name, 0.1), unconverged=0.25)
        for name, own in LENGTHS.items()
    ]
    return pd.concat(parts, ignore_index=True)


def exact() -> pd.DataFrame:
    optimum = np.array([1.0, 2.0])
    found = optimum * [1.001, 1.003]
    columns = {"image": range(2), "found": found, "exact": optimum, "lower": optimum}
    return pd.DataFrame(columns)


EXACT = {"FC10:targeted": exact()}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    frames = {"Net:targeted": compared(), "Net:untargeted": compared()}
    return requirements_table(frames, {"Conv:untargeted": compared()}, EXACT)


def value(table: pd.DataFrame, row: str, column: str) -> float:
    return table[table["row"].eq(row) & table["column"].eq(column)]["value"].item()


def test_lengths_are_held_against_the_best_of_five_image_by_image(table):
    row = "targeted: minimal-8 / best of five, "
    assert value(table, row + "mean", "Net") == pytest.approx((0.99 + 1 + 1.01) / 3)
    assert value(table, row + "worst", "Net") == pytest.approx(1.01)
    assert value(table, row + "worst", AT_MOST) == 1.02
    assert value(table, f"un{row}worst", AT_MOST) == 1.06
    assert np.isnan(value(table, row + "worst", AT_LEAST))


def test_convolutional_networks_are_held_against_the_best_of_three(table):
    own = table[table["column"].eq("Conv") & table["value"].notna()]
    rows = own["row"].str.removeprefix("untargeted: ").tolist()
    assert rows == [
        "minimal-8: share reached",
        "minimal-8-lbfgs / lbfgs - 1, worst",
        "minimal-1: share unconverged",
        "minimal-8: share unconverged",
        "minimal-8 / best of three, mean",
        "minimal-8 / best of three, worst",
    ]
    row = "untargeted: minimal-8 / best of three, worst"
    assert value(table, row, AT_MOST) == 1.05
    assert value(table, row, "Conv") == pytest.approx(1.01)
    assert set(table[table["row"].eq(row)]["column"]) == {AT_LEAST, AT_MOST, "Conv"}


def test_the_papers_method_is_held_against_scipy(table):
    ratio = [1.01, 1.0, 1.0]
    row = "targeted: lbfgs / scipy, "
    assert value(table, row + "mean", "Net") == pytest.approx(np.mean(ratio))
    found = value(table, row + "99 % of images at most", "Net")
    assert found == pytest.approx(np.quantile(ratio, 0.99))
    row = "targeted: lbfgs: speed / scipy's"
    assert value(table, row, "Net") == pytest.approx(50)
    assert value(table, row, AT_LEAST) == 40


def test_costs_are_those_of_the_comparison_and_printed_as_plain_numbers(table):
    assert value(table, "targeted: minimal-1: forwards", "Net") == 13.5
    assert value(table, "targeted: minimal-8: share unconverged", "Net") == 0.25
    speed = value(table, "targeted: minimal-1: speed / scipy's", "Net")
    assert speed == pytest.approx(500)
    asked = set(table["row"])
    assert not any(row.startswith("untargeted") and "speed" in row for row in asked)
    text = to_markdown(table, kinds_of(table))
    assert "| targeted: minimal-1: forwards | -- | 12 | 13.5 |" in text
    assert "interval" not in text


def test_exact_optima_have_rows_of_their_own(table):
    row = "targeted: minimal-1 / exact optimum - 1, "
    assert value(table, row + "mean", "FC10") == pytest.approx(2e-3)
    assert value(table, row + "worst", "FC10") == pytest.approx(3e-3)
    own = table[table["row"].str.startswith(row)]
    assert set(own["column"]) == {AT_LEAST, AT_MOST, "FC10"}


def test_a_failure_is_infinitely_longer_than_the_others():
    frame = compared()
    lost = frame["attack"].eq("minimal-8") & frame["image"].eq(1)
    frame.loc[lost, "distortion"] = np.inf
    assert ratios("minimal-8", ("lbfgs",), frame).tolist()[1] == np.inf


@given(st.sampled_from(sorted(LENGTHS)))
def test_an_attack_is_as_long_as_itself(attack):
    assert ratios(attack, (attack,), compared()).tolist() == [1, 1, 1]
    assert constant(attack, "backwards", compared()) == 19


@pytest.mark.parametrize("targeted", [True, False])
def test_optima_of_a_linear_network_are_proven_and_hardly_exceeded(tmp_path, targeted):
    generator = torch.Generator().manual_seed(4)
    model = perceptron([16, 5], [False])
    model[1].weight.data = torch.randn(5, 16, generator=generator)
    weights, images = tmp_path / "model.safetensors", tmp_path / "images.safetensors"
    weights.write_bytes(serialise_model(model, perceptron_architecture(model), {}))
    clean = torch.rand(40, 1, 4, 4, generator=generator)
    label = model(clean).argmax(1)
    label[::2] = (label[::2] + 1) % 5  # these are misclassified
    index = torch.arange(40) + 100
    save_file({"clean": clean, "label": label, "index": index}, images)
    run = runpy.run_path(str(ROOT / "scripts/baselines/attack_exact.py"))["run"]
    found = run(weights, images, 15, targeted, 0)
    assert found["index"].tolist() == list(range(101, 131, 2))
    assert found["reached"].all()
    assert ((1 - found["lower"] / found["exact"]).abs() < 1e-6).all()
    # Above the optimum by what the margin asks for, and never below.
    assert excess(found).between(-1e-7, 2e-3).all()
