"""Files that are either whole or not there."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UMASK = os.umask(0o022)
os.umask(UMASK)

LEFTOVER = re.compile(r"\..+\.(\d+)\.part(?:\.[^.]+)?")


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it there when all went well.

    The suffix is kept, because writers such as matplotlib choose the format by it.
    On an error the temporary file is removed and ``path`` stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(_temporary_name(path, os.getpid()))
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~UMASK)  # safetensors lets nobody else read
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def remove_leftovers(folder: Path | str) -> list[Path]:
    """Remove the temporary files of writers that were killed; return their paths.

    Those of processes that still run on this machine stay.
    """
    found = [(path, LEFTOVER.fullmatch(path.name)) for path in Path(folder).rglob(".*")]
    dead = [path for path, match in found if match and not _is_alive(int(match[1]))]
    for path in dead:
        path.unlink(missing_ok=True)
    return dead


def _temporary_name(path: Path, process: int) -> str:
    return f".{path.stem}.{process}.part{path.suffix}"


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
