"""The options that a function or class says, live or only read: those that decide what is called, and with what."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from operator_lib import options
from operator_lib.trace.frame import Frame
from operator_lib.trace.live import LiveClass, what_is
from operator_lib.trace.static import StaticClass
from operator_lib.trace.values import Const, Declaring, FunctionOperator, Instance, Items, Thing, Value
from operator_lib.trace.world import World

Said = Mapping[str, Thing | None]
_NAMES = ("name", "description", "accumulate", "next", "use_ctx")
_NONE = Const(None)


def said(what: Thing | None, world: World) -> Said:
    """The options of a function, an object or a class; those that nobody has said are not in it."""
    if isinstance(what, Instance):
        if what.options is not None:
            return _plain(what.options)
        return _live(what.live, world) if what.live is not None else said(what.cls, world)
    if isinstance(what, LiveClass):
        return _live(what.cls, world)
    return _plain(_of_class(what)) if isinstance(what, StaticClass) else {}


def uses_ctx(what: Thing | None, world: World) -> bool:
    """Whether a call hands over the request first."""
    return _true(said(what, world).get("use_ctx"))


def with_options(f: Frame, of: Instance, changes: Said, world: World) -> Instance:
    """What ``with_options`` makes: another object with the same attributes."""
    made: Instance
    if isinstance(of, FunctionOperator):
        made = FunctionOperator(of.function, of.cls)
    else:
        made = Instance(of.cls, operator=of.operator)
    made.live, made.title, made.forward, made.assumed = of.live, of.title, of.forward, of.assumed
    made.options = {**said(of, world), **changes}
    heap = {**world.heap, **f.env.heap}
    f.env.heap.update({(made.identity, name): v for (identity, name), v in heap.items() if identity == of.identity})
    return made


def _live(obj: Any, world: World) -> Said:
    chosen = options.of(obj)
    found = {name: getattr(chosen, name, None) for name in _NAMES}
    return {name: what_is(value, world) for name, value in found.items() if value is not None and value != ()}


def _plain(given: Said) -> Said:
    """Without what says nothing, and under the usual names."""
    found = {name: what for name, what in given.items() if not (isinstance(what, Const) and what.value in (None, ""))}
    if _true(found.pop("inject_ctx", None)):
        found["use_ctx"] = Const(True)
    return found


def _true(what: Thing | None) -> bool:
    return isinstance(what, Const) and bool(what.value)


def _of_class(cls: StaticClass) -> Said:
    """As `options.of` reads a live class; a base may say that attributes are options (`_operator_attributes`)."""
    for base in cls.order():
        names = getattr(base.cls, "_operator_attributes", ()) if isinstance(base, LiveClass) else ()
        if names:
            members = {name: cls.find(name) for name in names if name != "name"} | {"name": cls.own("name")}
            return {name: member.what for name, member in members.items() if member is not None}
        found = _of_base(base)
        if found is not None:
            return found
    return {}


def _of_base(base: Any) -> Said | None:
    """What this very class says; None: nothing."""
    if isinstance(base, LiveClass):
        chosen = options.of(base.cls)
        return _live(base.cls, base.world) if chosen is not None else None
    if not isinstance(base, StaticClass):
        return None
    plain, nested = base.own("options"), base.own("Options")
    found: dict[str, Thing | None] | None = None
    if plain is not None and isinstance(plain.what, Items) and plain.what.kind == "dict":
        found = {str(name): value.what for name, value in plain.what.values.items()}
    if nested is not None and isinstance(nested.what, StaticClass):
        members = {name: nested.what.find(name) for name in (*_NAMES, "inject_ctx")}
        found = {**(found or {}), **{name: m.what for name, m in members.items() if m is not None}}
    if base.decorator is not None:
        found = {**(found or {}), **_decorator(base)}
    return found


def _decorator(cls: StaticClass) -> Said:
    decorator = cls.decorator
    if not isinstance(decorator, ast.Call):
        return {}
    what = cls.module.world.evaluate(decorator, cls.module).what
    return what.options if isinstance(what, Declaring) else {}


def successors(what: Thing | None, world: World) -> list[Value]:
    """The functions that ``next=`` names."""
    named = said(what, world).get("next", _NONE)
    if isinstance(named, Items) and named.kind != "dict":
        return list(named.values.values())
    return [] if named is _NONE else [Value(what=named)]
