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
