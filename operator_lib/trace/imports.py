"""``import`` inside a function: what is loaded already, or the file of the project. Nothing is imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from operator_lib.trace.frame import Frame
from operator_lib.trace.live import what_is
from operator_lib.trace.reader import Reader
from operator_lib.trace.static import imported
from operator_lib.trace.values import External, Module, Thing


def local_import(r: Reader, f: Frame, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Thing | None]]:
    """Name and thing of everything the statement binds."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            dotted = alias.name if alias.asname else alias.name.split(".")[0]
            yield alias.asname or dotted, _module(r, dotted)
        else:
            dotted = _absolute(f, node)
            outer = _module(r, dotted)
            found = outer.lookup(alias.name) if isinstance(outer, Module) else External(f"{dotted}.{alias.name}")
            if isinstance(found, External):
                inner = _module(r, f"{dotted}.{alias.name}")
                found = inner if isinstance(inner, Module) else found
            yield alias.asname or alias.name, found


def _module(r: Reader, dotted: str) -> Thing | None:
    loaded = sys.modules.get(dotted)
    file = getattr(loaded, "__file__", None)
    if loaded is not None and r.live and (file is None or r.world.in_project(file)):
        return what_is(loaded, r.world)
    return imported(dotted, r.world)


def _absolute(f: Frame, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = f.shown.removesuffix(".py").split("/")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])
