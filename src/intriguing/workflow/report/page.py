"""The page of a report, from the results of a run."""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from intriguing.tables.tidy import MARKS
from intriguing.workflow.files import read_json
from intriguing.workflow.markdown import cell_of, refreshed, table_lines, with_cells
from intriguing.workflow.printed import printed_numbers
from intriguing.workflow.report.catalogue import Result
from intriguing.workflow.sentences import SUMMARIES, equivalence_rule

TEMPLATE = Path("workflow/report/report.html")
QUESTIONS = Path("docs/answers.md")
BUILT = Path("docs/_build/html")
"""Where `make docs` puts the pages."""
IN_PAPER = ("Figures 1-4", "Figure 5", "4.1, 4.2", "Table 1", "Figure 7")
IN_PAPER += ("Table 2", "Table 3", "Table 4", "Table 5")
"""What the paper calls its results, in its order."""
VERDICTS = {mark: verdict for verdict, mark in MARKS.items()}
CELL = re.compile(
    r"(?P<measured>[^ ]*)(?: (?P<interval>\[.*?\]))?(?: \(paper (?P<paper>.*?)\))?"
    rf"(?: (?P<mark>[{''.join(MARKS.values())}]))?"
)
"""A cell of a table in Markdown, as `intriguing.tables.tidy` writes it."""
SECTION = re.compile(
    r"^## (?P<question>[^\n]*)\n\s*<!-- report: (?P<names>[^\n]*) -->\n"
    r"(?P<answer>.*?)(?=^## |\Z)",
    re.DOTALL | re.MULTILINE,
)
"""A question of ``docs/answers.md`` with the names of the results that answer it."""


class Cell(NamedTuple):
    """The parts of a table's cell as text; empty for what it does not have."""

    measured: str
    interval: str
    paper: str
    mark: str

    @property
    def verdict(self) -> str:
        """Return what the mark stands for."""
        return VERDICTS.get(self.mark, "")


class Number(NamedTuple):
    """A number that the paper prints, with ours beside it."""

    result: Result
    row: str
    column: str
    cell: Cell


class Section(NamedTuple):
    """A question beyond the paper, its answer, and the results that it rests on."""

    question: str
    answer: Markup
    results: Sequence[Result]
    """Shown here."""
    others: Sequence[Result]
    """Shown with the paper's tables and figures."""


def report_page(results: Path, shown: Sequence[Result]) -> str:
    """Return the report of a run as one HTML page.

    Args:
        results: ``results/<run>``.
        shown: Its tables, figures and claims.
    """
    in_paper = sorted((one for one in shown if one.paper), key=_place_in_paper)
    sections = [*_sections(results, shown)]
    answered = {one for section in sections for one in section.results}
    rest = [one for one in shown if not one.paper and one not in answered]
    numbers = _printed(in_paper)
    facts = results / "provenance.json"
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"table": table_cells, "claims": claims_of}
    environment.globals |= {"picture": picture, "markdown": as_html, "data": data_link}
    return environment.get_template(TEMPLATE.name).render(
        run=results.name,
        claims_of_paper=[one for one in in_paper if one.kind == "claims"],
        in_paper=[one for one in in_paper if one.kind != "claims"],
        sections=sections,
        rest=rest,
        numbers=numbers,
        counts=_counts(numbers),
        total=Counter(number.cell.verdict for number in numbers),
        rule=equivalence_rule(),
        facts=read_json(facts) if facts.is_file() else None,
        marks=MARKS,
        has_explorer=(results / "explore.html").is_file(),
        has_built_pages=BUILT.is_dir(),
        has_provenance=(results / "provenance.html").is_file(),
    )


def table_cells(result: Result) -> tuple[Sequence[str], list[tuple[str, list[Cell]]]]:
    """Return the names of a table's columns, and its rows with their names."""
    text = result.stem.with_suffix(".md").read_text(encoding="utf-8")
    (_, *columns), _, *rows = table_lines(text)
    return columns, [(row, [_cell(text) for text in cells]) for row, *cells in rows]


def claims_of(result: Result) -> list[dict[str, Any]]:
    """Return the claims of a file."""
    return read_json(result.stem.with_suffix(".json"))


def picture(result: Result) -> str:
    """Return the address that holds a figure: the smaller of drawing and pixels."""
    kinds = {".svg": "image/svg+xml", ".png": "image/png"}
    files = {result.stem.with_suffix(suffix): kind for suffix, kind in kinds.items()}
    path = min(files, key=lambda path: path.stat().st_size)
    return f"data:{files[path]};base64,{b64encode(path.read_bytes()).decode()}"


def data_link(result: Result) -> str:
    """Return the address that holds the numbers of a table or of claims."""
    csv = result.kind == "table"
    kind, suffix = ("text/csv", ".csv") if csv else ("application/json", ".json")
    content = result.stem.with_suffix(suffix).read_bytes()
    return f"data:{kind};base64,{b64encode(content).decode()}"


def as_html(text: str) -> Markup:
    """Return Markdown as HTML; raw HTML in it is shown as text."""
    return Markup(MarkdownIt("commonmark", {"html": False}).render(text))


def _cell(text: str) -> Cell:
    match = CELL.fullmatch(text)
    return Cell(**match.groupdict(default="")) if match else Cell(text, "", "", "")


def _place_in_paper(result: Result) -> tuple[int, bool]:
    place = IN_PAPER.index(result.paper) if result.paper in IN_PAPER else len(IN_PAPER)
    return place, result.kind == "figure"


def _printed(in_paper: Iterable[Result]) -> list[Number]:
    """Return the numbers that the paper prints and that have a verdict, each once.

    The table of differences has those of all other tables. Of several tables about
    one of the paper's the first has its numbers; the others have them again, under
    other readings or on other images.
    """
    found: dict[str, list[Number]] = {}
    for result in in_paper:
        if result.name == "differences":
            continue
        if result.kind == "table" and not found.get(result.paper):
            found[result.paper] = _with_verdict(result)
    return [number for numbers in found.values() for number in numbers]


def _with_verdict(table: Result) -> list[Number]:
    columns, rows = table_cells(table)
    printed = printed_numbers(table.stem.with_suffix(".csv"))
    names = set(zip(printed["row"], printed["column"], strict=True))
    return [
        Number(table, row, column, cell)
        for row, cells in rows
        for column, cell in zip(columns, cells, strict=True)
        if cell.verdict and (row, column) in names
    ]


def _counts(numbers: Iterable[Number]) -> dict[Result, Counter[str]]:
    """Return how often each verdict occurs in each table."""
    counts: dict[Result, Counter[str]] = {}
    for number in numbers:
        counts.setdefault(number.result, Counter())[number.cell.verdict] += 1
    return counts


def _sections(results: Path, shown: Sequence[Result]) -> Iterable[Section]:
    """Yield the questions that the run has results for."""
    for match in SECTION.finditer(QUESTIONS.read_text(encoding="utf-8")):
        names = match["names"].split()
        own = [one for name in names for one in shown if one.name == name]
        if own:
            new = [one for one in own if not one.paper]
            others = [one for one in own if one.paper]
            answer = as_html(_answer(match["answer"], results))
            yield Section(match["question"], answer, new, others)


def _answer(text: str, results: Path) -> str:
    """Return an answer with the numbers of the run, as plain Markdown."""
    blocks = {name: partial(answer, results) for name, answer in SUMMARIES.items()}
    filled = with_cells(refreshed(text, blocks), partial(_number, results))
    plain = re.sub(r"<!--.*?-->", "", filled, flags=re.DOTALL)
    return re.sub(r"(?<=\]\()([\w-]+)\.md", _address, plain)


def _address(page: re.Match[str]) -> str:
    """Return the address of a page of docs/: as built for browsers, if it is."""
    built = BUILT / f"{page[1]}.html"
    return f"../../{built.as_posix() if built.is_file() else f'docs/{page[0]}'}"


def _number(results: Path, table: str, row: str, column: str) -> str:
    """Return a cell of a table; a smaller run may lack it."""
    path = results / "tables" / f"{table}.md"
    try:
        return cell_of(path.read_text(encoding="utf-8"), row, column)
    except (OSError, KeyError, ValueError):
        return "(not computed in this run)"
