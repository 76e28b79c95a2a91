"""Pages of HTML as the tests read them, and the report of the tables in git."""

import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

from conftest import ROOT
from scratch import call, copy_repository

from intriguing.workflow.report.catalogue import Result

# Of the copy, and not of the project that is installed.
OWN_MODULE = """
import runpy, sys
sys.path.insert(0, "src")
runpy.run_module("intriguing.workflow.report", run_name="__main__", alter_sys=True)
"""
TABLES = ROOT / "results/paper/tables"


class Page(HTMLParser):
    """The ids, addresses and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if name := known.get("id"):
            self.ids.append(name)
        if tag == "a":
            self.links.append(known.get("href") or "")
        else:
            sources = ("src", "href", "srcset", "data", "poster")
            self.loaded += [known[name] or "" for name in sources if name in known]

    def handle_data(self, data: str) -> None:
        self.text += data


def copy_with_figures(folder: Path) -> Path:
    """Copy the repository, and give its paper run the pictures of the pages."""
    (folder / "raw").mkdir(parents=True)
    tree = copy_repository(folder / "tree", folder / "raw")
    figures = tree / "results/paper/figures"
    figures.mkdir(parents=True)
    for picture in (tree / "docs/figures").glob("*.png"):
        shutil.copy(picture, figures)
        drawing = (
            f'<svg xmlns="http://www.w3.org/2000/svg"><!-- {"-" * 10**6} --></svg>'
        )
        (figures / picture.with_suffix(".svg").name).write_text(drawing)
    return tree


def write_report(tree: Path, run: str, *options: object) -> Path:
    """Write the report of a run as `make` does."""
    call(tree, sys.executable, "-c", OWN_MODULE, *options)
    return tree / f"results/{run}/report.html"


def table_result(name: str, paper: str = "", folder: Path = TABLES) -> Result:
    """Return a table as the catalogue lists it, by default one of the paper run."""
    made = {"rule": f"table_{name}", "script": Path("scripts/x.py"), "settings": ""}
    return Result("table", folder / name, name, paper, "A caption.", **made)
