"""Arguments of a call, and how they meet the parameters of a function."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from operator_lib.trace.frame import Frame
from operator_lib.trace.objects import used
from operator_lib.trace.reader import Reader
from operator_lib.trace.source import SourceFile, default_of
from operator_lib.trace.values import Const, Deps, Function, Items, Thing, Unknown, Value

NONE: Deps = frozenset()


@dataclass(slots=True)
class Args:
    """Evaluated arguments; `rest` is what ``*unknown`` or ``**unknown`` may add."""

    positional: list[Value] = field(default_factory=list[Value])
    keywords: dict[str, Value] = field(default_factory=dict[str, Value])
    rest: Value | None = None
    labels: list[str] = field(default_factory=list[str])
    trees: list[ast.expr] = field(default_factory=list[ast.expr])

    @classmethod
    def none(cls) -> Args:
        return cls()

    @classmethod
    def unknown(cls, deps: Deps) -> Args:
        """Whatever somebody else passes."""
        return cls(rest=Value(deps))

    @classmethod
    def read(cls, r: Reader, f: Frame, node: ast.Call) -> Args:
        """Evaluate the arguments of a call, left to right."""
        made = cls()
        for arg in node.args:
            value = used(r, f, r.evaluate(f, arg))
            if isinstance(arg, ast.Starred):
                made._star(value)
                made.labels.append("*" + label(arg.value, f.file))
            else:
                made.positional.append(value)
                made.labels.append(label(arg, f.file))
                made.trees.append(arg)
        for keyword in node.keywords:
            value = used(r, f, r.evaluate(f, keyword.value))
            if keyword.arg is None:
                made._stars(value)
                made.labels.append("**" + label(keyword.value, f.file))
            else:
                made.keywords[keyword.arg] = value
                made.labels.append(label(keyword.value, f.file))
                made.trees.append(keyword.value)
        return made

    def _star(self, value: Value) -> None:
        if isinstance(value.what, Items) and value.what.kind != "dict" and self.rest is None:
            self.positional.extend(
                Value(value.deps | v.deps, v.what, v.cells, v.part) for v in value.what.values.values()
            )
        else:
            self._loose(value)

    def _stars(self, value: Value) -> None:
        if isinstance(value.what, Items) and all(isinstance(k, str) for k in value.what.values):
            self.keywords.update(
                {k: Value(value.deps | v.deps, v.what, v.cells, v.part) for k, v in value.what.values.items()}
            )
        else:
            self._loose(value)

    def _loose(self, value: Value) -> None:
        self.rest = Value(
            value.deps | (self.rest.deps if self.rest else frozenset()), Unknown("dynamic"), value.cells, True
        )

    def after(self, positional: tuple[Value, ...], keywords: Mapping[str, Value]) -> Args:
        """These arguments behind those of a partial."""
        return Args([*positional, *self.positional], {**keywords, **self.keywords}, self.rest, self.labels, self.trees)

    def without_first(self) -> Args:
        """All but the first positional argument."""
        return Args(self.positional[1:], self.keywords, self.rest, self.labels, self.trees[1:])

    @property
    def values(self) -> list[Value]:
        return [*self.positional, *self.keywords.values(), *([self.rest] if self.rest is not None else [])]

    @property
    def deps(self) -> Deps:
        return NONE.union(*(v.deps for v in self.values))


def label(node: ast.expr, file: SourceFile) -> str:
    """A short name for an argument: the variable, the attribute path, the callee, else the text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Await):
        return label(node.value, file)
    if isinstance(node, ast.Call):
        return f"{label(node.func, file)}()"
    if isinstance(node, ast.Attribute):
        return f"{label(node.value, file)}.{node.attr}"
    text = " ".join(file.segment(node).split())
    return text if len(text) <= 40 else text[:37] + "..."


def bound(function: Function, args: Args, me: Thing | None, outermost: bool = False) -> dict[str, Value]:
    """Parameter name to value. `me` is what the first parameter is bound to, if it is a method."""
    spec = function.node.args
    positional = list(args.positional) if me is None else [Value(what=me), *args.positional]
    keywords = dict(args.keywords)
    found: dict[str, Value] = {}
    names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    for name in names:
        if positional:
            found[name] = positional.pop(0)
        elif name in keywords:
            found[name] = keywords.pop(name)
        else:
            found[name] = _missing(function, name, args, outermost)
    for extra in spec.kwonlyargs:
        found[extra.arg] = keywords.pop(extra.arg, None) or _missing(function, extra.arg, args, outermost)
    if spec.vararg is not None:
        deps = args.rest.deps if args.rest is not None else NONE
        found[spec.vararg.arg] = Value(
            deps.union(*(v.deps for v in positional)),
            Unknown("parameter") if args.rest is not None or outermost else Items.of(positional, "tuple"),
        )
    if spec.kwarg is not None:
        deps = args.rest.deps if args.rest is not None else NONE
        found[spec.kwarg.arg] = Value(
            deps.union(*(v.deps for v in keywords.values())),
            Unknown("parameter") if args.rest is not None or outermost else Items("dict", dict(keywords)),
        )
    return found


def _missing(function: Function, name: str, args: Args, outermost: bool) -> Value:
    if outermost:
        return Value(what=Unknown("parameter"))
    if args.rest is not None:
        return args.rest
    if name in function.given:
        return function.given[name]
    if function.default is not None:
        return Value(what=function.default(name))
    return Value(what=_static_default(function, name))


def _static_default(function: Function, name: str) -> Thing | None:
    default = default_of(function.node, name)
    if isinstance(default, ast.Constant):
        return Const(default.value)
    if isinstance(default, ast.Name):
        return function.lookup(default.id)
    return function.computed(default) if default is not None and function.computed is not None else None
