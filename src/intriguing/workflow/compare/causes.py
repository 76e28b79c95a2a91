"""Differences upstream of an output: code, settings and data, from the records.

The search goes from an output to its inputs, and on only through inputs whose bytes
differ: what lies upstream of equal bytes explains nothing.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from intriguing.workflow.compare.records import Record, Records
from intriguing.workflow.compare.sides import Side
from intriguing.workflow.compare.sources import (
    changed_files,
    changed_modules,
    code_changes,
    steps_by_digest,
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


Causes = dict[Cause, list[str]]
"""Each cause with the jobs it affected."""


def causes_of(output: str, base: Side, now: Side) -> Causes:
    """Return the differences upstream of an output, by the records of both runs."""
    causes: Causes = {}
    todo, seen = [output], set()
    while todo:
        name = todo.pop()
        before, after = base.records.get(name), now.records.get(name)
        if name in seen or not after:
            continue
        seen.add(name)
        differing = _differing_inputs(before, after) if before else []
        todo += differing
        for cause in _job_causes(before, after, differing, base, now):
            known = causes.setdefault(cause, [])
            known += [] if after.job in known else [after.job]
    return causes


def possible_causes(output: str, base: Path, now: Side) -> Causes:
    """Return what may explain a difference where the base has no records.

    These are all code and data upstream that differ between the two checkouts, and
    all settings files, whether or not they changed what was computed.
    """
    records = _upstream(output, now.records).values()
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


def changes_since(output: str, side: Side) -> list[str]:
    """Return the files upstream of an output that are other ones than it was made from.

    A step whose code is other than recorded counts, by its rule. What is not there is
    not known to be another one.
    """
    found = set()
    for record in _upstream(output, side.records).values():
        if record.code not in steps_by_digest(side.checkout):
            found.add(f"code of {record.rule}")
        for name, checksum in record.inputs.items():
            folder = side.results if name in side.records else side.checkout
            present = _checksum(folder / name) if checksum else None
            if present and present != checksum:
                found.add(name)
    return sorted(found)


@cache  # many tables have the same files upstream
def _checksum(path: Path) -> str | None:
    """Return the checksum of a file as Snakemake records it; None if it is missing."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _upstream(output: str, records: Records) -> dict[str, Record]:
    """Return the records of an output and of all that it was made from."""
    found: dict[str, Record] = {}
    todo = [output]
    while todo:
        name = todo.pop()
        if name in records and name not in found:
            found[name] = records[name]
            todo += records[name].inputs
    return found


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
    causes = []
    if before.code != after.code:
        digests = (before.code, after.code)
        text = code_changes(base.checkout, now.checkout, digests)
        causes.append(Cause("code", after.rule, text))
    changed = _changed_settings(before.settings, after.settings)
    causes += [Cause("settings", after.rule, text) for text in changed]
    for verb, more, less in (
        ("also takes", after, before),
        ("no longer takes", before, after),
    ):
        if names := sorted(more.inputs.keys() - less.inputs.keys()):
            causes.append(Cause("inputs", after.rule, f"{verb} {_cut(names)}"))
    for name in differing:
        if name not in now.records:
            sums = (r.inputs[name] or "--" for r in (before, after))
            text = " → ".join(checksum[:CHECKSUM] for checksum in sums)
            causes.append(Cause("data", "", f"{name}: {text}"))
    if not causes and not differing:
        causes.append(Cause("result", after.rule, UNEXPLAINED))
    return causes


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
        texts = ["--" if one is None else _cut([one]) for one in (old, new)]
        return " → ".join(texts)
    removed = _cut([item for item in old if item not in new])
    added = _cut([item for item in new if item not in old])
    parts = [removed and f"without {removed}", added and f"with {added}"]
    return ", ".join(filter(None, parts)) or "another order"


def _cut(items: list[Any]) -> str:
    text = ", ".join(map(str, items))
    return text if len(text) <= SHOWN_AT_MOST else f"{text[:SHOWN_AT_MOST]}…"
