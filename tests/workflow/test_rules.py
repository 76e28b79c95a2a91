"""What every rule of the workflow says, and what its steps take from the config."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from parsed import parsed_rules, settings_of
from scratch import attempt, copy_repository, python

from content_reruns import reached_modules

LEAVES = (
    *("transfer", "spectra", "units", "adversarial_training", "smoothness"),
    *("natural", "baselines", "sae", "bounds"),
)
"""Chapters on which no other chapter depends."""
FLOORS = ("src/intriguing", "workflow/rules", "scripts", "tests")


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    return parsed_rules(tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="module")
def steps(rules):
    found = {name: rule for name, rule in rules.items() if rule.script}
    assert {"mnist", "splits", "train", "attack", "claims"} <= set(found)
    return found


def test_planning_does_not_wait_for_torch():
    """Importing it would take longer than all else that a plan takes."""
    code = """
import sys
from snakemake.cli import main
sys.argv = ["snakemake", "everything", "-n"]
try:
    main()
finally:
    print("torch" in sys.modules, file=sys.stderr)
"""
    _, said = attempt(ROOT, sys.executable, "-c", code)
    assert "This was a dry-run" in said
    assert said.splitlines()[-1] == "False"


def test_params_are_the_code_and_what_the_step_takes_from_the_config(steps):
    """Snakemake compares params without their names, so that one dict holds all."""
    for name, rule in steps.items():
        takes = "snakemake.params" in Path(rule.script).read_text()
        wanted = {"code", "settings"} if takes else {"code"}
        assert set(dict(rule.params.items())) == wanted, name


def test_a_rule_says_what_it_does_and_makes_files_on_one_core(rules, steps):
    """BLAS takes its threads from Snakemake, which makes no checksum of a folder."""
    for name, rule in steps.items():
        assert rule.log and rule.benchmark and rule.message, name
    for name, rule in rules.items():
        assert rule.resources["_cores"].value == 1, name
        assert not any(output.is_directory for output in rule.output), name
    profile = yaml.safe_load((ROOT / "profiles/default/profile.yaml").read_text())
    assert set(profile["default-resources"]) == {"mem_mb", "runtime"}


@pytest.mark.parametrize("target", ["peers", "verification"])
def test_a_target_of_its_own_asks_for_more_than_git_has(rules, target):
    """A clone has the tables, so that they alone would leave nothing to do."""
    wanted = list(rules[target].input)
    assert not wanted or any("/tables/" not in path for path in wanted)


def test_captions_exist(rules):
    flags = [
        o.flags["report"]
        for r in rules.values()
        for o in r.output
        if "report" in o.flags
    ]
    assert flags
    for shown in flags:
        assert Path(shown.caption.get_path_or_uri(secret_free=True)).is_file()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "scripts").rglob("*.py")), ids=lambda path: path.stem
)
def test_a_step_is_short_and_reads_what_is_handed_to_it(path):
    text = path.read_text()
    assert "snakemake.config" not in text
    assert "snakemake.threads" not in text
    assert text.count("\n") <= 60
    steps = "|".join(other.stem for other in (ROOT / "scripts").rglob("*.py"))
    assert not re.search(rf"^(from|import) ({steps})\b", text, re.MULTILINE)


def test_networks_on_splits_are_attacked_on_test_images(rules):
    attack = dict(rules["attack"].params.items())["settings"]
    assert callable(attack)
    own = settings_of(rules["attack"], attack="lbfgs", model="FC100-100-10@P1")
    other = settings_of(rules["attack"], attack="lbfgs", model="FC100-100-10")
    assert (own["images"], other["images"]) == (512, 1024)
    assert own["row"] == other["row"]
    convolutional = settings_of(rules["attack"], attack="lbfgs", model="alexnet-mnist")
    assert (convolutional["images"], convolutional["iterations"]) == (256, 15)


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """Parse the rules with other settings."""
    return parsed_rules(
        tmp_path_factory.mktemp("changed"),
        train={"autoencoder": {"decay": 0.5}},
        training_sets={"amplified": 0.11},
        decomposition={"distortions": [0.05, 0.12, 0.2]},
    )


def test_only_the_autoencoder_depends_on_its_section(changed):
    settings = {
        model: settings_of(changed["train"], model=model)["autoencoder"]["decay"]
        for model in ("AE400-10", "FC10-1")
    }
    assert settings == {"AE400-10": 0.5, "FC10-1": 0.002}


def test_rows_of_table_4_stand_in_the_order_of_the_paper(rules):
    made = settings_of(rules["table_cross_training_set"])
    names = ["FC100-100-10@P1", "FC123-456-10@P1", "FC100-100-10@P2"]
    amplified = [f"amplified:{name}" for name in names]
    shown = {key: rows for key, (_, rows, _) in made["tables"].items()}
    assert shown["cross_training_set"] == [
        *names,
        "noise-0.06",
        *amplified,
        "noise-0.1",
    ]
    assert shown["amplification"][0] == "clean"
    assert made["claims"]["splits"] == dict(zip(names, ("P1", "P1", "P2"), strict=True))


def test_the_decomposition_is_judged_near_the_amplified_distortion(changed):
    made = settings_of(changed["table_transfer_decomposition"])
    assert made["judged"] == "matched-0.12"
    traits = made["traits"]
    assert traits["FC100-100-10@P1"][0] == traits["FC100-100-10@P2"][0]
    assert traits["FC100-100-10@P1"][0] != traits["FC123-456-10@P1"][0]
    assert traits["FC123-456-10@P2"][1] == "P2"


@pytest.fixture(scope="module")
def without_leaves(tmp_path_factory):
    """Make a copy of the repository for each chapter, and one without any of them."""
    place = tmp_path_factory.mktemp("chapters")
    (place / "raw").mkdir()
    whole = copy_repository(place / "whole", place / "raw")
    for gone in (*LEAVES, "all"):
        tree = shutil.copytree(whole, place / gone, symlinks=True)
        for chapter in LEAVES if gone == "all" else (gone,):
            delete_chapter(tree, chapter)
    return place


def delete_chapter(tree, chapter):
    for floor in FLOORS:
        shutil.rmtree(tree / floor / chapter, ignore_errors=True)
    path = tree / "Snakefile"
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if f"/{chapter}/" not in line]
    assert len(kept) == len(lines) - 1
    path.write_text("".join(kept))


@pytest.mark.parametrize("gone", [*LEAVES, "all"])
def test_a_chapter_can_be_deleted(without_leaves, gone):
    """Everything else is planned."""
    tree = without_leaves / gone
    for config in ("config", "smoke") if gone == "all" else ("smoke",):
        options = ("-n", "everything", "--configfile", f"config/{config}.yaml")
        status, said = attempt(tree, *python("snakemake", *options))
        assert status == 0, said
        assert "\ntable_models " in said


def test_no_step_imports_what_a_deleted_chapter_had():
    sources = [ROOT / "src", ROOT / "scripts"]
    for path in (ROOT / "scripts").rglob("*.py"):
        reached = {module.parent.name for module in reached_modules(path, sources)}
        assert reached & {*LEAVES} <= {path.parent.name}, path
