"""Folders that a run is going to write to."""

import json
import os
from contextlib import suppress
from pathlib import Path

from content_reruns.record_check import recorded
from intriguing.errors import InputError


def require_writable(folder: Path | str) -> None:
    """Refuse a results folder that cannot be written, before the first job runs.

    Raises:
        InputError: The folder, or the nearest one above it that is there, is a file
            or may not be written.
    """
    folder = Path(folder)
    above = (folder, *folder.absolute().parents)
    there = next(path for path in above if os.path.lexists(path))  # or a dangling link
    if not there.is_dir():
        raise InputError(f"{folder}: {there} is no folder; move that file away")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(
            f"{folder}: {there} cannot be written; change its permissions, or work "
            "in another folder with --directory"
        )


def has_jobs_elsewhere(marks: Path | str) -> bool:
    """Return whether an unfinished job was given to a cluster, where it may still run.

    Args:
        marks: Folder of Snakemake's marks of unfinished outputs.
    """
    for mark in recorded(Path(marks)).values():
        with suppress(OSError, ValueError, AttributeError):
            if json.loads(mark.read_bytes()).get("external_jobid"):
                return True
    return False
