"""Folders that a run is going to write to."""

import os
from pathlib import Path

from intriguing.errors import InputError


def require_writable(folder: Path | str) -> None:
    """Refuse a results folder that cannot be written, before the first job runs.

    Raises:
        InputError: The folder, or the nearest one above it that is there, is a file
            or may not be written.
    """
    folder = Path(folder)
    there = next(path for path in (folder, *folder.absolute().parents) if _is(path))
    if not there.is_dir():
        raise InputError(f"{folder}: {there} is no folder; move that file away")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(
            f"{folder}: {there} cannot be written; change its permissions, or work "
            "in another folder with --directory"
        )


def _is(path: Path) -> bool:
    return os.path.lexists(path)  # a dangling link is in the way as well
