"""Classes whose constructor is generated: dataclasses and named tuples."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operator_lib.trace.args import Args
from operator_lib.trace.frame import Frame
from operator_lib.trace.hints import hinted
from operator_lib.trace.live import LiveClass, what_is
from operator_lib.trace.reader import Reader
from operator_lib.trace.static import StaticClass
from operator_lib.trace.values import Class, External, Function, Instance, Items, Member, Thing, Unknown, Value

_MISSING = dataclasses.MISSING


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of a generated constructor. `default` and `factory` are things, or expressions of `scope`."""

    name: str
    default: Any = None
    factory: Any = None
    init: bool = True
    annotation: ast.expr | None = None
    scope: Any = None


class TupleClass(Class):
    """What ``namedtuple(...)`` makes."""

    __slots__ = ("name", "names")
    operator = False

    def __init__(self, name: str, names: tuple[str, ...]) -> None:
        self.name = name
        self.names = names

    def find(self, name: str, after: object = None) -> Member | None:
        return None

    @property
    def key(self) -> object:
        return self


def fields(cls: Class) -> list[Field] | None:
    """The fields of a dataclass, inherited ones first; None: it is none."""
    if isinstance(cls, LiveClass):
        found = cls.cls.__dict__.get("__dataclass_fields__") or getattr(cls.cls, "__dataclass_fields__", None)
        return [_live(f, cls) for f in found.values() if _is_field(f)] if isinstance(found, dict) else None
    if not isinstance(cls, StaticClass) or not any(getattr(c, "dataclass", False) for c in cls.order()):
        return None
    made: dict[str, Field] = {}
    for base in reversed(cls.order()):
        if isinstance(base, StaticClass) and base.dataclass:
            made.update((f.name, f) for f in _static(base))
        elif isinstance(base, LiveClass):
            made.update((f.name, f) for f in fields(base) or ())
    return list(made.values())


def _is_field(f: Any) -> bool:
    return getattr(getattr(f, "_field_type", None), "name", "") == "_FIELD"


def _live(f: Any, cls: LiveClass) -> Field:
    default = what_is(f.default, cls.world) if f.default is not _MISSING else None
    factory = what_is(f.default_factory, cls.world) if f.default_factory is not _MISSING else None
    return Field(f.name, default, factory, f.init)


def _static(cls: StaticClass) -> Iterator[Field]:
    for statement in cls.fields():
        name = statement.target.id  # type: ignore[union-attr]
        if "ClassVar" in ast.dump(statement.annotation):
            continue
        given = statement.value
        options: dict[str | None, ast.expr] = {}
        if isinstance(given, ast.Call) and getattr(given.func, "id", getattr(given.func, "attr", "")) == "field":
            options = {k.arg: k.value for k in given.keywords}
            given = options.get("default")
        init = options.get("init")
        yield Field(
            name, given, options.get("default_factory"), not isinstance(init, ast.Constant) or bool(init.value),
            statement.annotation, cls.scope,
        )  # fmt: skip


def initialise(r: Reader, f: Frame, made: Instance, args: Args, node: ast.AST) -> None:
    """What the generated ``__init__`` does: attributes, then ``__post_init__``."""
    from operator_lib.trace.expand import helper_call

    given = list(args.positional)
    for field in fields(made.cls) or ():
        if field.init and given:
            value = given.pop(0)
        elif field.init and field.name in args.keywords:
            value = args.keywords[field.name]
        elif field.init and args.rest is not None:
            value = Value(args.rest.deps, _said(field, r) or args.rest.what)
        else:
            value = _default(r, f, field, node)
        f.env.heap[made.identity, field.name] = value
    after = made.cls.find("__post_init__")
    if after is not None and isinstance(after.what, Function):
        helper_call(r, f, after.what.bind(made, after.owner), Args.none(), node, extra=("new", made.cls.name))


def _said(field: Field, r: Reader) -> Thing | None:
    return hinted(field.annotation, field.scope.lookup, r.world) if field.annotation is not None else None


def _default(r: Reader, f: Frame, field: Field, node: ast.AST) -> Value:
    from operator_lib.trace.calls import apply

    factory, default = field.factory, field.default
    if isinstance(factory, ast.expr):
        factory = r.world.evaluate(factory, field.scope).what
    if factory is not None:
        call = ast.copy_location(ast.Call(ast.copy_location(ast.Name(field.name, ast.Load()), node), [], []), node)
        return apply(r, f, Value(what=factory), Args.none(), call)
    if isinstance(default, ast.expr):
        return r.world.evaluate(default, field.scope)
    if default is not None:
        return Value(what=default)
    return Value(what=_said(field, r))


def tuple_names(cls: Class) -> tuple[str, ...] | None:
    """The fields of a named tuple; None: it is none."""
    if isinstance(cls, TupleClass):
        return cls.names
    if isinstance(cls, LiveClass):
        return getattr(cls.cls, "_fields", None) if issubclass(cls.cls, tuple) else None
    if isinstance(cls, StaticClass):
        for base in cls.order():
            for outer in getattr(base, "bases", ()):
                if isinstance(outer, External) and outer.name == "typing.NamedTuple":
                    return tuple(s.target.id for s in base.fields())  # type: ignore[union-attr]
                if isinstance(outer, TupleClass):
                    return outer.names
    return None


def make_tuple(r: Reader, cls: Class, names: tuple[str, ...], args: Args) -> Value:
    """``Pair(a, second=b)``."""
    if args.rest is not None:
        return Value(args.deps, Unknown("dynamic"))
    values = dict(zip(names, args.positional, strict=False)) | args.keywords
    defaults = {s.target.id: s.value for s in getattr(cls, "fields", lambda: ())() if s.value is not None}
    for name, default in defaults.items():
        values.setdefault(name, r.world.evaluate(default, cls.scope))  # type: ignore[attr-defined]
    found = Items.of([values.get(n, Value()) for n in names], "tuple")
    found.names, found.cls = names, cls
    return Value(args.deps, found)
