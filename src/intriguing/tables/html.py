"""Tables and claims as self-contained HTML pages, for the report."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.tables.tidy import Kinds, legend, text_rows

STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1a1a1a }
table { border-collapse: collapse }
th, td { padding: .35rem .7rem; text-align: left; border-bottom: 1px solid #d0d0d0 }
thead th { border-bottom: 2px solid #1a1a1a }
th { min-width: 7.5rem }
td { font-variant-numeric: tabular-nums; min-width: 6.5rem }
p { max-width: 60rem; color: #444 }
"""


def table_page(
    df: pd.DataFrame, title: str, kinds: Kinds | None = None, note: str = ""
) -> str:
    """Return a tidy table as an HTML page, rows against columns, with a note."""
    header, *body = text_rows(df, kinds)
    return page(title, header, body, legend(df, note))


def claims_page(claims: Sequence[Claim]) -> str:
    """Return claims and findings as an HTML page, one row each."""
    header = ["claim", "measured", "verdict", "evidence"]
    body = []
    for claim in claims:
        numbers = [claim.measured, claim.low, claim.high]
        known = ["--" if number is None else f"{number:.4g}" for number in numbers]
        measured = f"{known[0]} [{known[1]}, {known[2]}]"
        body.append([claim.statement, measured, claim.verdict or "--", claim.evidence])
    note = "In brackets: 95 % interval. docs/methods.md has the rules of the verdicts; "
    note += "what the paper does not say has none."
    return page("Claims", header, body, note)


def page(
    title: str, header: Sequence[str], body: Sequence[Sequence[str]], note: str
) -> str:
    """Return an HTML page with a title, one table and a note."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in header)
    rows = "".join(f"<tr>{_row(line)}</tr>\n" for line in body)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>\n"
        f"<h1>{escape(title)}</h1>\n<table><thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}</tbody></table>\n<p>{escape(note)}</p>\n</body></html>\n"
    )


def _row(line: Sequence[str]) -> str:
    first, *rest = (escape(text) for text in line)
    cells = "".join(f"<td>{_stacked(text)}</td>" for text in rest)
    return f'<th scope="row">{first}</th>{cells}'


def _stacked(text: str) -> str:
    """Return a cell with its interval and the paper's number on lines of their own."""
    return text.replace(" [", "<br>[").replace(" (paper", "<br>(paper")
