"""The README says what the files in git say, and its commands exist."""

import json
import re

import pytest
from conftest import ROOT

from intriguing.workflow import readme
from intriguing.workflow.markdown import cell_of, refreshed, with_cells


@pytest.mark.parametrize("document", readme.DOCUMENTS)
def test_tables_and_claims_are_those_of_the_run_in_git(document, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = (ROOT / document).read_text(encoding="utf-8")
    kept = {
        name: write
        for name, write in readme.BLOCKS.items()
        if name not in readme.MEASURED
    }
    assert refreshed(text, kept) == text, "run `make readme`"
    assert with_cells(text, readme.cell) == text, "run `make readme`"


def test_every_verdict_of_the_claims_stands_in_the_readme():
    claims = json.loads(
        (ROOT / "results/paper/claims.json").read_text(encoding="utf-8")
    )
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert claims
    for claim in claims:
        (line,) = [row for row in text.splitlines() if claim["statement"] in row]
        assert line.rstrip(" |").endswith(claim["verdict"])


def test_verdicts_are_counted_where_there_is_an_interval(tmp_path, monkeypatch):
    lines = ["row,column,low,published,verdict", "r,a,1,2,agrees", "s,a,1,2,differs"]
    lines += ["r,distortion,1,3,differs", "t,a,1,2,", "u,a,,2,agrees"]
    for name in ("models", "cross-model"):  # the second repeats the first's distortions
        (tmp_path / f"{name}.csv").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = ("models", "cross-model", "none")
    monkeypatch.setattr(readme, "PUBLISHED", {name: name for name in names})
    assert readme.verdicts().splitlines()[2:] == [
        "| [models](models.md) | 1 | 2 | 0 |",
        "| [cross-model](cross-model.md) | 1 | 1 | 0 |",
    ]


def test_a_block_is_replaced_and_the_rest_is_kept():
    text = "before\n<!-- models: begin -->\nold\n<!-- models: end -->\nafter\n"
    new = refreshed(text, {"models": lambda: r"\1 new", "claims": lambda: "no"})
    assert "old" not in new
    assert r"\1 new" in new
    assert new.startswith("before\n")
    assert new.endswith("after\n")


def test_numbers_in_sentences_are_those_of_tables():
    table = "|  | share |\n| --- | --- |\n| data | 5% |\n"
    text = "It is <!-- cell: t ; data ; share -->old<!-- end --> of all."
    new = with_cells(text, lambda _, row, column: cell_of(table, row, column))
    assert new == text.replace("old", "5%")
    with pytest.raises(KeyError):
        cell_of(table, "architecture", "share")


def test_other_targets_do_not_count_among_what_a_run_needs(tmp_path, monkeypatch):
    took = {"train": (600, 900), "attack_minimal": (1200, 1500)}
    took["attack_baselines"] = (6000, 4000)  # of `make peers`
    rules = {name: {"seconds": s, "max_rss": m} for name, (s, m) in took.items()}
    facts = {"rules": rules, "cores": 2, "processor": "one"}
    (tmp_path / "provenance.json").write_text(json.dumps(facts), encoding="utf-8")
    targets = {"all": {"train", "mnist"}, "everything": {"train", "attack_minimal"}}
    monkeypatch.setattr(readme, "rules_of", targets.get)
    text = readme.needs(tmp_path)
    assert "5 minutes on 2 cores" in text
    assert "15 for `make everything`" in text
    assert "1.5 GB for each core" in text
    targets["everything"].add("transfer_minimal")  # has not run: the time is unknown
    assert "make everything" not in readme.needs(tmp_path)


def test_every_make_target_named_in_the_documents_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
    named = {
        name
        for document in documents
        for name in re.findall(r"`make ([a-z-]+)", document.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= targets


def test_links_to_files_lead_somewhere():
    for document in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8"))
        for link in links:
            assert (document.parent / link).exists(), f"{document.name}: {link}"
