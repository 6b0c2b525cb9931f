"""The text of what travels by value, so that tracebacks and the DAG read the same on the other side."""

from __future__ import annotations

import ast
import linecache
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from operator_lib import syntax
from operator_lib.package.modules import installed, module_file

CELLS = "<cells of __main__>"
"""The file name under which the classes of a notebook or a REPL are found: one module has one file."""


@dataclass(frozen=True, slots=True)
class Sources:
    """`texts` by file name; `main_file` of ``__main__`` (None: nothing of it travels by value); `lines`:
    where in the text of `CELLS` a class starts, by qualified name.
    """

    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    main_file: str | None = None
    lines: Mapping[str, int] = field(default_factory=dict[str, int])


def collect(by_value: Sequence[Any]) -> Sources:
    """The sources of these functions and classes."""
    texts: dict[str, str] = {}
    for name in dict.fromkeys(f.__code__.co_filename for f in by_value if isinstance(f, FunctionType)):
        _add(texts, name)
    if not any(obj.__module__ == "__main__" for obj in by_value):
        return Sources(texts)
    file = module_file(sys.modules["__main__"])
    if file is not None:
        shown = str(sys.modules["__main__"].__file__)
        _add(texts, shown)
        return Sources(texts, shown)
    classes = [obj for obj in by_value if isinstance(obj, type) and obj.__module__ == "__main__"]
    cells = {cls.__qualname__: cell for cls in classes if (cell := _cell(cls)) is not None}
    text, lines = _joined(cells)
    if text:
        texts[CELLS] = text
    return Sources(texts, CELLS, lines)


def seed(texts: Mapping[str, str]) -> None:
    """Make ``linecache`` (and so tracebacks and ``inspect``) know these files. Files that are there stay as
    they are.
    """
    for name, text in texts.items():
        if not os.path.exists(name):
            # no time stamp: linecache.checkcache() then leaves the entry alone
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)


def _add(texts: dict[str, str], name: str) -> None:
    if name not in texts and not (os.path.exists(name) and installed(os.path.realpath(name))):
        lines = linecache.getlines(name)
        if lines:
            texts[name] = "".join(lines)


def _cell(cls: type) -> tuple[str, int] | None:
    """The text of the cell that defines `cls`, and the line where its definition starts."""
    files = [f.__code__.co_filename for f in vars(cls).values() if isinstance(f, FunctionType)]
    others = [name for name in reversed(list(linecache.cache)) if not os.path.exists(name)]
    for name in dict.fromkeys([*files, *others]):
        text = "".join(linecache.getlines(name))
        line = _definition(text, cls.__qualname__) if text else None
        if line is not None:
            return text, line
    return None


def _definition(text: str, qualname: str) -> int | None:
    try:
        body: list[ast.stmt] = syntax.parse(text).body
    except SyntaxError:  # a cell with magics
        return None
    parts = [part for part in qualname.split(".") if part != "<locals>"]
    for depth, part in enumerate(parts):
        found = [s for s in _scoped(body) if getattr(s, "name", None) == part]
        if not found:
            return None
        last = found[-1]
        if depth + 1 == len(parts):
            return _first_line(last) if isinstance(last, ast.ClassDef) else None
        body = getattr(last, "body", [])
    return None


def _scoped(body: Iterable[ast.AST]) -> Iterable[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for statement in body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement
        else:
            yield from _scoped(ast.iter_child_nodes(statement))


def _first_line(node: ast.ClassDef) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _joined(cells: Mapping[str, tuple[str, int]]) -> tuple[str, dict[str, int]]:
    offsets: dict[str, int] = {}
    joined, lines = "", {}
    for qualname, (text, line) in cells.items():
        if text not in offsets:
            offsets[text] = joined.count("\n")
            joined += text if text.endswith("\n") else text + "\n"
        lines[qualname] = offsets[text] + line
    return joined, lines
