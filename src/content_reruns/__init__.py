"""Digest of what a step's code does: the step and every local module it reaches.

Comments, docstrings, ``pass`` and layout do not count; everything else does. Local
modules are those found under the given roots; whatever is not found there is taken
for an installed library. Nothing is imported or run, only read.

A module declares what cannot be read off its syntax by two constants of its own:
``DIGESTED_FILES`` (data it reads, relative to itself) and ``DIGESTED_MODULES``
(modules it loads under computed names). An empty tuple says "none".

This folder needs the standard library only: copy it into any workflow.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from .reach import Reach
from .source import CodeDigestError, Source, content, shown

__all__ = [
    "CodeDigestError",
    "code_digest",
    "dynamic_imports",
    "module_digests",
    "reached_modules",
]


def code_digest(script: Path, roots: Sequence[Path]) -> str:
    """Digest a step script together with every local module it reaches.

    A line that loads code under a computed name is logged once, as a warning.

    Args:
        script: the step's Python file; its own folder is searched after the roots.
        roots: folders in which absolute imports are looked up, in this order.

    Returns:
        16 hex digits, the same wherever the checkout lies.

    Raises:
        CodeDigestError: a syntax error; a file beside a module that is read but not
            declared, or declared but absent; a lazy export that cannot be followed.
    """
    reach = Reach(script, roots)
    for place in reach.dynamic():
        _warn(place)
    lines = []
    for path, source in reach.sources.items():
        lines.append(f"{reach.names[path]} {source.digest}")
        lines.extend(f"{reach.names[path]} {line}" for line in _data(path, source))
    return _sha256("\n".join(sorted(lines)))


def reached_modules(script: Path, roots: Sequence[Path]) -> tuple[Path, ...]:
    """Return the script and every local module it reaches, sorted, as full paths."""
    return tuple(sorted(Reach(script, roots).sources))


def module_digests(script: Path, roots: Sequence[Path]) -> dict[Path, str]:
    """Digest the script and every local module it reaches, each for itself.

    Two versions of a step differ in those modules whose digests differ. Arguments and
    errors are those of `code_digest`.
    """
    reach = Reach(script, roots)
    lines = {
        path: [source.digest, *_data(path, source)]
        for path, source in reach.sources.items()
    }
    return {path: _sha256("\n".join(lines[path])) for path in sorted(lines)}


def dynamic_imports(script: Path, roots: Sequence[Path]) -> list[str]:
    """Return ``file:line`` of each place that loads code under a computed name."""
    return Reach(script, roots).dynamic()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache  # many steps reach the same modules
def _warn(place: str) -> None:
    # Not warnings.warn: under Snakemake nobody sees those.
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
