"""Snakemake's records of how each file was made."""

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from content_reruns.record_check import recorded


class Record(NamedTuple):
    """How one output was made."""

    rule: str
    job: str  # the rule's wildcards, as in the name of its log
    code: str  # digest
    settings: Mapping[str, Any]
    inputs: Mapping[str, str | None]  # file: checksum when it was read


Records = Mapping[str, Record]
"""By output. Paths of a run's own files are relative to its folder."""


def read_records(folder: Path, run: str) -> dict[str, Record]:
    """Return the readable records of a run's outputs."""
    found, prefix = {}, f"results/{run}/"
    for output, path in recorded(folder).items():
        name = output.as_posix()
        if name.startswith(prefix):
            try:
                facts = json.loads(path.read_text(encoding="utf-8"))
                found[name.removeprefix(prefix)] = _record(facts, prefix)
            except (ValueError, KeyError, TypeError):
                continue  # other versions of Snakemake write other formats
    return found


def _record(facts: Mapping[str, Any], prefix: str) -> Record:
    params = [_literal(text) for text in facts["params"]]
    codes = [param for param in params if isinstance(param, str)]
    settings: dict[str, Any] = {}
    for param in params:
        settings |= param if isinstance(param, dict) else {}
    sums = facts["input_checksums"]
    inputs = {name.removeprefix(prefix): sums.get(name) for name in facts["input"]}
    log = (facts["log"] or [""])[0].removesuffix(".log")
    job = log.partition(f"/logs/{facts['rule']}/")[2]
    return Record(facts["rule"], job, " ".join(codes), settings, inputs)


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
