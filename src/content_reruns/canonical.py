"""Canonical text of a syntax tree, the same under all versions of Python."""

import ast
from itertools import groupby

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# The position of a name implies whether it is loaded or stored, and u"" equals "".
IGNORED = {"ctx", "kind", "type_comment", "type_ignores"}
_END = object()


def canonical(tree: ast.AST, docstrings: bool = False) -> str:
    """Return a tree as text, without positions, ``pass``, empty fields and docstrings.

    ``ast.dump`` depends on Python's version in its empty fields and its set of fields.
    A stack replaces recursion, because long sums nest deeply.

    Args:
        tree: The syntax tree.
        docstrings: Whether to keep docstrings.
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
            # ascii(), because repr() depends on Python's Unicode tables
            text.append(ascii(item))
    return " ".join(text)


def _field(node: ast.AST, name: str, docstrings: bool) -> object:
    value = getattr(node, name, None)
    if name in IGNORED:
        return None
    if name == "body" and isinstance(node, DOCUMENTED) and not docstrings:
        value = value[1:] if value and _is_text(value[0]) else value
    if isinstance(node, ast.JoinedStr):
        return _joined(node.values)
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
    """Join neighbouring texts of an f-string, which Pythons split differently."""
    whole: list[object] = []
    for is_text, group in groupby(parts, lambda part: isinstance(part, ast.Constant)):
        texts = list(group)
        whole += ["".join(getattr(t, "value", "") for t in texts)] if is_text else texts
    return [part for part in whole if part != ""]
