"""The tree of an operator with the source of its methods."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any

from operator_lib import options as option_rules
from operator_lib import tree
from operator_lib.decorator import FunctionOperator
from operator_lib.options import Options
from operator_lib.project import Project, locate
from operator_lib.trace import build, source
from operator_lib.trace.dag import DAG

_HOOKS = ("__init__", "__remote_init__", "__post_init__", "__setstate__", "__new__")


@dataclass(frozen=True, slots=True)
class Method:
    """One function of the program's, with the operator that it belongs to."""

    op: Any
    path: str
    name: str
    function: FunctionType
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    file: str

    @property
    def builds(self) -> bool:
        """Whether it runs before the first call."""
        return self.name in _HOOKS

    @property
    def me(self) -> str:
        """What it calls its own object; "" for a function."""
        args = self.node.args
        names = [a.arg for a in (*args.posonlyargs, *args.args)]
        return names[0] if names and not isinstance(self.op, FunctionOperator) else ""


class Program:
    """An operator and everything below it."""

    def __init__(self, op: Any) -> None:
        self.op = op
        self.operators: dict[str, Any] = dict(tree.named_operators(op))
        self.project: Project = locate(op)

    @cached_property
    def dag(self) -> DAG:
        return build(self.op)

    @cached_property
    def methods(self) -> list[Method]:
        """Every function of every operator in the tree; of a class that stands there twice, those of the first."""
        found: list[Method] = []
        seen: set[object] = set()
        for path, op in self.operators.items():
            for name, function in _functions(op):
                if function.__code__ in seen or not self._mine(function):
                    continue
                seen.add(function.__code__)
                node = definition(function)
                if node is not None:
                    found.append(Method(op, path, name, function, node, self.shown(function.__code__.co_filename)))
        return found

    def _mine(self, function: FunctionType) -> bool:
        return source.is_project_file(function.__code__.co_filename, str(self.project.root))

    def shown(self, file: str) -> str:
        return source.shown(file, str(self.project.root))

    def of(self, op: Any) -> list[Method]:
        """The methods of one operator's class."""
        codes = {function.__code__ for _, function in _functions(op)}
        return [method for method in self.methods if method.function.__code__ in codes]

    def options(self, path: str) -> Options | None:
        """What holds for an operator, inherited options included."""
        merged: Options | None = None
        parts = path.split(".") if path else []
        for count in range(len(parts) + 1):
            around = self.operators.get(".".join(parts[:count]))
            if around is not None:
                merged = option_rules.merge(merged, option_rules.of(around))
        return merged


def definition(function: FunctionType) -> Any:
    """The source of a function; None: there is none."""
    file = source.load(function.__code__.co_filename)
    return file.function(function.__code__) if file is not None else None


def _functions(op: Any) -> Iterator[tuple[str, FunctionType]]:
    if isinstance(op, FunctionOperator):
        wrapped = tree.state(op).get("__wrapped__")
        if isinstance(wrapped, FunctionType):
            yield wrapped.__name__, wrapped
        return
    names: set[str] = set()
    for cls in type(op).__mro__:
        if cls.__module__.startswith("operator_lib.") or cls.__module__ == "builtins":
            continue
        for name, raw in cls.__dict__.items():
            inner: Any = getattr(raw, "__func__", None) or getattr(raw, "fget", None) or raw
            if name not in names and isinstance(inner, FunctionType):
                names.add(name)
                yield name, inner
