"""Digest of a step's code: the script and every local module that it reaches.

Comments, docstrings, ``pass`` and layout do not count; everything else does. Local
modules are those found under the given roots; all others count as installed libraries.
The code is read, and neither imported nor run.

A module declares what its syntax does not show by two constants: ``DIGESTED_FILES``
(data files that it reads, relative to itself) and ``DIGESTED_MODULES`` (modules that it
loads under computed names). An empty tuple declares that there are none.

The package needs the standard library only and can be copied into any workflow.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from .imports import ImportGraph
from .source import CodeDigestError, Source, content, shown

__all__ = [
    "CodeDigestError",
    "code_digest",
    "dynamic_imports",
    "module_digests",
    "reached_modules",
]


def code_digest(script: Path, roots: Sequence[Path]) -> str:
    """Return the digest of a step script and every local module that it reaches.

    A line that loads code under a computed name is logged once, as a warning.

    Args:
        script: The step's Python file; its own folder is searched after the roots.
        roots: Folders in which absolute imports are looked up, in this order.

    Returns:
        16 hex digits, the same wherever the checkout lies.

    Raises:
        CodeDigestError: There is a syntax error, a data file that is read but not
            declared, or declared but missing, or a lazy export of unknown origin.
    """
    graph = ImportGraph(script, roots)
    for place in graph.dynamic():
        _warn(place)
    lines = []
    for path, source in graph.sources.items():
        lines.append(f"{graph.names[path]} {source.digest}")
        lines.extend(f"{graph.names[path]} {line}" for line in _data(path, source))
    return _sha256("\n".join(sorted(lines)))


def reached_modules(script: Path, roots: Sequence[Path]) -> tuple[Path, ...]:
    """Return the sorted full paths of the script and the local modules it reaches."""
    return tuple(sorted(ImportGraph(script, roots).sources))


def module_digests(script: Path, roots: Sequence[Path]) -> dict[Path, str]:
    """Return a digest of the script and of each local module that it reaches.

    Two versions of a step differ in those modules whose digests differ. Arguments and
    errors are those of `code_digest`.
    """
    sources = sorted(ImportGraph(script, roots).sources.items())
    return {
        path: _sha256("\n".join([source.digest, *_data(path, source)]))
        for path, source in sources
    }


def dynamic_imports(script: Path, roots: Sequence[Path]) -> list[str]:
    """Return ``file:line`` of each place that loads code under a computed name."""
    return ImportGraph(script, roots).dynamic()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache  # many steps reach the same modules
def _warn(place: str) -> None:
    # Snakemake does not show warnings.warn.
    logging.getLogger(__name__).warning(
        "%s: the digest cannot see what is loaded here; name the local modules in "
        "DIGESTED_MODULES = (...) of that file, () if there are none",
        place,
    )


def _data(path: Path, source: Source) -> Iterator[str]:
    """Yield name and digest of each data file that a module declares."""
    if source.files is None and source.asks is not None:
        raise CodeDigestError(
            f"{shown(path)}:{source.asks}: asks for files beside the module; name "
            "those it reads in DIGESTED_FILES = (...), () if there are none"
        )
    for name in source.files or ():
        data = content(path.parent / name, f"{shown(path)}: DIGESTED_FILES: {name}")
        yield f"{name} {hashlib.sha256(data).hexdigest()}"
