"""The source of a function: its tree, and where each part of it stands."""

from __future__ import annotations

import ast
import inspect
import types
from dataclasses import dataclass

from operator_lib import syntax
from operator_lib.autobatch.errors import CompileError, Position


@dataclass(frozen=True, slots=True)
class Source:
    """One function's definition, parsed."""

    node: ast.FunctionDef
    file: str
    first_line: int
    indent: int
    lines: tuple[str, ...]
    """The text as it stands in the file, decorators included."""
    function: str

    def position(self, node: ast.AST) -> Position:
        """Where `node` stands in the file."""
        line: int = getattr(node, "lineno", 1)
        start: int = getattr(node, "col_offset", 0)
        end: int = getattr(node, "end_col_offset", start + 1)
        if getattr(node, "end_lineno", line) != line:
            end = len(self.lines[line - 1]) - self.indent
        text = self.lines[line - 1].rstrip("\n")
        # ast counts bytes
        dedented = text[self.indent :].encode()
        start, end = len(dedented[:start].decode(errors="ignore")), len(dedented[:end].decode(errors="ignore"))
        return Position(
            self.file, self.first_line + line - 1, start + self.indent, end + self.indent, self.function, text
        )


def read(function: types.FunctionType) -> Source:
    """Find and parse the definition; CompileError for lambdas, generators, coroutines and what has no source."""
    name = function.__name__
    code = function.__code__
    if name == "<lambda>":
        raise CompileError(
            f"a lambda cannot be batched ({code.co_filename}:{code.co_firstlineno})", hint="Write a def with a name."
        )
    try:
        found, first = inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        raise CompileError(
            f"the source of {name}() cannot be found ({code.co_filename}:{code.co_firstlineno})",
            hint="Define it in a file or a notebook cell; what exec() makes has no source.",
        ) from error
    indent = len(found[0]) - len(found[0].lstrip())
    text = "".join(line[indent:] if line[:indent].isspace() or not indent else line for line in found)
    try:
        node = syntax.parse(text).body[0]
    except SyntaxError as error:
        raise CompileError(f"the source of {name}() cannot be read by itself: {error}") from error
    source = Source(_definition(node, name), code.co_filename, first, indent, tuple(found), name)
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        raise CompileError(
            f"{name}() is a generator or coroutine", source.position(source.node), "Return the values instead."
        )
    return source


def _definition(node: ast.stmt, name: str) -> ast.FunctionDef:
    if isinstance(node, ast.AsyncFunctionDef):
        raise CompileError(f"{name}() is a coroutine function", hint="Write it with def.")
    if not isinstance(node, ast.FunctionDef):
        raise CompileError(f"{name}() is not made by a def", hint="Write a def with a name.")
    return node
