"""Tables in Markdown, and documents whose marked blocks the code writes."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[object]], align: str = "---"
) -> str:
    """Return a table; ``align`` is the rule below all columns but the first."""
    rule = ["---", *[align] * (len(header) - 1)]
    return "".join(f"| {' | '.join(map(str, r))} |\n" for r in (header, rule, *rows))


def refreshed(text: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """Return a text with each block between its markers written anew.

    Args:
        text: Holds ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->`` for each block.
        blocks: Functions that return the blocks, by name; those without markers in the
            text are not called.
    """
    for name, write in blocks.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if begin in text:
            block = f"{begin}\n\n{write()}\n{end}"
            between = re.compile(f"{begin}.*?{end}", re.DOTALL)
            text = between.sub(lambda _, block=block: block, text)
    return text


def with_cells(text: str, cell: Callable[[str, str, str], str]) -> str:
    """Return a text whose numbers in sentences are those of tables.

    Args:
        text: Holds ``<!-- cell: TABLE ; ROW ; COLUMN -->`` before each such number and
            ``<!-- end -->`` after it. A bar would end the cell of a table.
        cell: Returns the text of a cell of a table.
    """

    def replaced(match: re.Match[str]) -> str:
        table, row, column = (part.strip() for part in match[1].split(";"))
        return f"<!-- cell:{match[1]}-->{cell(table, row, column)}<!-- end -->"

    return re.sub(r"<!-- cell:(.*?)-->.*?<!-- end -->", replaced, text, flags=re.DOTALL)


def cell_of(table: str, row: str, column: str) -> str:
    """Return the text of one cell of a Markdown table.

    Raises:
        KeyError: The table has no such row or column.
    """
    lines = table_lines(table)
    rows = {line[0]: line for line in lines}
    return rows[row][lines[0].index(column)]


def table_lines(table: str) -> list[list[str]]:
    """Return the cells of each line of a Markdown table; the second is the rule."""
    return [
        [part.strip() for part in line.strip().strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|")
    ]
