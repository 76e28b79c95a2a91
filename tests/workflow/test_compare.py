"""Two runs side by side: their numbers, and what lies upstream of a difference."""

import hashlib
import json
import re
import runpy
import sys
from base64 import urlsafe_b64encode
from html import unescape

import pytest
from conftest import ROOT
from scratch import call, commit, edit

from content_reruns import code_digest
from intriguing.errors import InputError
from intriguing.workflow.compare import NO_RECORDS, write_comparison
from intriguing.workflow.compare.causes import (
    Cause,
    causes_of,
    changes_since,
    possible_causes,
)
from intriguing.workflow.compare.cells import paired, read_table
from intriguing.workflow.compare.page import Section, comparison_page
from intriguing.workflow.compare.records import Record, read_records
from intriguing.workflow.compare.sides import Side
from intriguing.workflow.compare.sources import UNKNOWN, changed_versions

COMMAND = ROOT / "src/intriguing/workflow/compare/__main__.py"
HEADER = "row,column,value,low,high,n,seeds,published,verdict\n"


# Numbers


@pytest.fixture
def pairs(tmp_path):
    """Pair the cells of two tables, given their lines."""

    def of(base, now):
        for name, lines in {"base": base, "now": now}.items():
            (tmp_path / f"{name}.csv").write_text(HEADER + lines)
        both = [read_table(tmp_path / f"{name}.csv") for name in ("base", "now")]
        return paired(*both)

    return of


@pytest.mark.parametrize(
    ("base", "now", "said"),
    [
        ("0.1,0.2", "0.15,0.3", "overlap"),
        ("0.1,0.4", "0.2,0.3", "overlap"),
        ("0.1,0.2", "0.2,0.3", "overlap"),
        ("0.1,0.2", "0.21,0.3", "apart"),
        (",", "0.1,0.2", "--"),
    ],
)
def test_intervals_overlap_where_they_have_a_number_in_common(pairs, base, now, said):
    one, other = (f"r,c,0.2,{ends},9,1,,\n" for ends in (base, now))
    for both in (pairs(one, other), pairs(other, one)):
        assert (both["intervals"] == said).all()
        assert (both["apart"] == (said == "apart")).all()


def test_every_cell_of_both_tables_is_paired_once_by_its_name(pairs):
    both = pairs(
        "a,x,0.5,0.4,0.6,9,1,,\nb,x,,,,,,0.1,\nd,x,1,,,,,,\n",
        "c,x,1,,,9,1,,\na,x,0.25,0.1,0.3,9,1,0.3,agrees\nd,x,1,,,,,,\n",
    )
    assert list(both["label"]) == [("c", "x"), ("a", "x"), ("d", "x"), ("b", "x")]
    texts = both[["base", "now", "change", "intervals", "verdict"]].to_numpy().tolist()
    assert texts == [
        ["not there", "1", "--", "--", "--"],
        ["0.5 [0.4, 0.6]", "0.25 [0.1, 0.3]", "-0.25", "apart", "agrees"],
        ["1", "1", "+0", "--", "--"],
        ["--", "not there", "--", "--", "--"],
    ]
    flags = ["changed", "apart", "judged", "new", "gone", "same"]
    assert [[k for k in flags if row[k]] for _, row in both.iterrows()] == [
        ["new"],
        ["changed", "apart", "judged"],
        ["same"],
        ["gone"],
    ]


def test_a_file_that_is_no_table_is_named(tmp_path):
    (tmp_path / "models.csv").write_text("row,value\na,1\n")
    with pytest.raises(InputError, match=r"models\.csv: not a table"):
        read_table(tmp_path / "models.csv")


def written(repository, base, run="paper"):
    """Return the page of a comparison."""
    return unescape((repository / write_comparison(repository, base, run)).read_text())


def test_a_claim_is_known_by_its_name_and_shown_as_it_is_worded_here(repository):
    place = repository / "results/paper/claims.json"
    numbers = {"measured": 0.5, "low": None, "high": None, "verdict": "agrees"}
    for words in ("It rains.", "It is raining."):
        place.write_text(json.dumps([{"id": "rain", "statement": words, **numbers}]))
        commit(repository, words)
    page = written(repository, "HEAD~1")
    assert "It is raining." in page
    assert "It rains." not in page.partition("claims</h2>")[2]
    assert "1 unchanged" in page


# Causes

TABLE = "tables/t.csv"
STEPS = {"train": "scripts/training/perceptron.py", "table": "scripts/table.py"}


def checkout(place, factor="2", remark=""):
    """Write a step of two modules, and one that it does not import."""
    (place / "src/net").mkdir(parents=True)
    (place / "scripts/training").mkdir(parents=True)
    (place / STEPS["train"]).write_text("import net.loss\nimport net.sizes\n")
    (place / STEPS["table"]).write_text("import net.sizes\n")
    (place / "src/net/__init__.py").write_text("")
    (place / "src/net/loss.py").write_text(f"FACTOR = {factor}\n")
    (place / "src/net/sizes.py").write_text(f"SIZE = 3\n{remark}")
    return place


def digest_of(place, rule):
    return code_digest(place / STEPS[rule], [place / "src", place / "scripts"])


def graph(place, settings=None, data="d", made=("p", "q"), code=None):
    """Record two networks made from one file, and a table made from both."""
    train = code or digest_of(place, "train")
    models = {f"models/{m}": m for m in ("p", "q")}
    records = {
        path: Record(
            "train", m, train, (settings or {}).get(m, {"rate": 1}), {"data/raw": data}
        )
        for path, m in models.items()
    }
    inputs = dict(zip(models, made, strict=True))
    records[TABLE] = Record("table", "", digest_of(place, "table"), {}, inputs)
    return Side("", place / "results/r", place, records)


@pytest.fixture
def place(tmp_path):
    return checkout(tmp_path / "one")


def test_a_changed_setting_is_found_with_the_job_it_struck(place):
    base = graph(place)
    now = graph(place, {"q": {"rate": 2}}, made=("p", "other"))
    assert causes_of(TABLE, base, now) == {
        Cause("settings", "train", "rate: 1 → 2"): ["q"]
    }


def test_nested_settings_and_long_lists_are_told_by_what_is_other(place):
    old = {"row": {"decay": 0.1, "name": "a"}, "of": [f"network-{k}" for k in range(9)]}
    new = {"row": {"decay": 0.2, "name": "a"}, "of": [*old["of"][1:], "network-9"]}
    base = graph(place, {"q": old})
    now = graph(place, {"q": new}, made=("p", "other"))
    texts = {cause.text for cause in causes_of(TABLE, base, now)}
    assert texts == {"row.decay: 0.1 → 0.2", "of: without network-0, with network-9"}


def test_other_bytes_are_explained_by_their_inputs_or_said_to_be_unexplained(place):
    base = graph(place)
    now = graph(place, {"p": {"rate": 3}, "q": {"rate": 2}}, made=("p", "other"))
    assert {tuple(jobs) for jobs in causes_of(TABLE, base, now).values()} == {("q",)}
    base, now = graph(place), graph(place, made=("p", "q1"))
    ((cause, jobs),) = causes_of(TABLE, base, now).items()
    assert (cause.kind, jobs) == ("result", ["q"])


@pytest.mark.parametrize(
    ("code", "said"),
    [(None, "src/net/loss.py"), ("0" * 16, UNKNOWN)],
    ids=["known", "other sources"],
)
def test_changed_code_is_told_by_module(place, tmp_path, code, said):
    other = checkout(tmp_path / "two", factor="3", remark="# A remark.\n")
    base, now = graph(place), graph(other, made=("p1", "q1"), code=code)
    (cause,) = causes_of(TABLE, base, now)
    assert cause == Cause("code", "train", said)


def test_changed_data_is_told_by_its_file(place):
    base, now = graph(place), graph(place, data="e", made=("p1", "q1"))
    ((cause, jobs),) = causes_of(TABLE, base, now).items()
    assert cause.kind == "data" and "data/raw" in cause.text
    assert sorted(jobs) == ["p", "q"]


def test_a_new_input_is_named(place):
    base, now = graph(place), graph(place)
    table = now.records[TABLE]
    inputs = {**table.inputs, "models/s": "s"}
    now.records[TABLE] = table._replace(inputs=inputs)
    assert causes_of(TABLE, base, now) == {
        Cause("inputs", "table", "also takes models/s"): [""]
    }


def test_without_records_all_that_differs_upstream_is_suspected(place, tmp_path):
    other = checkout(tmp_path / "two", factor="3", remark="# A remark.\n")
    for where, text in ((place, "old"), (other, "new")):
        for name in ("data/raw", "data/elsewhere", "config/config.yaml"):
            (where / name).parent.mkdir(exist_ok=True)
            (where / name).write_text(text)
    assert set(possible_causes(TABLE, place, graph(other))) == {
        Cause("code", "train", "src/net/loss.py"),
        Cause("data", "", "data/raw"),
        Cause("settings", "", "config/config.yaml"),
    }


def test_versions_of_libraries_are_compared_by_the_lock(tmp_path):
    for name, lock in (
        ("a", "Torch==2.1\nx==1\n"),
        ("b", "# note\nTorch==2.2\nx==1\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "requirements.lock").write_text(lock)
    assert changed_versions(tmp_path / "a", tmp_path / "b") == ["Torch 2.1 → 2.2"]


# The page


def test_the_page_shows_every_number_and_needs_nothing_else(pairs):
    both = pairs(
        "<a>,x,0.5,0.4,0.6,,,,\nb,x,0.125,,,,,,\n",
        "<a>,x,0.75,0.7,0.8,,,,agrees\nb,x,0.125,,,,,,\nc,x,2,,,,,,\n",
    )
    causes = {Cause("code", "train", "src/net/loss.py"): ["p"]}
    stale = [f"models/{k}" for k in range(9)]
    page = comparison_page("old", "new", ["A & B"], [Section("t", both, causes, stale)])
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    cells = re.findall(r"<(t[hd])[^>]*>(.*?)</\1>", page, re.DOTALL)
    texts = (unescape(re.sub(r"<[^>]+>", "", text)) for _, text in cells)
    rows = "".join(f"{text}|" for text in texts)
    assert "t|3|1|1|1|1|0|no|" in rows
    assert "<a>|x|0.5 [0.4, 0.6]|0.75 [0.7, 0.8]|+0.25|apart|agrees|1|" in rows
    assert "c|x|not there|2|--|--|--|1|" in rows
    assert "b|x|0.125|0.125|+0|--|--|" in rows
    assert "A &amp; B" in page and "src/net/loss.py" in page
    assert (
        "models/0, models/1, models/2, models/3, models/4, models/5 and 3 more" in page
    )
    assert addresses and all(address.startswith("#") for address in addresses)


def test_a_table_is_not_current_once_something_upstream_is_another(place):
    data = place / "data/raw"
    models = [place / f"results/r/models/{name}" for name in ("p", "q")]
    for path in (data, *models):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    sums = [hashlib.sha256(path.name.encode()).hexdigest() for path in (data, *models)]
    known, *made = (f"sha256:{one}" for one in sums)
    now = graph(place, data=known, made=made)
    assert changes_since(TABLE, now) == []
    other = graph(place, data=known, made=("sha256:", made[1]))
    assert changes_since(TABLE, other) == ["models/p"]
    other = graph(place, code="0" * 16, data=known)
    assert changes_since("models/p", other) == ["code of train"]
    models[0].unlink()
    assert changes_since(TABLE, now) == []


# A repository


def record(place, output, rule, inputs):
    """Write a record as Snakemake does."""
    facts = {
        "rule": rule,
        "log": [f"results/paper/logs/{rule}.log"],
        "params": [repr(digest_of(place, rule)), "{'rate': 1}"],
        "input": sorted(inputs),
        "input_checksums": inputs,
    }
    folder = place / ".snakemake/metadata"
    folder.mkdir(parents=True, exist_ok=True)
    name = urlsafe_b64encode(output.encode()).decode()
    (folder / name).write_text(json.dumps(facts))


def write_table(path, value):
    path.write_text(f"{HEADER}a,x,{value},{value},{value},9,1,,\n")


@pytest.fixture
def repository(place):
    """Commit a table twice, with a change of code in between; records are not kept."""
    table = place / "results/paper/tables/t.csv"
    table.parent.mkdir(parents=True)
    (place / ".gitignore").write_text(".snakemake\n")
    call(place, "git", "init", "--quiet")
    commit(place, "Before there was a table")
    write_table(table, 0.5)
    commit(place, "A table")
    edit(place / "src/net/sizes.py", "SIZE = 3", "SIZE = 4")
    write_table(table, 0.75)
    commit(place, "Another size, another table")
    record(place, "results/paper/tables/t.csv", "table", {})
    return place


def test_without_records_of_the_base_the_page_says_so_and_names_what_git_knows(
    repository,
):
    page = written(repository, "HEAD~1")
    assert "+0.25" in page and "apart" in page
    assert NO_RECORDS in page
    assert "src/net/sizes.py" in page and "src/net/loss.py" not in page


def test_a_records_file_is_read_as_it_was_written(repository):
    (found,) = read_records(repository / ".snakemake/metadata", "paper").items()
    code = digest_of(repository, "table")
    assert found == (TABLE, Record("table", "", code, {"rate": 1}, {}))
    assert read_records(repository / ".snakemake/metadata", "other") == {}


def test_any_two_folders_of_results_are_compared(repository, tmp_path):
    """Of one checkout or of two, in git or not, by the names of their tables."""
    for folder in (repository / "results/smoke", tmp_path / "elsewhere/results/r"):
        (folder / "tables").mkdir(parents=True)
        write_table(folder / "tables/t.csv", 0.25)
        assert "-0.5" in written(folder.parents[1], "../one/results/paper", folder.name)
        assert "+0.5" in written(repository, str(folder), "paper")
    assert "+0.5" in written(tmp_path, "elsewhere/results/r", "one/results/paper")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--base=nonsense"], "BASE=nonsense: git knows no such commit"),
        (["--base=--output=x"], "BASE=--output=x: git knows no such commit"),
        (["--base=HEAD~2"], "BASE=HEAD~2: git holds no tables of the run paper"),
        (["--run=smoke"], "no tables here of the run smoke; there are those of paper"),
    ],
)
def test_a_base_or_run_that_will_not_do_is_refused_in_one_line(
    repository, options, said, monkeypatch
):
    monkeypatch.chdir(repository)
    monkeypatch.setattr(sys, "argv", ["compare", *options])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(COMMAND), run_name="__main__")
    assert said in str(stopped.value) and "\n" not in str(stopped.value)
    assert not (repository / "results/paper/compare.html").exists()


def test_what_git_complains_of_is_said(repository, monkeypatch):
    """As of a folder of another owner, which git does not touch."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(InputError, match=r"^git: fatal: .*dubious ownership"):
        write_comparison(repository, "HEAD", "paper")
