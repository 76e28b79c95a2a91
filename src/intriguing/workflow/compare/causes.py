"""What differs upstream of an output: code, settings and data, from the records.

The walk goes from an output to the records of its inputs, and on only where an input
had other bytes: what is upstream of the same bytes explains nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from intriguing.workflow.compare.records import Record, Records
from intriguing.workflow.compare.sources import (
    changed_files,
    changed_modules,
    code_changes,
)

SHOWN_AT_MOST = 160  # characters of a changed value
WHOLE = 60  # characters of a list that is shown whole
CHECKSUM = len("sha256:") + 8


class Cause(NamedTuple):
    """One difference; ``kind`` is code, settings, data, inputs, new or bytes."""

    kind: str
    rule: str
    text: str


class Side(NamedTuple):
    """One of the two runs compared: where its sources lie, and its records."""

    checkout: Path
    records: Records


Found = dict[Cause, list[str]]
"""Each cause with the jobs that it struck."""


def causes_of(outputs: Iterable[str], base: Side, now: Side) -> Found:
    """Find what differs upstream of some outputs, by the records of both runs."""
    found: Found = {}
    todo, seen = list(outputs), set()
    while todo:
        output = todo.pop()
        before, after = base.records.get(output), now.records.get(output)
        if output in seen or not after:
            continue
        seen.add(output)
        if not before:
            _note(found, Cause("new", after.rule, "made since"), after.job)
            continue
        differing = _differing_inputs(before, after)
        causes = [*_own_causes(before, after, differing, base, now)]
        causes = causes or ([] if differing else [_unexplained(after)])
        for cause in causes:
            _note(found, cause, after.job)
        todo += differing
    return found


def suspects(outputs: Iterable[str], base: Path, now: Side) -> Found:
    """List what may explain a difference, where one run's records are not to be had.

    All code and data upstream that differ between the two checkouts, and all settings
    files, whether or not they changed what was computed.
    """
    found: Found = {}
    records = upstream(outputs, now.records)
    for rule in sorted({record.rule for record in records}):
        modules = changed_modules(rule, base, now.checkout)
        if modules:
            found[Cause("code", rule, ", ".join(modules))] = []
    files = sorted({name for record in records for name in record.inputs})
    leaves = [name for name in files if name not in now.records]
    for name in changed_files(leaves, base, now.checkout):
        found[Cause("data", "", name)] = []
    places = sorted((now.checkout / "config").glob("*.*"))
    settings = [f"config/{path.name}" for path in places if path.suffix != ".md"]
    for name in changed_files(settings, base, now.checkout):
        found[Cause("settings", "", name)] = []
    return found


def upstream(outputs: Iterable[str], records: Records) -> list[Record]:
    """List the records of some outputs and of all they were made from."""
    found: dict[str, Record] = {}
    todo = list(outputs)
    while todo:
        output = todo.pop()
        if output in records and output not in found:
            found[output] = records[output]
            todo += records[output].inputs
    return list(found.values())


def _note(found: Found, cause: Cause, job: str) -> None:
    jobs = found.setdefault(cause, [])
    if job not in jobs:
        jobs.append(job)


def _differing_inputs(before: Record, after: Record) -> list[str]:
    """List the inputs of both that had other bytes."""
    both = (name for name in after.inputs if name in before.inputs)
    return [name for name in both if after.inputs[name] != before.inputs[name]]


def _own_causes(
    before: Record, after: Record, differing: list[str], base: Side, now: Side
) -> Iterator[Cause]:
    """Yield what differs at one job itself, and its inputs that no rule makes."""
    rule = after.rule
    if before.code != after.code:
        digests = (before.code, after.code)
        text = code_changes(rule, base.checkout, now.checkout, digests)
        yield Cause("code", rule, text)
    for text in changed_settings(before.settings, after.settings):
        yield Cause("settings", rule, text)
    for name in differing:
        if name not in now.records:
            old, new = before.inputs[name], after.inputs[name]
            yield Cause("data", "", f"{name}: {_short(old)} → {_short(new)}")
    for sign, names in (
        ("also takes", after.inputs.keys() - before.inputs.keys()),
        ("no longer takes", before.inputs.keys() - after.inputs.keys()),
    ):
        if names:
            yield Cause("inputs", rule, f"{sign} {_cut(', '.join(sorted(names)))}")


def _unexplained(after: Record) -> Cause:
    text = (
        "other bytes from the same code, settings and inputs: "
        "other versions of libraries, or another machine"
    )
    return Cause("bytes", after.rule, text)


def changed_settings(
    before: dict[str, Any], after: dict[str, Any], prefix: str = ""
) -> Iterator[str]:
    """Yield ``group.key: old → new`` for each setting that differs."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from changed_settings(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key}: {_shown_change(old, new)}"


def _shown_change(old: object, new: object) -> str:
    lists = isinstance(old, list | tuple) and isinstance(new, list | tuple)
    if lists and max(len(str(old)), len(str(new))) > WHOLE:
        return _cut(_shown_items(old, new))
    old, new = ("--" if one is None else str(one) for one in (old, new))
    return f"{_cut(old)} → {_cut(new)}"


def _shown_items(old: Sequence[object], new: Sequence[object]) -> str:
    """Say what a long list lost and gained."""
    gone = ", ".join(str(item) for item in old if item not in new)
    added = ", ".join(str(item) for item in new if item not in old)
    parts = [f"without {gone}" if gone else "", f"with {added}" if added else ""]
    return ", ".join(filter(None, parts)) or "another order"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_AT_MOST else f"{text[:SHOWN_AT_MOST]}…"


def _short(checksum: str | None) -> str:
    return (checksum or "--")[:CHECKSUM]
