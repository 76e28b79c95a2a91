"""One line about each thing that is wrong with a config or a sheet."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from reprlib import repr as shorten
from typing import Any

from pydantic import ValidationError

# What pydantic found: how the user reads it. {input} and the limits are filled in.
WORDINGS = {
    "missing": "is missing",
    "greater_than": "must be more than {gt:g}, not {input}",
    "greater_than_equal": "must be at least {ge:g}, not {input}",
    "less_than": "must be less than {lt:g}, not {input}",
    "less_than_equal": "must be at most {le:g}, not {input}",
    "finite_number": "must be a finite number, not {input}",
    "literal_error": "must be {expected}, not {input}",
    "string_pattern_mismatch": "must match {pattern}, not {input}",
    "string_too_short": "must not be empty",
    "too_short": "needs {min_length} entry or more",
    "value_error": "{error}",
}
KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "tuple": "a list",
    "model": "a group of keys",
}


def problems_of(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield the dotted place and the wording of each problem, unknown keys apart.

    The wording of an unknown key is empty: its remedy depends on what is known.
    """
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"])
        unknown = problem["type"] == "extra_forbidden"
        yield place, "" if unknown else _wording(problem)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return what was probably meant, or everything that is known."""
    known = list(known)
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"


def in_two_lines(lines: list[str]) -> str:
    """Return the first two problems, and how many more there are."""
    more = f" (and {len(lines) - 2} more)" if len(lines) > 2 else ""
    return "\n".join(lines[:2]) + more


def _wording(problem: Mapping[str, Any]) -> str:
    kind, given = problem["type"], problem["input"]
    shown = "nothing" if given is None else shorten(given)
    if kind in WORDINGS:
        return WORDINGS[kind].format_map({"input": shown, **problem.get("ctx", {})})
    expected = KINDS.get(kind.partition("_")[0])
    return f"must be {expected}, not {shown}" if expected else problem["msg"]
