"""Source text: found, parsed once, and asked where a function stands. Nothing is imported, nothing is run."""

from __future__ import annotations

import ast
import hashlib
import io
import linecache
import os
import symtable
import sys
import sysconfig
import tokenize
import zipfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import CodeType

from operator_lib import syntax
from operator_lib.trace import normal
from operator_lib.trace.walked import children

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

Stamp = tuple[int, int] | int


class SourceFile:
    """One parsed file (or notebook cell): positions in it are exact, as nothing is dedented or cut out."""

    def __init__(self, filename: str, text: str) -> None:
        self.filename = filename
        self.text = text
        self.tree = syntax.parse(text, filename)
        # As Python counts lines: a form feed does not end one.
        self.lines = io.StringIO(text).readlines()
        self._functions: dict[tuple[str, int], FunctionNode] | None = None
        self._generators: dict[FunctionNode, bool] = {}

    @cached_property
    def imports(self) -> dict[str, str]:
        """What the names that the file imports stand for."""
        return normal.imports(self.tree)

    @cached_property
    def imported(self) -> frozenset[str]:
        """The global names that the file imports, outside of its functions."""
        table = symtable.symtable(self.text, self.filename, "exec")
        return frozenset(symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported())

    @cached_property
    def globals(self) -> frozenset[str]:
        """The global names that functions of the file assign."""
        if "global " not in self.text:
            return frozenset()
        return frozenset(n for s in statements(self.tree.body) if isinstance(s, ast.Global) for n in s.names)

    def is_generator(self, function: FunctionNode) -> bool:
        """Whether a call only makes a generator: the body runs when values are taken from it."""
        known = self._generators.get(function)
        if known is None:
            body = function.body if isinstance(function.body, list) else [function.body]
            known = self._generators[function] = any(_yields(part) for part in body)
        return known

    def segment(self, first: ast.AST, last: ast.AST | None = None) -> str:
        """The text of a node, or from the start of one to the end of another."""
        if not hasattr(first, "lineno"):
            return ""
        end = last if last is not None else first
        return self.between(first.lineno, first.col_offset, end.end_lineno, end.end_col_offset)  # type: ignore[attr-defined]

    def between(self, line: int, col: int, end_line: int, end_col: int) -> str:
        """The text between two positions; columns are UTF-8 bytes."""
        rows = self.lines[line - 1 : end_line]
        if not rows:
            return ""
        rows[-1] = _cut(rows[-1], 0, end_col)
        rows[0] = _cut(rows[0], col, None)
        if len(rows) > 1 and col:
            rows[1:] = [row[col:] if not row[:col].strip() else row for row in rows[1:]]
        return "".join(rows)

    def function(self, code: CodeType) -> FunctionNode | None:
        """The definition that was compiled to `code`, or None when the text is no longer that of the code."""
        found = self._index().get((code.co_name, code.co_firstlineno)) if code.co_name != "<lambda>" else None
        found = found or self._lambda(code)
        return found if found is not None and parameter_names(found)[: code.co_argcount] == _arguments(code) else None

    def _index(self) -> dict[tuple[str, int], FunctionNode]:
        if self._functions is None:
            self._functions = {}
            for node in statements(self.tree.body):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                    self._functions[node.name, first] = node
        return self._functions

    def _lambda(self, code: CodeType) -> FunctionNode | None:
        if code.co_name != "<lambda>":
            return None
        line = code.co_firstlineno
        found = self._lambdas.get(line, [])
        if len(found) > 1:
            spots = {(a, c) for a, _, c, _ in code.co_positions() if a is not None and c is not None}
            found = [n for n in found if (n.body.lineno, n.body.col_offset) in spots]
            found = sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True)
        return found[0] if found else None

    @cached_property
    def _lambdas(self) -> dict[int, list[ast.Lambda]]:
        """Those that begin in each line."""
        found: dict[int, list[ast.Lambda]] = {}
        for node in ast.walk(self.tree) if "lambda" in self.text else ():
            if isinstance(node, ast.Lambda):
                found.setdefault(node.lineno, []).append(node)
        return found


def _cut(row: str, start: int, end: int | None) -> str:
    return row[start:end] if row.isascii() else row.encode()[start:end].decode(errors="replace")


def _arguments(code: CodeType) -> list[str]:
    return list(code.co_varnames[: code.co_argcount])


def parameter_names(node: FunctionNode) -> list[str]:
    """Positional parameters in order."""
    return [a.arg for a in (*node.args.posonlyargs, *node.args.args)]


def default_of(node: FunctionNode, name: str) -> ast.expr | None:
    """The default of a parameter, as it is written."""
    spec = node.args
    names = parameter_names(node)
    tail = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True))
    return tail.get(name) or next(
        (d for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if a.arg == name), None
    )


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Every statement below `body`, without descending into expressions."""
    stack = list(reversed(body))
    while stack:
        node = stack.pop()
        yield node
        for name in ("body", "orelse", "handlers", "finalbody", "cases"):
            for part in reversed(getattr(node, name, ())):
                if isinstance(part, ast.stmt):
                    stack.append(part)
                else:
                    stack.extend(reversed(part.body))


_files: dict[str, tuple[Stamp, SourceFile | None]] = {}


def load(filename: str) -> SourceFile | None:
    """The parsed file, from the cache while it has not changed. None: it cannot be read or parsed."""
    mark = stamp(filename)
    cached = _files.get(filename)
    if cached is not None and cached[0] == mark:
        return cached[1]
    text = _read(filename)
    try:
        made = SourceFile(filename, text) if text else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        made = None
    _files[filename] = (mark, made)
    return made


def stamp(filename: str) -> Stamp:
    """Changes when the text does; cheap."""
    try:
        info = os.stat(filename)
        return info.st_mtime_ns, info.st_size
    except (OSError, ValueError):
        entry = linecache.cache.get(filename)
        return id(entry)


def _read(filename: str) -> str:
    path = Path(filename)
    if path.suffix in (".py", ".pyw", "") and path.is_file():
        linecache.checkcache(filename)
    return "".join(linecache.getlines(filename)) or _zipped(path)


def readable(filename: str) -> bool:
    """Whether there is text at all, be it Python or not."""
    return bool(_read(filename))


def _zipped(path: Path) -> str:
    """The text of a file inside a zipped package."""
    for folder in path.parents:
        if folder.is_file():
            try:
                with zipfile.ZipFile(folder) as archive:
                    data = archive.read(path.relative_to(folder).as_posix())
                return io.TextIOWrapper(io.BytesIO(data), tokenize.detect_encoding(io.BytesIO(data).readline)[0]).read()
            except (OSError, KeyError, ValueError, SyntaxError, zipfile.BadZipFile):
                return ""
    return ""


def unparsed(filename: str) -> str:
    """Why a file that is there gives no tree; "" where there is no text."""
    text = _read(filename)
    try:
        syntax.parse(text, filename)
    except SyntaxError as problem:
        return f"line {problem.lineno}: {problem.msg}"
    except (ValueError, RecursionError, MemoryError) as problem:
        return str(problem) or type(problem).__name__
    return "" if text else "it is empty, or not in the encoding that it says"


_OUTSIDE = tuple({os.path.realpath(sysconfig.get_path(k)) for k in ("stdlib", "platstdlib", "purelib", "platlib")})


def is_project_file(filename: str, root: str) -> bool:
    """Whether a file belongs to the user's project: below `root` or a notebook cell, and not an installed package."""
    if filename.startswith("<frozen") or "site-packages" in filename or "dist-packages" in filename:
        return False
    if filename.startswith("<") or "ipykernel_" in filename:
        return True
    real = os.path.realpath(filename)
    if root and (real == root or real.startswith(root.rstrip(os.sep) + os.sep)):
        return not any(root != o and o.startswith(root) and real.startswith(o + os.sep) for o in _OUTSIDE)
    return False


def shown(filename: str, root: str) -> str:
    """The file as nodes and events name it: relative to the project, or to where its package is installed.

    Notebook cells are named by the hash of their text, so that the name is the same in every session.
    """
    if filename.startswith("<") or "ipykernel_" in filename:
        text = "".join(linecache.getlines(filename))
        return f"<cell {hashlib.sha256(text.encode()).hexdigest()[:8]}>" if text else filename
    real = os.path.realpath(filename)
    for folder in (root, *_import_folders()):
        if folder and real.startswith(folder.rstrip(os.sep) + os.sep):
            return Path(os.path.relpath(real, folder)).as_posix()
    return real


def _import_folders() -> list[str]:
    found = {os.path.realpath(p) for p in sys.path if p}
    found.update(_OUTSIDE)
    found.add(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
    return sorted(found, key=len, reverse=True)


def _yields(node: ast.AST) -> bool:
    if isinstance(node, ast.Yield | ast.YieldFrom):
        return True
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return False
    return any(_yields(part) for part in children(node))


def call_position(call: ast.Call) -> tuple[int, int, int, int]:
    """``(line, col, end_line, end_col)`` that the bytecode of this call carries.

    CPython moves the start of a method call to the method's name when that stands on a later line than the object.
    """
    line, col = call.lineno, call.col_offset
    end_line, end_col = call.end_lineno or line, call.end_col_offset or col
    func = call.func
    if isinstance(func, ast.Attribute) and func.end_lineno != line and _is_method_call(call):
        name_end = func.end_col_offset or 0
        line, col = func.end_lineno or line, name_end - len(func.attr)
        end_line = max(line, end_line)
    return line, col, end_line, end_col


def _is_method_call(call: ast.Call) -> bool:
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return False
    return len(call.args) + len(call.keywords) + (1 if call.keywords else 0) < 30


def clear() -> None:
    """Forget every parsed file."""
    _files.clear()
