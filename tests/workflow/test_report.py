"""The report shows what a run has, and needs no other file to do so."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT
from pages import TABLES, Page, copy_with_figures, table_result, write_report

from intriguing.tables.differences import REPEATED
from intriguing.workflow.readme import PUBLISHED
from intriguing.workflow.report.page import SECTION, Cell, report_page, table_cells


def written(path: Path, header: str, *rows: str) -> Path:
    rule = "|" + " --- |" * (header.count("|") - 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".md").write_text("\n".join([header, rule, *rows]) + "\n")
    path.with_suffix(".csv").write_text("row,column\n")
    return path


def write_cells(path: Path, *cells: str) -> None:
    """Write what the table's CSV file has of cells that the paper prints."""
    columns = "row,column,low,published,verdict"
    path.with_suffix(".csv").write_text("\n".join([columns, *cells]) + "\n")


def test_a_cell_is_taken_apart(tmp_path):
    cells = "6.7% [6.5, 6.9] (paper 6.7%) = | -- (paper 1) |  | inf | 2 [1, 3] | 1 ~ "
    written(tmp_path / "one", "|  | a | b | c | d | e | f |", f"| row | {cells}|")
    _, [(row, found)] = table_cells(table_result("one", folder=tmp_path))
    assert row == "row"
    assert found == [
        Cell("6.7%", "[6.5, 6.9]", "6.7%", "="),
        Cell("--", "", "1", ""),
        Cell("", "", "", ""),
        Cell("inf", "", "", ""),
        Cell("2", "[1, 3]", "", ""),
        Cell("1", "", "", "~"),
    ]
    assert [cell.verdict for cell in found] == ["agrees", *4 * [""], "undecided"]


def test_the_cells_of_every_table_in_git_are_understood():
    for path in TABLES.glob("*.csv"):
        _, rows = table_cells(table_result(path.stem))
        cells = [cell for _, found in rows for cell in found]
        assert all(not re.search(r"[ \[(=≠~]", cell.measured) for cell in cells), path
        marked = Counter(cell.verdict for cell in cells if cell.verdict)
        assert marked == Counter(pd.read_csv(path)["verdict"].dropna()), path


def test_a_run_with_one_table_has_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    cell = "7% [6, 8] (paper 6.7%) ="
    path = written(tmp_path / "tables/splits", "|  | e |", f"| A | {cell} |")
    write_cells(path, "A,e,6,6.7,agrees")
    page = Page(report_page(tmp_path, [table_result("splits", "Table 3", path.parent)]))
    assert "Of 1 numbers that the paper prints, 1 agree" in page.text
    assert "not recorded" in page.text
    assert not {"claims", "beyond", "rest"} & set(page.ids)
    assert "explore.html" not in page.links


def test_a_number_of_two_versions_of_the_paper_counts_once(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    cells = "7 [6, 8] (paper 10) ≠ | 7 [6, 8] (paper 10) ≠"
    header, row = "|  | upper-v4 | upper-v1 |", f"| conv2 | {cells} |"
    path = written(tmp_path / "tables/spectral", header, row)
    versions = (f"conv2,upper-{version},6,10,differs" for version in ("v4", "v1"))
    write_cells(path, *versions)
    result = table_result("spectral", "Table 5", path.parent)
    page = Page(report_page(tmp_path, [result]))
    assert "Of 1 numbers that the paper prints" in " ".join(page.text.split())


def test_an_answer_has_the_numbers_of_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    header, row = "|  | ratio |", "| FC100-100-10 | 0.1234 |"
    folder = written(tmp_path / "tables/minimal", header, row).parent
    page = Page(report_page(tmp_path, [table_result("minimal", folder=folder)]))
    text = " ".join(page.text.split())
    assert "FC100-100-10 are 0.1234 times as long on average, and (not computed" in text
    assert "<!--" not in page.text
    assert "../../docs/minimal.md" in page.links


def test_answers_link_to_pages_for_a_browser_once_they_are_built(tmp_path, monkeypatch):
    for name in ("docs", "workflow"):
        shutil.copytree(ROOT / name, tmp_path / name)
    folder = written(tmp_path / "r/tables/minimal", "|  | ratio |", "| A | 1 |").parent
    shown = [table_result("minimal", folder=folder)]
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(tmp_path / "docs/_build", ignore_errors=True)
    before = Page(report_page(tmp_path / "r", shown))
    built = tmp_path / "docs/_build/html/minimal.html"
    built.parent.mkdir(parents=True)
    built.touch()
    after = Page(report_page(tmp_path / "r", shown))
    assert "../../docs/minimal.md" in before.links and "make docs" in before.text
    assert "../../docs/_build/html/minimal.html" in after.links
    assert "make docs" not in after.text


def test_names_of_tables_are_shown_as_text(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    folder = written(tmp_path / "tables/x", "|  | <b>e |", "| <script> | 1 |").parent
    page = report_page(tmp_path, [table_result("x", folder=folder)])
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;e" in page


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return copy_with_figures(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def report(tree):
    return write_report(tree, "paper").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(report):
    return Page(report)


@pytest.mark.slow
def test_every_claim_stands_there_with_its_verdict(page):
    text = " ".join(page.text.split())
    for path in [ROOT / "results/paper/claims.json", *TABLES.parent.glob("claims/*")]:
        if path.suffix == ".json" and path.stem not in ("attack", "transfer"):
            for claim in json.loads(path.read_text(encoding="utf-8")):
                after = text.partition(" ".join(claim["statement"].split()))[2]
                assert re.search(r"agrees|differs|undecided|--", after[:90]), claim
                assert (claim["verdict"] or "--") in after[:90], claim


@pytest.mark.slow
def test_every_printed_number_stands_there_with_its_verdict(report):
    (listed,) = re.findall(r'<details id="numbers">(.*?)</details>', report, re.S)
    found = Counter(re.findall(r'<span class="(\w+)">', listed))
    expected: Counter[str] = Counter()
    for path in PUBLISHED.values():
        if path.startswith("results/paper/"):
            cells = pd.read_csv(ROOT / f"{path}.csv")
            repeated = {column for table, column in REPEATED if path.endswith(table)}
            own = cells["low"].notna() & ~cells["column"].isin(repeated)
            expected += Counter(cells.loc[own, "verdict"].dropna())
    assert found == expected


@pytest.mark.slow
def test_every_table_and_figure_is_shown_with_what_made_it(tree, report, page):
    results = tree / "results/paper"
    shown = {f"table-{path.stem}" for path in results.glob("tables/*.csv")}
    shown |= {f"figure-{path.stem}" for path in results.glob("figures/*.svg")}
    assert shown <= set(page.ids)
    for anchor in shown:
        section = report.partition(f'<section id="{anchor}">')[2].partition("</sec")[0]
        assert re.search(r"Made by rule <code>\w+</code> with", section), anchor
        assert len(Page(section.partition('class="caption"')[2]).text) > 80, anchor
    assert "rest" not in page.ids, "docs/answers.md does not name a result"


@pytest.mark.slow
def test_the_report_loads_nothing_and_its_links_lead_somewhere(tree, page):
    assert {address.partition(":")[0] for address in page.loaded} == {"data"}
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif not link.startswith("data:"):
            path = tree / "results/paper" / link.partition("#")[0]
            assert path.exists(), link


@pytest.mark.slow
def test_a_smaller_run_shows_what_it_has(tree):
    folder = written(
        tree / "results/smoke/tables/units", "|  | n |", "| A | 1 |"
    ).parent
    options = ("--configfile", "config/smoke.yaml")
    (folder.parent / "explore.html").write_text("")
    page = Page(write_report(tree, "smoke", *options).read_text(encoding="utf-8"))
    assert "table-units" in page.ids
    assert "table-models" not in page.ids
    assert "explore.html" in page.links


def test_results_named_under_questions_exist():
    """A result that is misspelt would be shown under no question."""
    questions = SECTION.findall((ROOT / "docs/answers.md").read_text(encoding="utf-8"))
    captions = {p.stem for p in (ROOT / "workflow/report").glob("*.rst")}
    known = {re.sub("^(table|figure|claims)-", "", name) for name in captions}
    for _, names, _ in questions:
        assert set(names.split()) <= known | {"top-images"}
