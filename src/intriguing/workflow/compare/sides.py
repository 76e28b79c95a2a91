"""The two runs that are compared: a folder of results, or a commit's results."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from intriguing.errors import InputError
from intriguing.workflow.compare.records import Records, read_records

RECORDS = Path(".snakemake/metadata")
PATIENCE = 300.0  # seconds; DVC may have to ask a remote


class Side(NamedTuple):
    """One of the two runs: its results, the checkout around them, and its records."""

    title: str
    results: Path
    checkout: Path
    records: Records


@contextmanager
def two_sides(root: Path, base: str, run: str) -> Iterator[tuple[Side, Side]]:
    """Hold what a run is compared with, and the run.

    Args:
        root: The working directory, in the checkout that a commit is looked up in.
        base: What the run is compared with: a folder of results, or else a commit,
            branch or tag with results of the same run.
        run: Name of the run, or its folder.

    Raises:
        InputError: There is no such commit or folder, or one side has no tables.
    """
    folder = Path(run if "/" in run else f"results/{run}")
    after = folder_side(root / folder)
    with tempfile.TemporaryDirectory(prefix="compare-") as scratch:
        if has_tables(root / base):
            yield folder_side(root / base), after
        else:
            place = Path(scratch).resolve() / "base"
            yield commit_side(root, base, folder.name, place), after


def folder_side(folder: Path) -> Side:
    """Return the run in a folder of results, ``[CHECKOUT/]results/RUN``.

    Raises:
        InputError: It has no tables.
    """
    checkout = folder.absolute().parents[1]
    if not has_tables(folder):
        there = [p.parent.name for p in checkout.glob("results/*/tables")]
        raise InputError(
            f"There are no tables here of the run {folder.name}; there are those of "
            f"{', '.join(sorted(there)) or 'no run'}"
        )
    return Side(_folder_title(folder, checkout), folder, checkout, _records(folder))


def commit_side(root: Path, revision: str, run: str, place: Path) -> Side:
    """Return a run as git and DVC hold it of a commit, unpacked into a new folder.

    It has no records where DVC has none of the results in git, neither in its cache
    nor on a remote.

    Raises:
        InputError: Git fails, or there is no such commit, or it has no such tables.
    """
    _unpack(root, revision, place)
    folder = place / "results" / run
    if not has_tables(folder):
        raise InputError(
            f"BASE={revision}: git holds no tables of the run {run}; name a commit of "
            f"`git log --oneline -- 'results/*/tables'` or a folder, results/RUN"
        )
    if _is_recorded(place):
        _restore_records(root, revision, place)
    return Side(_commit_title(root, revision), folder, place, _records(folder))


def has_tables(folder: Path) -> bool:
    """Return whether a folder holds tables of results."""
    return any((folder / "tables").glob("*.csv"))


def _records(folder: Path) -> Records:
    return read_records(folder.absolute().parents[1] / RECORDS, folder.name)


def _folder_title(folder: Path, checkout: Path) -> str:
    try:
        title = f"{folder}, at {_commit_title(checkout, 'HEAD')}"
        tracked = ("status", "--porcelain", "--untracked-files=no")
        changed = bool(_git(checkout, *tracked))
    except InputError:  # results of an archive, without git
        return str(folder)
    return f"{title}{' — with changes that are not committed' if changed else ''}"


def _commit_title(root: Path, revision: str) -> str:
    return _git(root, "log", "-1", "--format=%h, %cs: %s", revision, "--").strip()


def _unpack(root: Path, revision: str, place: Path) -> None:
    commit = f"{revision}^{{commit}}"
    _git(root, "rev-parse", "--git-dir")  # says what is wrong with git itself
    try:
        _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", commit)
    except InputError:
        raise InputError(
            f"BASE={revision}: git knows no such commit here, and there is no such "
            "folder of results; `git log --oneline` lists the commits"
        ) from None
    place.mkdir(parents=True)
    archive = place / ".archive.zip"
    _git(root, "archive", "--format=zip", "--output", str(archive), commit)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(place)
    archive.unlink()


def _restore_records(root: Path, revision: str, place: Path) -> None:
    (place / RECORDS).parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "dvc", "get", "--quiet", "--rev", revision]
    command += ["--out", str(place / RECORDS), str(root), str(RECORDS)]
    try:
        subprocess.run(
            command, cwd=root, capture_output=True, timeout=PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        shutil.rmtree(place / RECORDS, ignore_errors=True)  # a part would mislead


def _is_recorded(checkout: Path) -> bool:
    """Return whether ``dvc.lock`` belongs to the results that git holds beside it."""
    lock = checkout / "dvc.lock"
    if not lock.is_file():
        return False
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"].values()
    outs = [out for stage in stages for out in stage["outs"]]
    held = [out for out in outs if (checkout / out["path"]).is_file()]
    return all(_md5(checkout / out["path"]) == out["md5"] for out in held)


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except OSError as error:
        raise InputError(f"git: {error.strerror}; comparing needs it") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        raise InputError(f"git: {said[0] if said else 'failed'}") from None
    return done.stdout
