"""The import graph of a step: every local module that it reaches."""

import os
from collections.abc import Sequence
from pathlib import Path

from .source import CodeDigestError, Source, content, read, shown

# Otherwise a name that a module imports from itself would grow without end.
MOST_PARTS = 50

Place = tuple[Path, int]
"""File and line of a reference."""
Found = tuple[Path | None, tuple[Path, ...]]
"""File of a module, None where there is none, and the folders of its submodules."""


class ImportGraph:
    """The local modules that a script reaches.

    ``sources`` holds the source of each file, ``names`` its dotted name.
    """

    def __init__(self, script: Path, roots: Sequence[Path]) -> None:
        script = Path(script).parent.resolve() / Path(script).name
        folders = [Path(root).resolve() for root in roots]
        for folder in folders:
            if not folder.is_dir():
                raise CodeDigestError(f"{folder}: no such folder to look up imports in")
        self.roots = tuple(dict.fromkeys([*folders, script.parent]))
        self.sources: dict[Path, Source] = {}
        self.names: dict[Path, str] = {}
        self._todo: list[Path] = []
        self._followed: set[str] = set()
        self._found: dict[tuple[tuple[Path, ...], str], Found] = {}
        self._listings: dict[Path, frozenset[str]] = {}
        self._add(script, self._name(script, folders))
        while self._todo:
            path = self._todo.pop()
            for reference, line in self.sources[path].references.items():
                self._follow(reference, path, (path, line))

    def dynamic(self) -> list[str]:
        """Return ``file:line`` of each place that loads code under a computed name."""
        places = [(p, line) for p, s in self.sources.items() for line in s.dynamic]
        return [f"{shown(path)}:{line}" for path, line in sorted(places)]

    def _name(self, script: Path, roots: list[Path]) -> str:
        """Return the name by which the innermost root would import the script."""
        above = [root for root in roots if script.is_relative_to(root)]
        root = max(above or [script.parent], key=lambda folder: len(folder.parts))
        parts = script.relative_to(root).with_suffix("").parts
        return ".".join(part for part in parts if part != "__init__")

    def _add(self, path: Path, name: str) -> None:
        if path not in self.sources:
            self.sources[path] = read(content(path, shown(path)), shown(path))
            self.names[path] = name
            self._todo.append(path)

    def _follow(self, reference: str, within: Path, place: Place) -> None:
        """Add every module along ``a.b.c``, then what an attribute stands for."""
        dotted = self._absolute(reference, within, place)
        if dotted in self._followed or dotted.count(".") > MOST_PARTS:
            return
        self._followed.add(dotted)
        parts, owner, places = dotted.split("."), None, self.roots
        for depth, part in enumerate(parts):
            path, places = self._find(places, part)
            if path is not None:
                self._add(path, ".".join(parts[: depth + 1]))
            if owner is not None and (path is None or self._exports(owner, part)):
                for target in self._meanings(owner, part, place):
                    rest = parts[depth + 1 :]
                    self._follow(".".join([target, *rest]), owner, place)
            owner = path

    def _exports(self, owner: Path, name: str) -> bool:
        """Return whether a lazy export hides a submodule of the same name."""
        target = (self.sources[owner].lazy or {}).get(name)
        submodule = f"{self.names[owner]}.{name}"
        return (
            target is not None
            and self._absolute(target, owner, (owner, 1)) != submodule
        )

    def _meanings(self, owner: Path, name: str, place: Place) -> list[str]:
        """Return the dotted names that an attribute of a module may stand for."""
        source = self.sources[owner]
        aliases = source.aliases.get(name, [])
        if source.lazy is None or name in source.bound or name.startswith("__"):
            exports = source.starred if name == "*" else ()
        elif name == "*" and source.lazy:
            exports = (*source.starred, *source.lazy)
        else:
            target = source.lazy.get(name, "")
            if not self._is_module(self._absolute(target, owner, place)):
                raise CodeDigestError(
                    f"{_text(place)}: the origin of `{self.names[owner]}.{name}` is "
                    f"unknown: {shown(owner)} exports lazily; import it from the "
                    "module that defines it"
                )
            return [f"{target}.{name}"]
        return [*aliases, *(f"{self.names[owner]}.{export}" for export in exports)]

    def _absolute(self, reference: str, within: Path, place: Place) -> str:
        """Resolve leading dots against a file's package, as ``from ..a import``."""
        name = reference.lstrip(".")
        level = len(reference) - len(name)
        if not level:
            return name
        parts = self.names[within].split(".")
        kept = len(parts) - level + (within.name == "__init__.py")
        if kept < 0:
            raise CodeDigestError(
                f"{_text(place)}: relative import leads out of the roots"
            )
        return ".".join([*parts[:kept], name])

    def _is_module(self, dotted: str) -> bool:
        path, places = None, self.roots
        for part in dotted.split("."):
            path, places = self._find(places, part)
        return path is not None

    def _find(self, places: tuple[Path, ...], part: str) -> Found:
        """Return the file of a module and the folders of its submodules."""
        if (places, part) not in self._found:
            self._found[places, part] = self._looked_up(places, part)
        return self._found[places, part]

    def _looked_up(self, places: tuple[Path, ...], part: str) -> Found:
        holders = [place for place in places if part in self._listing(place)]
        for place in places:
            if place in holders and "__init__.py" in self._listing(place / part):
                return place / part / "__init__.py", (place / part,)
            if f"{part}.py" in self._listing(place):
                return place / f"{part}.py", ()
        return None, tuple(place / part for place in holders)

    def _listing(self, folder: Path) -> frozenset[str]:
        # A listing, because is_file() ignores case on some file systems.
        if folder not in self._listings:
            names = os.listdir(folder) if folder.is_dir() else ()
            self._listings[folder] = frozenset(names)
        return self._listings[folder]


def _text(place: Place) -> str:
    return f"{shown(place[0])}:{place[1]}"
