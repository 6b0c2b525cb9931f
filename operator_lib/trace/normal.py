"""The meaning of some source as text: the same for every way to write it down, in every version of Python."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from operator_lib.trace.walked import children, walked

# Positions and hints, and what only some versions of Python have.
_SKIPPED = frozenset(
    ("ctx", "type_comment", "kind", "annotation", "returns", "type_params", "simple",
     "lineno", "col_offset", "end_lineno", "end_col_offset")
)  # fmt: skip
_FIELDS: dict[type, tuple[str, ...]] = {}

_ELSEWHERE = frozenset({ast.Global, ast.Nonlocal})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = frozenset({*_FUNCTIONS, ast.ClassDef})
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_BINDERS = frozenset((*_FUNCTIONS, *_COMPREHENSIONS))


def normal(tree: ast.AST | Iterable[ast.AST], local: Collection[str], same: Mapping[str, str] | None = None) -> str:
    """`tree` without formatting, docstrings and annotations; the names in `local` are numbered as they appear.

    `same`: what other names stand for (``np`` for ``numpy``).
    """
    return numbered(tree, local, same)[0]


def numbered(
    tree: ast.AST | Iterable[ast.AST], local: Collection[str], same: Mapping[str, str] | None = None
) -> tuple[str, list[str]]:
    """`normal`, and the names that were numbered."""
    text = _Text(local, same or {})
    for part in (tree,) if isinstance(tree, ast.AST) else tree:
        text.visit(part)
    return "".join(text.out), sorted(text.numbers, key=text.numbers.__getitem__)


class _Text:
    """The text while it is being written."""

    __slots__ = ("count", "local", "numbers", "out", "same")

    def __init__(self, local: Collection[str], same: Mapping[str, str]) -> None:
        self.local = local
        self.same = same
        self.numbers: dict[str, int] = {}
        self.count = 0
        self.out: list[str] = []

    def name(self, name: str) -> str:
        if name not in self.local:
            return self.same.get(name, name)
        number = self.numbers.get(name)
        if number is None:
            number = self.numbers[name] = self.count
            self.count += 1
        return f"${number}"

    def visit(self, node: Any) -> None:
        kind = node.__class__
        if kind is ast.Name:
            self.out.append(self.name(node.id))
        elif kind is ast.Constant:
            self.out.append(_constant(node.value))
        elif kind is ast.Attribute:
            self.visit(node.value)
            self.out.append("." + node.attr)
        elif kind is ast.arg:
            self.out.append(self.name(node.arg))
        elif kind is ast.JoinedStr:
            self._joined(node)
        elif kind is ast.alias:
            self.out.append(f"{node.name} as {self.name(node.asname or node.name.partition('.')[0])}")
        elif kind in _BINDERS:
            self._scope(node, kind)
        elif kind is ast.AnnAssign and node.value is not None:
            self._assign(node)
        else:
            self._fields(node, kind)

    def _scope(self, node: ast.AST, kind: type) -> None:
        """Names bound inside are others than those of the same name outside."""
        inner = bound(node)
        local, self.local = self.local, inner.union(self.local)
        hidden = {name: self.numbers.pop(name) for name in inner if name in self.numbers}
        self._fields(node, kind)
        self.local = local
        self.numbers = {n: i for n, i in self.numbers.items() if n not in inner} | hidden

    def _assign(self, node: ast.AnnAssign) -> None:
        """An annotation of a variable says nothing when the program runs."""
        self.out.append("Assign([")
        self.visit(node.target)
        self.out.append(",],")
        self.visit(node.value)
        self.out.append(",)")

    def _joined(self, node: ast.JoinedStr) -> None:
        """Versions differ in how they cut the text between the values of an f-string."""
        self.out.append("f(")
        text = ""
        for part in (*node.values, None):
            if isinstance(part, ast.Constant):
                text += str(part.value)
                continue
            if text:
                self.out.append(ascii(text))
                text = ""
            if part is not None:
                self.visit(part)
        self.out.append(")")

    def _fields(self, node: Any, kind: type) -> None:
        fields = _FIELDS.get(kind)
        if fields is None:
            fields = _FIELDS[kind] = tuple(f for f in kind._fields if f not in _SKIPPED)  # type: ignore[attr-defined]
        out = self.out
        out.append(kind.__name__ + "(")
        for field in fields:
            value: Any = getattr(node, field, None)
            if value.__class__ is list:
                self._list(field, value, kind)
            elif isinstance(value, ast.AST):
                self.visit(value)
            elif value is not None:
                out.append(self.name(value) if field in ("name", "rest") and isinstance(value, str) else repr(value))
            out.append(",")
        out.append(")")

    def _list(self, field: str, values: list[Any], kind: type) -> None:
        out = self.out
        out.append("[")
        for i, part in enumerate(values):
            if not i and field == "body" and is_docstring(part):
                continue
            if isinstance(part, ast.AST):
                self.visit(part)
            elif part is not None:
                out.append(self.name(part) if kind is ast.Nonlocal else repr(part))
            out.append(",")
        out.append("]")


def _constant(value: Any) -> str:
    # Not `repr`: what it takes for printable differs between versions, and it refuses very long numbers.
    return hex(value) if value.__class__ is int else ascii(value)


def is_docstring(node: ast.AST) -> bool:
    """A statement that is nothing but text."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def bound(node: ast.AST) -> set[str]:
    """Names that belong to a function, or to a comprehension."""
    found: set[str] = set()
    if not isinstance(node, _FUNCTIONS):
        for generator in getattr(node, "generators", ()):
            found.update(n.id for n in walked(generator.target) if isinstance(n, ast.Name))
        return found
    spec = node.args
    found.update(a.arg for a in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs))
    found.update(a.arg for a in (spec.vararg, spec.kwarg) if a is not None)
    outer: set[str] = set()
    stack: list[ast.AST] = list(node.body) if isinstance(node.body, list) else [node.body]
    for part in own_parts(stack):
        if part.__class__ in _ELSEWHERE:
            assert isinstance(part, ast.Global | ast.Nonlocal)
            outer.update(part.names)
        else:
            found.update(_binding(part))
    return found - outer


def own_parts(stack: list[ast.AST]) -> Iterator[ast.AST]:
    """The parts of a function's body, without what has a scope of its own."""
    while stack:
        part = stack.pop()
        yield part
        if part.__class__ in _COMPREHENSIONS:
            stack.extend(n for n in walked(part) if isinstance(n, ast.NamedExpr) and n is not part)
        elif part.__class__ not in _SCOPES:
            stack.extend(children(part))


def _binding(part: ast.AST) -> Collection[str]:
    """The names that this very part binds."""
    if isinstance(part, ast.Name):
        return () if part.ctx.__class__ is ast.Load else (part.id,)
    if part.__class__ not in _BINDING:
        return ()
    if isinstance(part, ast.alias):
        return (part.asname or part.name.partition(".")[0],)
    if isinstance(part, ast.MatchMapping):
        return (part.rest,) if part.rest else ()
    if isinstance(part, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        return (part.name,) if part.name else ()
    return (part.name,) if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ()


_BINDING = frozenset(
    {
        *(ast.alias, ast.MatchMapping, ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
        *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    }
)


def stored(tree: ast.AST) -> set[str]:
    """Names that some code binds in the function around it."""
    return {name for part in own_parts([tree]) for name in _binding(part)}


def imports(module: ast.Module) -> dict[str, str]:
    """What the names that a module imports stand for: ``np`` for ``numpy``, ``sqrt`` for ``math.sqrt``."""
    found: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, ast.Import):
            found |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom):
            place = "." * node.level + (node.module or "")
            found |= {a.asname or a.name: f"{place}.{a.name}" for a in node.names}
    return found
