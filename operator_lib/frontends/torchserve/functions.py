"""What a handler file defines, as far as its source tells: nothing is imported."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operator_lib import syntax
from operator_lib.frontends.torchserve.problems import Problem


@dataclass(frozen=True, slots=True)
class HandlerFile:
    """The names at the top of a handler file.

    Attributes:
        names: what each is defined by: ``"def"``, ``"class"`` or ``"value"``, and its statement.
        open: the source may define more than it shows (a star import, for instance).
        problem: why it cannot be read.
    """

    file: str
    names: dict[str, tuple[str, Any]]
    open: bool = False
    problem: Problem | None = None

    @classmethod
    def read(cls, source: bytes, file: str) -> HandlerFile:
        try:
            tree = syntax.parse(source, file)
        except (SyntaxError, ValueError) as problem:
            line = getattr(problem, "lineno", None) or 0
            words = getattr(problem, "msg", None) or str(problem)
            return cls(file, {}, True, Problem(f"this is not Python: {words}", file, line))
        found: dict[str, tuple[str, Any]] = {}
        open_ = False
        for statement in _top(tree.body):
            for kind, name in _defined(statement):
                open_ = open_ or name == "*" or name == "__getattr__"
                found[name] = kind, statement
        return cls(file, found, open_)

    def _functions(self) -> str:
        names = [name for name, (kind, _) in self.names.items() if kind == "def" and not name.startswith("_")]
        return (", ".join(names[:8]) + (", ..." if len(names) > 8 else "")) or "no functions"

    def check(self, name: str, spec_file: str, line: int) -> Iterator[Problem]:
        """What keeps `name` from being a node."""
        kind, statement = self.names.get(name, ("", None))
        if not kind:
            if not self.open:
                near = difflib.get_close_matches(name, self.names, 1)
                hint = f"did you mean {near[0]}?" if near else f"{self.file} defines {self._functions()}"
                message = f"{name} is neither a model nor a function of {self.file}"
                yield Problem(message, spec_file, line, hint)
        elif kind == "class":
            message = f"{name} is a class in {self.file}, and a node is a function"
            yield Problem(message, spec_file, line, "write `def " + name + "(data, context):`")
        elif kind == "def" and not _takes_two(statement.args):
            message = f"{name} must take (data, context)"
            yield Problem(message, self.file, statement.lineno, f"write `def {name}(data, context):`")


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements at the top of a module, in ``if`` and ``try`` too."""
    for statement in body:
        yield statement
        for field in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _top(getattr(statement, field, []))
        for handler in getattr(statement, "handlers", []):
            yield from _top(handler.body)


def _defined(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        yield "value" if statement.decorator_list else "def", statement.name
    elif isinstance(statement, ast.ClassDef):
        yield "class", statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield "value", alias.asname or alias.name.partition(".")[0]
    else:
        for node in (
            ast.walk(statement) if isinstance(statement, ast.Assign | ast.AnnAssign | ast.For | ast.With) else ()
        ):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield "value", node.id


def _takes_two(args: ast.arguments) -> bool:
    positional = [*args.posonlyargs, *args.args]
    required = len(positional) - len(args.defaults)
    keywords = [default for default in args.kw_defaults if default is None]
    return required <= 2 and not keywords and (len(positional) >= 2 or args.vararg is not None)
