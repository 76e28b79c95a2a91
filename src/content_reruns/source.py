"""One source file: its digest, its imports and its declarations."""

import ast
import hashlib
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .canonical import canonical

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTERS = {"import_module", "__import__"}
LOADERS = {
    *("importlib", "exec", "eval", "sys.path", "sys.path.append", "sys.path.insert"),
    *("site.addsitedir", "runpy.run_path", "runpy.run_module", "pkgutil.resolve_name"),
    *("importlib.util.spec_from_file_location", "importlib.machinery.SourceFileLoader"),
}
DATA_READERS = ("importlib.resources", "importlib_resources", "pkgutil.get_data")
OWN_PLACE = {"__file__", "__spec__", "__loader__"}

Chains = list[tuple[str, ast.expr]]
Load = tuple[str | None, ast.expr]


class CodeDigestError(ValueError):
    """The code cannot be digested; the message names file, line and remedy."""


class Source(NamedTuple):
    """What the text of one source file says.

    A reference is a dotted name, relative if it begins with dots; ``a.*`` stands for
    every attribute of ``a``.
    """

    digest: str
    references: dict[str, int]  # what it names: line
    aliases: dict[str, list[str]]  # names bound by imports: what they stand for
    bound: frozenset[str]  # names that exist once the module is imported
    lazy: dict[str, str] | None  # exports of an importing `__getattr__`; {}: unclear
    starred: tuple[str, ...]  # `__all__`
    dynamic: list[int]  # lines that load code under a computed name
    files: tuple[str, ...] | None  # DIGESTED_FILES
    asks: int | None  # line where it asks for its own place


def shown(path: Path) -> str:
    """Return a path relative to the working directory if it lies there."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def content(path: Path, what: str) -> bytes:
    """Return the content of a file; an error names it by ``what``."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CodeDigestError(f"{what}: {error.strerror}") from None


@cache  # by content: many steps reach the same modules
def read(text: bytes, place: str) -> Source:
    """Return what one source file says; errors name it by ``place``."""
    tree = _parsed(text, place)
    nodes, outer = list(ast.walk(tree)), list(_outer(tree))
    constants, bound = _constants(outer), _bound(outer)
    imported, aliases = _imports(nodes)
    chains: Chains = []
    used: dict[str, int] = {}
    for root, rest, node in _chains(nodes):
        chains += [(target + rest, node) for target in aliases.get(root, [root])]
        used |= {f"{t}{rest}.*": node.lineno for t in aliases.get(root, ())}
    loads = _loads(nodes, chains)
    used |= {f"{name}.*": node.lineno for name, node in loads if name}
    declared = _declared(constants, "DIGESTED_MODULES", place)
    used |= {f"{name}.*": 1 for name in declared or ()}
    lazy, understood = _lazy_exports(outer, constants, bound, loads)
    unseen = {n.lineno for name, n in loads if not name and n not in understood}
    keeps = any("__doc__" in dotted.split(".") for dotted, _ in chains)
    return Source(
        digest=hashlib.sha256(canonical(tree, keeps).encode()).hexdigest(),
        references=used | imported,
        aliases=aliases,
        bound=bound,
        lazy=lazy,
        starred=_literal_strings(constants.get("__all__")) or (),
        dynamic=sorted(unseen) if declared is None else [],
        files=_declared(constants, "DIGESTED_FILES", place),
        asks=min(
            (node.lineno for dotted, node in chains if _asks(dotted)), default=None
        ),
    )


def _parsed(text: bytes, place: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # linters report odd escapes
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        line, message = getattr(error, "lineno", 1), getattr(error, "msg", error)
        raise CodeDigestError(f"{place}:{line or 1}: {message}") from None


def _outer(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes outside every function and class body."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (*DEFINITIONS, ast.Lambda)):
            todo.extend(reversed(list(ast.iter_child_nodes(node))))


def _imports(nodes: Iterable[ast.AST]) -> tuple[dict[str, int], dict[str, list[str]]]:
    """Return what import statements load, and what the names they bind stand for."""
    loaded: dict[str, int] = {}
    aliases: dict[str, list[str]] = {}
    for node in nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        base = ""
        if isinstance(node, ast.ImportFrom):
            base = "." * node.level + (f"{node.module}." if node.module else "")
        for item in node.names:
            loaded.setdefault(base + item.name, node.lineno)
            whole = bool(base or item.asname)
            target = base + item.name if whole else item.name.partition(".")[0]
            aliases.setdefault(item.asname or target[len(base) :], []).append(target)
    return loaded, aliases


def _chains(nodes: list[ast.AST]) -> Iterator[tuple[str, str, ast.expr]]:
    """Yield each longest ``name.attribute.attribute`` as root, rest and node."""
    inner = {node.value for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute) and node not in inner:
            rest, root = "", node
            while isinstance(root, ast.Attribute):
                rest, root = f".{root.attr}{rest}", root.value
            yield root.id if isinstance(root, ast.Name) else "()", rest, node


def _loads(nodes: list[ast.AST], chains: Chains) -> list[Load]:
    """Return each load without an import statement: its literal module, and node."""
    calls = {node.func: node for node in nodes if isinstance(node, ast.Call)}
    loads: list[Load] = []
    for dotted, node in chains:
        if dotted.rpartition(".")[2] in IMPORTERS:
            call = calls.get(node, node)
            loads.append((_plain_target(call), call))
        elif dotted in LOADERS:
            loads.append((None, node))
    return loads


def _plain_target(node: ast.expr) -> str | None:
    """Return the module named by ``import_module("a")`` or ``(".a", __package__)``."""
    match node:
        case ast.Call(args=[ast.Constant(str(name))], keywords=[]):
            return name if name.strip(".") == name != "" else None
        case ast.Call(
            args=[ast.Constant(str(name)), ast.Name("__name__" | "__package__")]
        ):
            return name if name.strip(".") else None
    return None


def _lazy_exports(
    outer: list[ast.AST],
    constants: dict[str, ast.expr],
    bound: frozenset[str],
    loads: list[Load],
) -> tuple[dict[str, str] | None, set[ast.expr]]:
    """Return what a module's ``__getattr__`` exports, and the imports that do so.

    Such imports take whole module names from a literal module-level dict.
    """
    if "__getattr__" not in bound:
        return None, set()
    functions = (n for n in outer if isinstance(n, DEFINITIONS))
    getters = [function for function in functions if function.name == "__getattr__"]
    inside = {node for getter in getters for node in ast.walk(getter)}
    unseen = {node for name, node in loads if not name}
    if getters and not unseen:
        return None, set()
    values = [constants.get(n.id) for n in inside if isinstance(n, ast.Name)]
    table: dict[str, str] = {}
    for value in values:
        if isinstance(value, ast.Dict):
            table |= _literal_table(value)
    whole = all(_takes_whole_name(node) for node in unseen & inside)
    return (table, unseen & inside) if whole and table else ({}, set())


def _takes_whole_name(load: ast.expr) -> bool:
    """Return whether an import takes a name as it is, or as that of a submodule.

    A submodule is ``f"{__name__}.{name}"``, which needs no table: the file of that name
    is found.
    """
    first = load.args[0] if isinstance(load, ast.Call) and load.args else load
    nodes = list(ast.walk(first))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    submodule = texts == {"."} and names[:1] == ["__name__"]
    whole = not any(isinstance(text, str) for text in texts)
    return first is not load and (whole or submodule)


def _constants(outer: Iterable[ast.AST]) -> dict[str, ast.expr]:
    """Return what a module assigns to single names."""
    found: dict[str, ast.expr] = {}
    for node in outer:
        match node:
            case ast.Assign([ast.Name(name)], value) if value:
                found[name] = value
            case ast.AnnAssign(ast.Name(name), _, value) if value:
                found[name] = value
    return found


def _bound(outer: list[ast.AST]) -> frozenset[str]:
    stored = (n for n in outer if isinstance(n, ast.Name) and type(n.ctx) is ast.Store)
    names = {n.id for n in stored}
    names |= {n.name for n in outer if isinstance(n, DEFINITIONS)}
    return frozenset(names | set(_imports(outer)[1]))


def _declared(
    constants: dict[str, ast.expr], name: str, place: str
) -> tuple[str, ...] | None:
    """Return a declaration, ``None`` where there is none."""
    node = constants.get(name)
    strings = _literal_strings(node)
    if node is not None and strings is None:
        message = f"{place}:{node.lineno}: write {name} as a plain tuple of strings"
        raise CodeDigestError(message)
    return strings


def _literal_strings(node: ast.expr | None) -> tuple[str, ...] | None:
    if not isinstance(node, ast.Tuple | ast.List):
        return None
    values = [getattr(item, "value", None) for item in node.elts]
    texts = tuple(value for value in values if isinstance(value, str))
    return texts if len(texts) == len(values) else None


def _literal_table(node: ast.Dict) -> dict[str, str]:
    """Return the text-to-text entries of a dictionary."""
    pairs = [
        (getattr(k, "value", 0), v) for k, v in zip(node.keys, node.values, strict=True)
    ]
    texts = {key: getattr(value, "value", 0) for key, value in pairs}
    return {k: v for k, v in texts.items() if isinstance(k, str) and isinstance(v, str)}


def _asks(dotted: str) -> bool:
    """Return whether a name leads to files beside the module."""
    readers = any(f"{dotted}.".startswith(f"{reader}.") for reader in DATA_READERS)
    return readers or not OWN_PLACE.isdisjoint(dotted.split("."))
