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


def read_records(folder: Path) -> dict[str, Record]:
    """Return the readable records of a folder by the output's path."""
    found = {}
    for output, path in recorded(folder).items():
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            found[output.as_posix()] = _record(facts)
        except (ValueError, KeyError, TypeError):
            continue  # other versions of Snakemake write other formats
    return found


def _record(facts: Mapping[str, Any]) -> Record:
    params = [_literal(text) for text in facts["params"]]
    codes = [param for param in params if isinstance(param, str)]
    settings: dict[str, Any] = {}
    for param in params:
        settings |= param if isinstance(param, dict) else {}
    checksums = facts["input_checksums"]
    inputs = {name: checksums.get(name) for name in facts["input"]}
    return Record(facts["rule"], _job(facts), " ".join(codes), settings, inputs)


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _job(facts: Mapping[str, Any]) -> str:
    """Return a job's wildcards, ``model/seed``; empty where a rule has one job."""
    log = (facts["log"] or [""])[0].removesuffix(".log")
    return log.partition(f"/logs/{facts['rule']}/")[2]
