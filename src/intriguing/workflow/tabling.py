"""Reading the paper's numbers, and writing a table in all its forms."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from intriguing.tables import html, tidy
from intriguing.workflow.files import write_text

FORMS = ("csv", "md", "tex", "html")


def read_published(path: Path | str) -> pd.DataFrame:
    """Return every number of the paper's tables."""
    return pd.read_csv(path, sep="\t", dtype={"printed": str})


def write_table(
    table: pd.DataFrame,
    outputs: Mapping[str, str],
    title: str,
    kinds: tidy.Kinds | None = None,
) -> None:
    """Write a tidy table to each of the files of ``outputs``, by its form."""
    write_text(outputs["csv"], tidy.to_csv_text(table))
    write_text(outputs["md"], tidy.to_markdown(table, kinds))
    write_text(outputs["tex"], tidy.to_latex(table, kinds))
    write_text(outputs["html"], html.table_page(table, title, kinds))
