"""A text of a syntax tree that is the same for equal code and equal Pythons."""

import ast
from itertools import groupby

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Where a name stands says whether it is loaded or stored, and u"" is "".
IGNORED = {"ctx", "kind", "type_comment", "type_ignores"}
_END = object()


def canonical(tree: ast.AST, docstrings: bool = False) -> str:
    """Write a tree without positions, ``pass``, empty fields and, mostly, docstrings.

    ``ast.dump`` will not do: what it writes for empty fields and which fields there
    are depends on Python's version. A stack, because long sums nest deeply.
    """
    text: list[str] = []
    todo: list[object] = [tree]
    while todo:
        item = todo.pop()
        if item is _END:
            text.append(")")
        elif isinstance(item, ast.AST):
            text.append(f"{type(item).__name__}(")
            todo.append(_END)
            for name in reversed(item._fields):
                value = _field(item, name, docstrings)
                if value is not None and value != []:
                    todo += (value, name)
        elif isinstance(item, list):
            text.append("(")
            todo.append(_END)
            todo.extend(reversed(item))
        else:
            # ascii(), because what repr() escapes follows Python's Unicode tables
            text.append(ascii(item))
    return " ".join(text)


def _field(node: ast.AST, name: str, docstrings: bool) -> object:
    value = getattr(node, name, None)
    if name in IGNORED:
        return None
    if name == "body" and isinstance(node, DOCUMENTED) and not docstrings:
        value = value[1:] if value and _is_text(value[0]) else value
    if isinstance(node, ast.JoinedStr):
        return _joined(value)
    if isinstance(value, list):
        return [item for item in value if not isinstance(item, ast.Pass)]
    return value


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _joined(parts: list[ast.expr]) -> list[object]:
    """Join neighbouring texts of an f-string: Pythons differ in where they split."""
    whole: list[object] = []
    for plain, group in groupby(parts, lambda part: isinstance(part, ast.Constant)):
        run = list(group)
        whole += ["".join(part.value for part in run)] if plain else run
    return [part for part in whole if part != ""]
