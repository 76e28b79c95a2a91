"""Provenance of a run: commit, settings, versions, device, time and memory."""

import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping
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
    root: Path, results: Path, config: RunConfig, state: Mapping[str, Any] | None = None
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
    settings, lock = config.model_dump(mode="json"), root / "requirements.lock"
    installed = {one.name: one.version for one in metadata.distributions()}
    return {
        **(checkout_state(root) if state is None else state),
        "config": settings,
        "config_digest": _digest(json.dumps(settings, sort_keys=True).encode()),
        "lock_digest": _digest(lock.read_bytes()) if lock.is_file() else None,
        "python": platform.python_version(),
        "versions": {name: installed.get(name) for name in PACKAGES},
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
    import pandas as pd  # takes a second, which the planning of jobs does not need

    jobs: dict[str, list[pd.DataFrame]] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
        jobs.setdefault(rule, []).append(pd.read_csv(path, sep="\t", na_values="-"))
    found = {}
    for rule, frames in jobs.items():
        seconds, memory = (pd.concat(frames)[column] for column in ("s", "max_rss"))
        found[rule] = {
            "jobs": len(frames),
            "seconds": round(float(seconds.sum()), 2),
            "longest": float(seconds.max()),
            "max_rss": float(memory.max()) if memory.max() > 0 else None,
        }
    return found


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=GIT_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _processor() -> str | None:
    facts = Path("/proc/cpuinfo")
    text = facts.read_text(encoding="utf-8") if facts.is_file() else ""
    found = re.search(r"^model name\s*: (.*)", text, re.MULTILINE)
    return found[1] if found else platform.processor() or None


def _device() -> str:
    import torch  # takes seconds

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
