"""Sentences of the pages say what the files say, and nothing without them."""

import json

import pytest

from intriguing.smoothness.design import FACTORS
from intriguing.stats.equivalence import MARGIN
from intriguing.workflow.sentences import (
    bounds_answer,
    compact_answer,
    depth_answer,
    equivalence_rule,
    heuristics_answer,
    penalties_answer,
    sae_answer,
    smoothness_design,
    superposition_answer,
    units_answer,
    units_controls,
)


def write_table(path, cells):
    header = "row,column,value,low,high,n,seeds,published,verdict"
    lines = [f"{row},{column},{v},{v - 1},{v + 1},5,5,," for row, column, v in cells]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def test_units_are_compared_in_images_of_twenty(tmp_path):
    cells = [(f"FC100-100-10:{i}", "gain-kurtosis", i + 0.5) for i in (1, 2)]
    write_table(tmp_path / "tables/units.csv", cells)
    found = {"measured": -0.05, "low": -0.1, "high": 0.05, "verdict": "agrees"}
    other = {"measured": 0, "low": 0, "high": 0, "verdict": "differs"}
    (tmp_path / "claims").mkdir()
    text = json.dumps([found, other])
    (tmp_path / "claims/units.json").write_text(text, encoding="utf-8")
    said = units_answer(tmp_path)
    assert "1.00 fewer show" in said
    assert "(difference -1.00 [-2.00, +1.00])" in said
    assert "not better is **agrees**" in said
    assert "directions, is **differs**" in said
    assert "1.50 [0.50, 2.50] in the first" in said
    assert "2.50 [1.50, 3.50] in the second" in said


def test_controls_are_named_with_their_gains(tmp_path):
    rows = ["rotated-ReLU100-100-10:2:rotated", "rotated-ReLU100-100-10:2"]
    rows += ["isotropic-tanh100-100-10:2", "ReLU100-100-10:2"]
    rows += ["ReLU100-100-10:2:untrained"]
    cells = [(row, "gain-kurtosis", 10.0 + i) for i, row in enumerate(rows)]
    write_table(tmp_path / "tables/units.csv", cells)
    said = units_controls(tmp_path)
    assert "10.00 [9.00, 11.00] along the rows of Q" in said
    assert "14.00 [13.00, 15.00] before" in said


def test_r_is_compared_with_a_natural_difference(tmp_path):
    layer, columns = "FC100-100-10:2", ("switched", "uncarried", "uncarried-size")
    columns += ("above-random",)
    cells = [
        (f"{layer}:{name}", column, value + i)
        for name, value in (("adversarial", 20.0), ("natural", 5.0))
        for i, column in enumerate(columns)
    ]
    write_table(tmp_path / "tables/sae-perturbations.csv", cells)
    said = sae_answer(tmp_path)
    assert "switches 20.0 [19.0, 21.0] latents" in said
    assert "class switches 5.0 [4.0, 6.0]" in said
    assert "2200.0% [2100.0%, 2300.0%] against 700.0%" in said
    assert "for 2300.0% [2200.0%, 2400.0%] of random directions, and for 800.0%" in said


SAID = units_answer, units_controls, sae_answer, bounds_answer, heuristics_answer
SAID += penalties_answer, depth_answer, superposition_answer, compact_answer


def test_without_files_the_command_is_named(tmp_path):
    for sentence in SAID:
        assert "`make everything` makes it" in sentence(tmp_path)


@pytest.mark.parametrize(("best", "verb"), [(0.4, "can do"), (0.05, "cannot do")])
def test_bounds_are_better_where_they_certify_more_than_the_product(
    tmp_path, best, verb
):
    name = "FC100-100-10"
    constants = {"product": 178, "lipsdp": 100, "data": 38}
    write_table(tmp_path / "tables/bounds.csv", [(name, *c) for c in constants.items()])
    shares = {"product": 0.07, "mean": best}
    write_table(tmp_path / "tables/certified.csv", [(name, *c) for c in shares.items()])
    said = bounds_answer(tmp_path)
    assert said.startswith(f"One {verb} better than the product.")
    assert f"the best method here {best:.3f}." in said


def test_the_argument_is_told_before_and_after_training(tmp_path):
    name = "FC100-100-10"
    cells = [(name, "classes", 0.93), (name, "uncorrelated", 0.2)]
    cells.append((f"{name} untrained", "uncorrelated", 1.0))
    write_table(tmp_path / "tables/heuristics.csv", cells)
    said = heuristics_answer(tmp_path)
    assert "leaves 0.20 [-0.80, 1.20] of it after training" in said
    assert "and 1.00 [0.00, 2.00] before" in said


def test_the_best_penalty_is_compared_with_weight_decay(tmp_path):
    columns = "distance over decay", "certified over decay"
    # As numbers: as texts 10 comes before 9.
    cells = [("product", name, 10.0 + i) for i, name in enumerate(columns)]
    cells += [("spectral", name, 9.0) for name in columns]
    write_table(tmp_path / "tables/penalties.csv", cells)
    said = penalties_answer(tmp_path)
    assert "the product of norms, gives 10.00 [9.00, 11.00] times the distance" in said
    assert "and 11.00 [10.00, 12.00] times its certified distance" in said


def test_depth_multiplies_each_bound_by_its_factor(tmp_path):
    names = "product", "lipsdp", "box", "median"
    cells = [("per layer", name, 2.0 + i) for i, name in enumerate(names)]
    write_table(tmp_path / "tables/depth.csv", cells)
    said = depth_answer(tmp_path)
    assert "a factor 2.00 [1.00, 3.00], LipSDP's bound by 3.00 [2.00, 4.00]" in said


@pytest.mark.parametrize(
    ("first", "verb"), [(-3.5, "compounds"), (-1.5, "need not compound")]
)
def test_noise_compounds_where_every_rank_falls_behind(tmp_path, first, verb):
    column = "per layer / LipSDP"
    rows = {"liplt": -0.1, "rank 1": first, "rank 32": -3.2}
    cells = [(row, column, value) for row, value in rows.items()]
    write_table(tmp_path / "tables/compact-proofs.csv", cells)
    said = compact_answer(tmp_path)
    assert f"The noise of low-rank parts {verb} with depth" in said
    assert f"rank 1 keeps {first:.2f} [{first - 1:.2f}, {first + 1:.2f}]" in said
    assert "rank 32 -3.20" in said


def test_one_seed_has_a_value_and_no_interval(tmp_path):
    path = tmp_path / "tables/depth.csv"
    names = "product", "lipsdp", "box", "median"
    write_table(path, [("per layer", name, 2.0) for name in names])
    path.write_text(path.read_text().replace(",1.0,3.0,", ",,,"))
    assert "grows by a factor 2.00, LipSDP's bound by 2.00," in depth_answer(tmp_path)


def test_superposition_is_told_for_the_narrowest_and_the_widest_layer(tmp_path):
    rows = [f"{width}:change" for width in (100, 20, 50)]
    columns = "fvu-2 ratio", "features-2 ratio"
    cells = [(row, name, 2.0) for row in rows for name in columns]
    write_table(tmp_path / "tables/superposition.csv", cells)
    said = superposition_answer(tmp_path)
    assert "3.00] for 20 units, by 2.00" in said
    assert "for 100 units a layer" in said
    assert "50" not in said


def test_the_design_has_a_row_a_factor_and_the_rule_names_its_margin():
    rows = smoothness_design().splitlines()[2:]
    assert [row.split("|")[2].strip(" `") for row in rows] == list(FACTORS)
    assert f"between 1/{MARGIN} and {MARGIN}" in equivalence_rule()
