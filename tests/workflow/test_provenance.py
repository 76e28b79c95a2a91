"""Where results come from: the commit, the settings, what each rule cost."""

import json

import pytest
from scratch import call, commit

from intriguing.workflow.config import read_config
from intriguing.workflow.provenance import checkout_state, collect, costs

BENCHMARK = "s\th:m:s\tmax_rss\n{}\t0:00:01\t{}\n"


@pytest.fixture
def checkout(tmp_path):
    """Make a repository with one commit."""
    (tmp_path / "a.txt").write_text("a")
    call(tmp_path, "git", "init", "--quiet")
    commit(tmp_path, "first")
    return tmp_path


def test_the_commit_is_named_and_changes_are_flagged(checkout):
    head = call(checkout, "git", "rev-parse", "HEAD").strip()
    assert checkout_state(checkout) == {"commit": head, "dirty": False}
    (checkout / "a.txt").write_text("b")
    assert checkout_state(checkout) == {"commit": head, "dirty": True}


def test_what_is_no_checkout_of_its_own_has_no_commit(
    checkout, tmp_path_factory, monkeypatch
):
    unknown = {"commit": None, "dirty": None}
    (checkout / "unpacked").mkdir()
    assert checkout_state(checkout / "unpacked") == unknown
    assert checkout_state(tmp_path_factory.mktemp("bare")) == unknown
    monkeypatch.setenv("PATH", "")
    assert checkout_state(checkout) == unknown


def test_the_costs_of_a_rule_are_summed_over_its_jobs(tmp_path):
    for name, seconds, memory in [
        ("mnist.tsv", 1.5, 100.0),
        ("train/FC10-1/0.tsv", 2.0, "-"),
        ("train/AE400-10/0.tsv", 3.25, 300.0),
        ("train/AE400-10/1.tsv", 1.0, 200.0),
        ("splits.tsv", 0.1, "NA"),
    ]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BENCHMARK.format(seconds, memory))
    assert costs(tmp_path) == {
        "mnist": {"jobs": 1, "seconds": 1.5, "longest": 1.5, "max_rss": 100.0},
        "train": {"jobs": 3, "seconds": 6.25, "longest": 3.25, "max_rss": 300.0},
        "splits": {"jobs": 1, "seconds": 0.1, "longest": 0.1, "max_rss": None},
    }


def test_other_settings_have_another_digest_and_the_same_have_the_same(tmp_path):
    digests = [
        collect(tmp_path, tmp_path, read_config(mapping))["config_digest"]
        for mapping in ({}, {"run": "paper"}, {"seeds": [0]})
    ]
    assert digests[0] == digests[1] != digests[2]


def test_everything_is_json_and_the_packages_have_versions(tmp_path):
    (tmp_path / "requirements.lock").write_text("torch==1\n")
    start = {"commit": "c", "dirty": True}
    facts = collect(tmp_path, tmp_path, read_config({}), start)
    assert facts.items() >= start.items()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["lock_digest"]
    for name in ("torch", "numpy", "snakemake"):
        assert facts["versions"][name]
    assert facts["cores"] >= 1
    assert facts["rules"] == {}
