"""The config: what is refused, in which words, and what the pages say about it."""

import json

import pytest
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from intriguing.errors import InputError
from intriguing.workflow.config import RunConfig, keys, read_config
from intriguing.workflow.folders import require_writable
from intriguing.workflow.reference import README, SCHEMA, schema, with_tables

WRONG_CONFIG = (
    "A key or a value of the configuration is wrong",
    "everything; no job starts",
)
REFRESH = "refresh it: PYTHONPATH=src python -m intriguing.workflow.reference"


def setting(name):
    """Read a file of settings."""
    return yaml.safe_load((ROOT / "config" / name).read_text())


def complaint(mapping):
    """Return what the user is told about wrong settings."""
    with pytest.raises(InputError) as caught:
        read_config(mapping)
    return str(caught.value)


def nested(key, value):
    """Write ``a.b`` as a group within a group."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def test_the_paper_run_is_made_of_the_defaults_and_smoke_is_small():
    assert read_config(setting("config.yaml")) == read_config({}) == RunConfig()
    smoke = read_config(setting("smoke.yaml"))
    assert smoke.run == "smoke"
    assert smoke.data.train_images <= 1000
    assert smoke.attack.images <= 100


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("runn", "did you mean run?"),
        ("attack.imagess", "did you mean attack.images?"),
        ("train.autoencoder.dekay", "did you mean train.autoencoder.decay?"),
        ("data.zzz", "known: data.mirror, data.folder, data.train_images, "),
    ],
)
@pytest.mark.fault(*WRONG_CONFIG)
def test_a_misspelt_key_is_told_with_what_was_meant_or_is_known(key, meant, seen):
    told = complaint(nested(key, 3))
    seen(told, f"{key}: 3")
    assert told.startswith(f"config: {key} is not a known key; {meant}")


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("attack.images", 0, "must be at least 1, not 0"),
        ("data.train_images", 60_001, "must be at most 60000, not 60001"),
        ("attack.tolerance", 0, "must be more than 0, not 0"),
        ("train.autoencoder.target", 1, "must be less than 1, not 1"),
        ("attack.tolerance", float("nan"), "must be a finite number, not nan"),
        ("seeds", 0, "must be a list, not 0"),
        ("seeds", [], "needs 1 entry or more"),
        ("seeds", [1, -1], "must be at least 0, not -1"),
        ("data.test_images", 2.5, "must be a whole number, not 2.5"),
        ("attack.images", True, "must be a number, not true"),
        ("train", None, "must be a group of keys, not nothing"),
        ("run", "My Run", "must match ^[a-z0-9-]+$, not 'My Run'"),
        ("run", 7, "must be a text, not 7"),
    ],
)
@pytest.mark.fault(*WRONG_CONFIG)
def test_an_impossible_value_is_told_with_its_key_and_the_limit(key, value, why, seen):
    told = complaint(nested(key, value))
    seen(told, f"{key}: {json.dumps(value)}")
    assert told.startswith(f"config: {key}")
    assert told.endswith(why)
    assert "\n" not in told


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ({"seeds": [3, 3]}, ["seeds"]),
        ({"attack": {"images": 10}}, ["attack.sample", "256", "10"]),
        ({"data": {"train_images": 600}}, ["attack.images", "data.train_images"]),
    ],
)
@pytest.mark.fault(*WRONG_CONFIG)
def test_values_that_do_not_fit_together_are_told_with_their_keys(mapping, named, seen):
    told = complaint(mapping)
    seen(told, yaml.safe_dump(mapping, default_flow_style=True))
    assert "\n" not in told
    assert all(name in told for name in named)


def test_many_problems_take_two_lines():
    told = complaint({"a": 1, "b": 2, "c": 3, "run": ""})
    assert len(told.splitlines()) == 2
    assert told.endswith("(and 2 more)")


def test_numbers_that_yaml_reads_as_texts_are_numbers():
    text = "attack: {tolerance: 2e-3}"
    assert isinstance(yaml.safe_load(text)["attack"]["tolerance"], str)
    assert read_config(yaml.safe_load(text)).attack.tolerance == 0.002


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
KEYS = st.sampled_from([*RunConfig.model_fields, *(key for key, _ in keys(RunConfig))])


@given(KEYS, VALUES)
@settings(deadline=None, derandomize=True)
def test_whatever_is_set_is_accepted_or_told_in_two_lines(key, value):
    try:
        read_config(nested(key, value))
    except InputError as error:
        assert 1 <= len(str(error).split("\nconfig: ")) <= 2
        assert str(error).startswith("config: ")


def test_readme_and_schema_have_the_keys_and_columns_of_the_code():
    text = (ROOT / README).read_text()
    assert text == with_tables(text), REFRESH
    for key, field in keys(RunConfig):
        assert f"`{key}`" in text and field.description, REFRESH
    assert (ROOT / SCHEMA).read_text() == schema(), REFRESH


def test_the_schema_accepts_our_files_and_refuses_misspelt_keys():
    check = Draft202012Validator(json.loads(schema()))
    for name in ("config.yaml", "quick.yaml", "smoke.yaml"):
        assert check.is_valid(setting(name))
    assert not check.is_valid({"attack": {"imagess": 3}})
    assert not check.is_valid({"attack": {"starts": [0]}})


@pytest.mark.parametrize("name", ["results", "results/paper"])
@pytest.mark.fault(
    "`results` is a file, or cannot be written", "everything; no job starts"
)
def test_a_results_folder_must_be_one_or_be_possible(tmp_path, name, seen):
    require_writable(tmp_path)
    require_writable(tmp_path / name)
    assert not (tmp_path / "results").exists()
    (tmp_path / "results").write_text("")
    with pytest.raises(
        InputError, match="results is no folder; move that file away"
    ) as told:
        require_writable(tmp_path / name)
    seen(str(told.value))
    # Not even root writes there.
    with pytest.raises(InputError, match=r"/proc/.* be written") as told:
        require_writable("/proc/1/results")
    seen(str(told.value))
