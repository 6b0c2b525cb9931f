"""`ast.walk` and `ast.iter_child_nodes` for trees that are read often: lists, made without asking for every field."""

from __future__ import annotations

import ast

_CONTEXTS = (ast.Load, ast.Store, ast.Del)


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right inside, in the order of the source; ``ctx`` is none."""
    found: list[ast.AST] = []
    # Operators are one object in all trees of a process, and whoever draws tracebacks (IPython) hangs `parent` on them.
    if not node._fields:
        return found
    for value in node.__dict__.values():
        if value.__class__ is list:
            found.extend([item for item in value if isinstance(item, ast.AST)])
        elif isinstance(value, ast.AST) and not isinstance(value, _CONTEXTS):
            found.append(value)
    return found


def walked(node: ast.AST) -> list[ast.AST]:
    """The node and everything inside, outer nodes first."""
    found = [node]
    for one in found:  # grows meanwhile
        found.extend(children(one))
    return found
