"""Where results come from: the commit, the settings, what each rule cost."""

import json
import subprocess

import pytest
from conftest import ROOT

from intriguing.workflow.config import read_config
from intriguing.workflow.provenance import checkout_state, collect, costs

BENCHMARK = "s\th:m:s\tmax_rss\n{}\t0:00:01\t{}\n"


def git(folder, *arguments):
    who = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", folder, *who, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    """Make a repository with one commit."""
    (tmp_path / "a.txt").write_text("a")
    git(tmp_path, "init")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_the_commit_is_named_and_changes_are_flagged(checkout):
    commit = git(checkout, "rev-parse", "HEAD")
    assert checkout_state(checkout) == {"commit": commit, "dirty": False}
    (checkout / "a.txt").write_text("b")
    assert checkout_state(checkout) == {"commit": commit, "dirty": True}


def test_an_archive_inside_another_repository_does_not_take_its_commit(checkout):
    (checkout / "unpacked").mkdir()
    assert checkout_state(checkout / "unpacked") == {"commit": None, "dirty": None}


def test_a_folder_without_git_has_no_commit(tmp_path, monkeypatch):
    assert checkout_state(tmp_path) == {"commit": None, "dirty": None}
    monkeypatch.setenv("PATH", "")
    assert checkout_state(ROOT) == {"commit": None, "dirty": None}


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


def test_the_state_at_the_start_wins_over_that_at_the_end(checkout):
    facts = collect(checkout, checkout, read_config({}), {"commit": "c", "dirty": True})
    assert (facts["commit"], facts["dirty"]) == ("c", True)


def test_other_settings_have_another_digest_and_the_same_have_the_same(tmp_path):
    digests = [
        collect(tmp_path, tmp_path, read_config(mapping))["config_digest"]
        for mapping in ({}, {"run": "paper"}, {"seeds": [0]})
    ]
    assert digests[0] == digests[1] != digests[2]


def test_everything_is_json_and_the_packages_have_versions(tmp_path):
    (tmp_path / "requirements.lock").write_text("torch==1\n")
    facts = collect(tmp_path, tmp_path, read_config({}))
    assert json.loads(json.dumps(facts)) == facts
    assert facts["lock_digest"]
    for name in ("torch", "numpy", "snakemake"):
        assert facts["versions"][name]
    assert facts["cores"] >= 1
    assert facts["rules"] == {}
