"""Whether two results support the same conclusions, on constructed results."""

import json
import runpy
import sys

import pytest

from intriguing.workflow.compare.conclusions import conclusions

HEADER = "row,column,value,low,high,n,seeds,published,verdict"
CELLS = ["a,x,0.5,0.4,0.6,9,3,0.5,agrees", "b,x,1,,,,,,"]


def results(folder, cells=CELLS, claim="agrees", table="models"):
    """Write a folder of results with one table and one claim."""
    (folder / "tables").mkdir(parents=True)
    text = "\n".join([HEADER, *cells]) + "\n"
    (folder / f"tables/{table}.csv").write_text(text, encoding="utf-8")
    numbers = {"measured": 0.5, "low": 0.4, "high": 0.6, "verdict": claim}
    found = [{"id": "rain", "statement": "It rains.", **numbers}]
    (folder / "claims.json").write_text(json.dumps(found), encoding="utf-8")
    return folder


@pytest.fixture
def base(tmp_path):
    return results(tmp_path / "results/base")


def compared(base, tmp_path, **how):
    return conclusions(base, results(tmp_path / "results/now", **how))


def test_equal_results_support_the_same_conclusions_and_negligible_changes_too(
    base, tmp_path
):
    found = compared(base, tmp_path)
    assert found.are_the_same
    assert found.text() == "Same conclusions: 3 numbers and claims compared"
    lines = [[f"a,x,{value},{value},{value},,,,"] for value in (2, 2.001, 2.1)]
    sides = [results(tmp_path / f"{i}", cells) for i, cells in enumerate(lines)]
    assert conclusions(sides[0], sides[1]).are_the_same
    assert conclusions(sides[0], sides[2]).outside == ["tables/models.csv: a / x"]


def cell(value, low, high, verdict="agrees"):
    return [f"a,x,{value},{low},{high},9,3,0.5,{verdict}", CELLS[1]]


@pytest.mark.parametrize(
    "cells",
    [
        cell(0.55, 0.45, 0.65),
        cell(0.61, 0.45, 0.7),  # outside of theirs, which ours contains
        cell(0.5, 0.4, 0.6, "undecided"),
        [CELLS[0], "b,x,1.0001,,,,,,"],
    ],
)
def test_what_contradicts_nothing_leaves_the_conclusions(base, tmp_path, cells):
    assert compared(base, tmp_path, cells=cells).are_the_same


def test_a_verdict_that_becomes_undecided_is_told(base, tmp_path):
    cells = cell(0.5, 0.4, 0.6, "undecided")
    text = compared(base, tmp_path, cells=cells).text()
    assert text.startswith("Same conclusions")
    assert "only: tables/models.csv: a / x: agrees → undecided" in text


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"claim": "differs"}, "another verdict: rain: agrees → differs"),
        ({"claim": "undecided"}, "another verdict: rain: agrees → undecided"),
        ({"cells": cell(0.5, 0.4, 0.6, "differs")}, "a / x: agrees → differs"),
        ({"cells": cell(0.7, 0.65, 0.75)}, "intervals: tables/models.csv: a / x"),
        ({"cells": CELLS[:1]}, "one result only: tables/models.csv: b / x"),
        ({"table": "other"}, "one result only: tables/models.csv"),
    ],
)
def test_a_contradiction_is_named(base, tmp_path, how, told):
    found = compared(base, tmp_path, **how)
    assert not found.are_the_same
    assert told in found.text()


@pytest.mark.parametrize(("claim", "status"), [("agrees", 0), ("differs", 1)])
def test_the_command_answers_by_its_exit_status(
    base, tmp_path, claim, status, monkeypatch, capsys
):
    results(tmp_path / "results/now", claim=claim)
    monkeypatch.chdir(tmp_path)
    options = ["--base=results/base", "--run=now"]
    monkeypatch.setattr(sys, "argv", ["conclusions", *options])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(sys.modules[conclusions.__module__].__file__, None, "__main__")
    assert ended.value.code == status
    assert capsys.readouterr().out.startswith("Other" if status else "Same")
