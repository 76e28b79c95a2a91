"""The layout of the code is that of docs/architecture.md, in the field's words."""

import re
import tokenize

import pytest
from conftest import ROOT

FLOORS = {"rules": "workflow/rules", "steps": "scripts", "tests": "tests"}
# Words of earlier versions that have a standard name now.
OLD_WORDS = {
    *("answers", "arm", "arms", "astray", "begun", "complaints", "contender"),
    *("contenders", "halves", "kappa", "kinks", "posed", "recognise", "rival"),
    *("rivals", "seat", "seats", "spared", "tallied", "unled", "wanted"),
}
SOURCES = [
    path
    for folder in ("src", "scripts", "workflow")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".py", ".smk")
]
SHEETS_AND_SETTINGS = [*ROOT.glob("config/*.yaml"), *ROOT.glob("config/*.tsv")]


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


def test_the_library_has_at_most_22_entries():
    entries = {path.name for path in (ROOT / "src/intriguing").iterdir()}
    assert len(entries - {"__pycache__"}) <= 22


def words(text: str) -> set[str]:
    """Return the parts of all identifiers: of_several_words, OfSeveral."""
    names = re.findall(r"[A-Za-z_]\w*", text)
    parts = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
    return {part.lower() for name in names for part in parts.findall(name)}


def test_no_identifier_of_the_code_is_an_old_word():
    found = {}
    for path in SOURCES:
        with path.open(encoding="utf-8") as lines:
            tokens = list(tokenize.generate_tokens(lines.readline))
        names = [token.string for token in tokens if token.type == tokenize.NAME]
        found[str(path.relative_to(ROOT))] = words(" ".join([path.stem, *names]))
    assert {p: w & OLD_WORDS for p, w in found.items() if w & OLD_WORDS} == {}


def test_no_key_or_column_of_the_configuration_is_an_old_word():
    text = "".join(path.read_text(encoding="utf-8") for path in SHEETS_AND_SETTINGS)
    keys = re.findall(r"^ *([\w-]+):|^(\w+(?:\t\w+)+)$", text, re.M)
    assert keys
    assert not words(" ".join(map(" ".join, keys))) & OLD_WORDS
