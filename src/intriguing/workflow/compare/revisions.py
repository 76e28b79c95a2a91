"""A commit as git and DVC hold it, unpacked beside the checkout."""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

from intriguing.errors import InputError

RECORDS = Path(".snakemake/metadata")
PATIENCE = 300.0  # seconds; DVC may have to ask a remote


def unpack(root: Path, revision: str, place: Path) -> None:
    """Unpack all that git holds of a commit into a new folder.

    Raises:
        InputError: There is no such commit, or no git.
    """
    place.mkdir(parents=True)
    archive = place / ".archive.zip"
    commit = f"{revision}^{{commit}}"
    try:
        _git(root, "archive", "--format=zip", "--output", str(archive), commit)
    except subprocess.CalledProcessError:
        raise InputError(
            f"BASE={revision}: git knows no such commit here; "
            "`git log --oneline` lists them"
        ) from None
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(place)
    archive.unlink()


def restore_records(root: Path, revision: str, place: Path) -> None:
    """Put Snakemake's records of a commit's results into its unpacked folder.

    Nothing is put there where DVC has no records of the results in git, neither in its
    cache nor on a remote.
    """
    if not _is_recorded(place):
        return
    (place / RECORDS).parent.mkdir(parents=True, exist_ok=True)
    dvc = (sys.executable, "-m", "dvc", "get", "--quiet", "--rev", revision)
    try:
        subprocess.run(
            [*dvc, "--out", str(place / RECORDS), str(root), str(RECORDS)],
            cwd=root,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        shutil.rmtree(place / RECORDS, ignore_errors=True)  # a part would mislead


def _is_recorded(checkout: Path) -> bool:
    """Tell whether ``dvc.lock`` belongs to the results that git holds beside it."""
    lock = checkout / "dvc.lock"
    if not lock.is_file():
        return False
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"].values()
    outs = [out for stage in stages for out in stage["outs"]]
    held = [out for out in outs if (checkout / out["path"]).is_file()]
    return all(_md5(checkout / out["path"]) == out["md5"] for out in held)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def title(root: Path, revision: str) -> str:
    """Return a commit's short name, date and subject."""
    return _git(root, "log", "-1", "--format=%h, %cs: %s", revision, "--").strip()


def is_changed(root: Path) -> bool:
    """Tell whether tracked files differ from the last commit."""
    return bool(_git(root, "status", "--porcelain", "--untracked-files=no"))


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
    except OSError as error:
        raise InputError(f"git: {error.strerror}; comparing needs it") from None
    return done.stdout
