"""The layout of the code is that of docs/architecture.md."""

import re

import pytest
from conftest import ROOT

FLOORS = {"rules": "workflow/rules", "steps": "scripts", "tests": "tests"}


def chapters() -> dict[str, dict[str, str]]:
    """Return the rows of the page's table of chapters, by name."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| .*$", page.partition("## Chapters")[2], re.M)
    cells = [[c.strip(" `") for c in line.strip("|").split("|")] for line in lines]
    header = cells[0]
    assert header[0] == "chapter"
    return {row[0]: dict(zip(header, row, strict=True)) for row in cells[1:]}


def folders(place: str) -> set[str]:
    return {path.parent.name for path in (ROOT / place).glob("*/*.*")} - {"__pycache__"}


def test_the_page_has_a_row_for_each_chapter_of_the_library():
    library = ROOT / "src/intriguing"
    modules = {path.stem for path in library.glob("[!_]*.py")}
    assert set(chapters()) == folders("src/intriguing") | modules


@pytest.mark.parametrize("column", FLOORS)
def test_the_folders_of_a_floor_are_the_chapters_that_the_page_says(column):
    said = {name for name, row in chapters().items() if row[column] == "yes"}
    assert folders(FLOORS[column]) & set(chapters()) == said


@pytest.mark.parametrize("place", ["workflow/rules", "scripts"])
def test_rules_and_steps_lie_in_chapters_only(place):
    assert folders(place) <= set(chapters())
