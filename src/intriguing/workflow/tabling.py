"""Tables and claims, between frames and files."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from intriguing.stats.agreement import Claim, to_json
from intriguing.tables import html, tidy
from intriguing.workflow.files import write_text


def read_published(path: Path | str) -> pd.DataFrame:
    """Return every number of the paper's tables."""
    return pd.read_csv(path, sep="\t", dtype={"printed": str})


def write_table(
    table: pd.DataFrame,
    path: Path | str,
    title: str,
    kinds: tidy.Kinds | None = None,
    note: str = "",
) -> None:
    """Write a tidy table as CSV, and beside it as Markdown, LaTeX and HTML.

    A note stands below the table in Markdown and HTML.
    """
    path = Path(path)
    write_text(path, tidy.to_csv_text(table))
    write_text(path.with_suffix(".md"), tidy.to_markdown(table, kinds, note))
    write_text(path.with_suffix(".tex"), tidy.to_latex(table, kinds))
    write_text(path.with_suffix(".html"), html.table_page(table, title, kinds, note))


def write_claims(
    claims: Sequence[Claim], path: Path | str, page: Path | str | None = None
) -> None:
    """Write claims as JSON, and where a page is named also as HTML."""
    write_text(path, to_json(claims))
    if page is not None:
        write_text(page, html.claims_page(claims))
