"""Files that are either whole or not there."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

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


def write_json(path: Path | str, value: Any) -> None:
    """Write a value as JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path | str) -> Any:
    """Return the value that a JSON file holds."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_parquet(path: Path | str, frame: "pd.DataFrame") -> None:
    """Write a frame without its index, whole or not at all."""
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)


def write_tensors(path: Path | str, tensors: Mapping[str, "Tensor"]) -> None:
    """Write named tensors as a safetensors file, whole or not at all."""
    from safetensors.torch import save_file  # loads torch, which takes seconds

    with replacing(path) as temporary:
        save_file(dict(tensors), temporary)


def by_model(
    networks: Iterable[tuple[str, int]], paths: Iterable[str]
) -> dict[str, list[str]]:
    """Return the files of each model, one for each of its seeds.

    Args:
        networks: Name and seed of each network.
        paths: The file of each, in that order.
    """
    grouped: dict[str, list[str]] = {}
    for (model, _), path in zip(networks, paths, strict=True):
        grouped.setdefault(model, []).append(path)
    return grouped


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
