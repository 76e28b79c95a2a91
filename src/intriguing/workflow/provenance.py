"""Provenance of a run: commit, settings, versions, device, time and memory."""

import csv
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from intriguing.workflow.config import RunConfig

PACKAGES = (
    *("torch", "numpy", "scipy", "numba", "pandas", "pyarrow", "safetensors"),
    *("matplotlib", "snakemake", "dvc"),
)
GIT_TIMEOUT = 30.0  # seconds


def collect(
    root: Path,
    results: Path,
    config: RunConfig,
    state: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what a reader needs to know to trust or repeat the results of a run.

    Args:
        root: The checkout.
        results: ``results/<run>``, where the benchmarks lie.
        config: Settings of the run.
        state: `checkout_state` at the start of the run; None for the present one.

    Returns:
        Values for JSON; None for what is unknown.
    """
    settings = config.model_dump(mode="json")
    return {
        **(checkout_state(root) if state is None else state),
        "config": settings,
        "config_digest": _digest(json.dumps(settings, sort_keys=True).encode()),
        "lock_digest": _file_digest(root / "requirements.lock"),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "device": _device(),
        "rules": costs(results / "benchmarks"),
    }


def checkout_state(root: Path) -> dict[str, Any]:
    """Return commit and dirty flag of a checkout; None without git or a commit."""
    # An archive unpacked inside another repository has nothing to do with its commit.
    at_top = _git(root, "rev-parse", "--show-prefix") == ""
    commit = _git(root, "rev-parse", "HEAD") if at_top else None
    changes = _git(root, "status", "--porcelain") if commit else None
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def costs(benchmarks: Path) -> dict[str, dict[str, float | None]]:
    """Return the sums of the benchmarks ``<rule>.tsv`` and ``<rule>/**/*.tsv``.

    Returns:
        For each rule: number of jobs, seconds of all and of the longest, and the
        highest memory in MB (None for jobs too short to be measured).
    """
    rules: dict[str, list[dict[str, str]]] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
        rules.setdefault(rule, []).extend(_rows(path))
    return {rule: _cost(rows) for rule, rows in rules.items()}


def _cost(rows: list[dict[str, str]]) -> dict[str, float | None]:
    seconds = list(_numbers(rows, "s"))
    return {
        "jobs": len(rows),
        "seconds": round(sum(seconds), 2),
        "longest": max(seconds, default=None),
        "max_rss": max(_numbers(rows, "max_rss"), default=None),
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def _numbers(rows: list[dict[str, str]], column: str) -> Iterator[float]:
    for row in rows:
        try:
            yield float(row[column])
        except (KeyError, TypeError, ValueError):  # "-" or "NA"
            continue


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=GIT_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str | None:
    facts = Path("/proc/cpuinfo")
    if not facts.is_file():
        return platform.processor() or None
    names = (line for line in facts.read_text().splitlines() if "model name" in line)
    return next(names, ":").partition(":")[2].strip() or None


def _device() -> str:
    import torch  # takes seconds

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _file_digest(path: Path) -> str | None:
    return _digest(path.read_bytes()) if path.is_file() else None
