"""Differences upstream of an output: code, settings and data, from the records.

The search goes from an output to its inputs, and on only through inputs whose bytes
differ: what lies upstream of equal bytes explains nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
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
UNEXPLAINED = (
    "different bytes from the same code, settings and inputs: "
    "different versions of libraries, or another machine"
)


class Cause(NamedTuple):
    """One difference; ``kind`` is code, settings, data, inputs, output or result."""

    kind: str
    rule: str
    text: str


class Side(NamedTuple):
    """One of the two runs: the checkout with its sources, and its records."""

    checkout: Path
    records: Records


Causes = dict[Cause, list[str]]
"""Each cause with the jobs it affected."""


def causes_of(outputs: Iterable[str], base: Side, now: Side) -> Causes:
    """Return the differences upstream of some outputs, by the records of both runs."""
    causes: Causes = {}
    todo, seen = list(outputs), set()
    while todo:
        output = todo.pop()
        before, after = base.records.get(output), now.records.get(output)
        if output in seen or not after:
            continue
        seen.add(output)
        differing = _differing_inputs(before, after) if before else []
        todo += differing
        for cause in _job_causes(before, after, differing, base, now):
            known = causes.setdefault(cause, [])
            known += [] if after.job in known else [after.job]
    return causes


def possible_causes(outputs: Iterable[str], base: Path, now: Side) -> Causes:
    """Return what may explain a difference where the base has no records.

    These are all code and data upstream that differ between the two checkouts, and
    all settings files, whether or not they changed what was computed.
    """
    records = _upstream(outputs, now.records)
    codes = {record.rule: record.code for record in records}
    found = [
        Cause("code", rule, ", ".join(modules))
        for rule, code in sorted(codes.items())
        if (modules := changed_modules(rule, code, base, now.checkout))
    ]
    inputs = {name for record in records for name in record.inputs}
    settings = (now.checkout / "config").glob("*.*")
    files = {
        "data": inputs - now.records.keys(),
        "settings": {f"config/{p.name}" for p in settings if p.suffix != ".md"},
    }
    for kind, names in files.items():
        changed = changed_files(sorted(names), base, now.checkout)
        found += [Cause(kind, "", name) for name in changed]
    return {cause: [] for cause in found}


def _upstream(outputs: Iterable[str], records: Records) -> list[Record]:
    """Return the records of some outputs and of all they were made from."""
    found: dict[str, Record] = {}
    todo = list(outputs)
    while todo:
        output = todo.pop()
        if output in records and output not in found:
            found[output] = records[output]
            todo += records[output].inputs
    return list(found.values())


def _differing_inputs(before: Record, after: Record) -> list[str]:
    """Return the common inputs of two records whose bytes differ."""
    both = (name for name in after.inputs if name in before.inputs)
    return [name for name in both if after.inputs[name] != before.inputs[name]]


def _job_causes(
    before: Record | None, after: Record, differing: list[str], base: Side, now: Side
) -> list[Cause]:
    """Return what differs at one job, apart from inputs that other rules make."""
    if not before:
        return [Cause("output", after.rule, "made since")]
    causes = [
        *_code_and_settings(before, after, base, now),
        *_changed_inputs(before, after),
    ]
    for name in differing:
        if name not in now.records:
            old, new = before.inputs[name], after.inputs[name]
            causes.append(Cause("data", "", f"{name}: {_short(old)} → {_short(new)}"))
    if not causes and not differing:
        causes.append(Cause("result", after.rule, UNEXPLAINED))
    return causes


def _code_and_settings(
    before: Record, after: Record, base: Side, now: Side
) -> Iterator[Cause]:
    if before.code != after.code:
        digests = (before.code, after.code)
        text = code_changes(base.checkout, now.checkout, digests)
        yield Cause("code", after.rule, text)
    for text in _changed_settings(before.settings, after.settings):
        yield Cause("settings", after.rule, text)


def _changed_inputs(before: Record, after: Record) -> Iterator[Cause]:
    added = after.inputs.keys() - before.inputs.keys()
    removed = before.inputs.keys() - after.inputs.keys()
    for verb, names in (("also takes", added), ("no longer takes", removed)):
        if names:
            text = f"{verb} {_cut(', '.join(sorted(names)))}"
            yield Cause("inputs", after.rule, text)


def _changed_settings(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = ""
) -> Iterator[str]:
    """Yield ``group.key: old → new`` for each setting that differs."""
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changed_settings(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key}: {_change_text(old, new)}"


def _change_text(old: Any, new: Any) -> str:
    lists = isinstance(old, list | tuple) and isinstance(new, list | tuple)
    if not lists or max(len(str(old)), len(str(new))) <= WHOLE:
        texts = ["--" if one is None else _cut(str(one)) for one in (old, new)]
        return " → ".join(texts)
    removed = ", ".join(str(item) for item in old if item not in new)
    added = ", ".join(str(item) for item in new if item not in old)
    parts = [removed and f"without {removed}", added and f"with {added}"]
    return _cut(", ".join(filter(None, parts)) or "another order")


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_AT_MOST else f"{text[:SHOWN_AT_MOST]}…"


def _short(checksum: str | None) -> str:
    return (checksum or "--")[:CHECKSUM]
