"""``import`` inside a function: what is loaded already, or the file of the project. Nothing is imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from operator_lib.trace.frame import Frame
from operator_lib.trace.live import what_is
from operator_lib.trace.modules import imported, module_of
from operator_lib.trace.reader import Reader
from operator_lib.trace.values import External, Module, Thing


def local_import(r: Reader, f: Frame, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Thing | None]]:
    """Name and thing of everything the statement binds."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            dotted = alias.name if alias.asname else alias.name.split(".")[0]
            yield alias.asname or dotted, loaded(r, f, dotted)
        else:
            dotted = _absolute(f, node)
            outer = loaded(r, f, dotted)
            found = outer.lookup(alias.name) if isinstance(outer, Module) else External(f"{dotted}.{alias.name}")
            if isinstance(found, External):
                inner = loaded(r, f, f"{dotted}.{alias.name}")
                found = inner if isinstance(inner, Module) else found
            yield alias.asname or alias.name, found


def loaded(r: Reader, f: Frame, dotted: str) -> Thing | None:
    """A module: the one that is there, or what its file says."""
    module = sys.modules.get(dotted)
    file = getattr(module, "__file__", None)
    if module is not None and r.live and (file is None or r.world.in_project(file)):
        return what_is(module, r.world)
    return imported(dotted, r.world, module_of(f.file, r.world) if f.file.filename else None)


def _absolute(f: Frame, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = f.shown.removesuffix(".py").split("/")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])
