"""Numbers in the pages come from files, or have a reason to stand in the text.

Prose is what remains of a page without generated blocks and cells, code, formulas and
links. Numbers in it are results that nobody updates, unless they are literature, names,
definitions, or listed in ``prose-numbers.tsv`` beside this test with a reason.
"""

import csv
import re
from pathlib import Path

import pytest
from conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REASONS = Path(__file__).with_name("prose-numbers.tsv")
# In this order: what stands inside another one comes after it.
NOT_PROSE = {
    "generated block": r"(?s)<!-- ([\w-]+): begin -->.*?<!-- \1: end -->",
    "cell": r"(?s)<!-- cell:.*?<!-- end -->",
    "code": r"(?sm)^( *)```.*?^\1```",
    "formula": r"(?m)^    .*$",
    "inline code": r"`[^`]*`",
    "link": r"\]\([^)]*\)",
    "comment": r"(?s)<!--.*?-->",
}
NUMBERS_WITH_A_SOURCE = {
    "place in the paper": r"\b(?:[Ss]ections?|Tables?|Figures?|FC|[Vv]ersions?)\s+\d+"
    r"(?:\.\d+)?(?:(?:,| and| to|, and)\s+\d+(?:\.\d+)?)*",
    "literature": r"\d{4}\.\d{4,5}|\b(?:19|20)\d\d\b",
    "Python": r"Python 3\.\d+(?:(?:,| to| and) 3\.\d+)*",
    "name": r"\b[A-Za-z]\w*[-_]?\d[\w.@()-]*",
    "network": r"\b\d+-\d+-10\b",
    "ordered list": r"(?m)^#* *(?:Step )?\d+[.:] ",
    "pixels": r"\[0, 1\]|\b8[ -]bits?\b|\b\d+ ?x ?\d+\b",
    "level of intervals": r"\b95 %",
    "definition": r"(?<![\d.,^])[0-2](?![\d,]*\d|\.\d| %)",
}


def prose(text: str) -> str:
    """Return a page without what is not prose and without numbers that have a source.

    Lines stay where they are.
    """
    for pattern in (*NOT_PROSE.values(), *NUMBERS_WITH_A_SOURCE.values()):
        text = re.sub(pattern, blank, text)
    return text


def blank(match: re.Match[str]) -> str:
    """Return as many spaces and lines as a match has."""
    return re.sub(r"[^\n]", " ", match[0])


def reasons() -> dict[str, dict[str, str]]:
    """Return the numbers that may stand in each page, with the reason of each."""
    found: dict[str, dict[str, str]] = {}
    with REASONS.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file, delimiter="\t"):
            found.setdefault(line["page"], {})[line["text"]] = line["reason"]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_numbers_in_prose_come_from_files_or_have_a_reason(page):
    text = page.read_text(encoding="utf-8")
    for allowed in reasons().get(page.name, {}):
        # A text may be broken into lines.
        pattern = r"\s+".join(map(re.escape, allowed.split()))
        assert re.search(pattern, text), "not there: remove it from prose-numbers.tsv"
        text = re.sub(pattern, blank, text)
    lines = enumerate(prose(text).splitlines(), 1)
    found = {number: line.strip() for number, line in lines if re.search(r"\d", line)}
    assert found == {}, "read them from a file (workflow/readme.py) or give a reason"


def test_every_reason_is_given_for_a_page_that_exists():
    assert set(reasons()) <= {page.name for page in PAGES}
    assert all(reason for page in reasons().values() for reason in page.values())


@pytest.mark.parametrize(
    ("text", "is_prose"),
    [
        ("Our error is 1.51 %.", True),
        ("It wins by a factor 5.", True),
        ("A share of 12% of the images.", True),
        ("<!-- models: begin -->\n5 %\n<!-- models: end -->", False),
        ("It is <!-- cell: t ; r ; c -->5 %<!-- end -->.", False),
        ("`seeds=5` of Table 2 and Section 4.2 (Szegedy et al., 2013)", False),
        ("```\n5 %\n```", False),
        ("FC100-100-10 on pixels in [0, 1]", False),
    ],
)
def test_results_are_told_from_literature_and_generated_text(text, is_prose):
    assert bool(re.search(r"\d", prose(text))) == is_prose
