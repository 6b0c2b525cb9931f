"""Which names of a function are its own."""

from __future__ import annotations

import ast


def own_names(node: ast.FunctionDef) -> set[str]:
    """Parameters, and everything that is assigned somewhere in the body."""
    arguments = node.args
    names = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    for inner in _inside(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            names.add(inner.id)
    return names


def loaded(node: ast.AST) -> list[str]:
    """Names that an expression reads, in order, each once."""
    found = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)]
    return list(dict.fromkeys(found))


def _inside(node: ast.AST) -> list[ast.AST]:
    """Everything below `node` that shares its scope."""
    found: list[ast.AST] = []
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        inner = waiting.pop()
        found.append(inner)
        if not isinstance(inner, ast.Lambda | ast.FunctionDef | ast.ListComp | ast.SetComp | ast.DictComp):
            waiting += ast.iter_child_nodes(inner)
    return found
