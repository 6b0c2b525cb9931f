"""Annotations: what an argument or attribute that nobody was seen to set is said to be."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from operator_lib import syntax
from operator_lib.trace.live import LiveClass, live_class
from operator_lib.trace.static import StaticClass
from operator_lib.trace.values import Class, External, Foreign, Instance, Many, Member, Module, Thing, Value, either
from operator_lib.trace.world import World

Lookup = Callable[[str], Thing | None]

_ONE_OF = ("Optional", "Union", "Annotated", "Final", "ClassVar", "Required")
_SEVERAL = ("list", "List", "tuple", "Tuple", "set", "frozenset", "Sequence", "Iterable", "Iterator", "Collection")
_NAMED = ("dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict")


class AnyOperator(Class):
    """``Operator`` as an annotation: any of them."""

    __slots__ = ()
    name = "Operator"
    operator = True

    def find(self, name: str, after: object = None) -> Member | None:
        return Member("machinery", External(f"Operator.{name}"), AnyOperator) if name in _CALLS else None

    @property
    def key(self) -> object:
        return AnyOperator


_CALLS = ("map", "submit", "with_options")
_ANY = AnyOperator()


def hinted(node: ast.expr, lookup: Lookup, world: World) -> Thing | None:
    """The operator, or the container of some, that an annotation stands for; None: neither."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        inner = _parsed(node.value)
        return hinted(inner, lookup, world) if inner is not None else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _any([hinted(node.left, lookup, world), hinted(node.right, lookup, world)])
    if isinstance(node, ast.Subscript):
        return _of_parts(node, lookup, world)
    return instance_of(_named(node, lookup), world)


def _of_parts(node: ast.Subscript, lookup: Lookup, world: World) -> Thing | None:
    base = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if base in _ONE_OF:
        return _any([hinted(part, lookup, world) for part in inner])
    if base in _SEVERAL or base in _NAMED:
        found = _any([hinted(part, lookup, world) for part in (inner[1:] if base in _NAMED else inner)])
        return Many(Value(what=found)) if found is not None else None
    return instance_of(_named(node.value, lookup), world)


def _any(found: list[Thing | None]) -> Thing | None:
    return either([f for f in found if f is not None])


def _named(node: ast.expr, lookup: Lookup) -> Thing | None:
    if isinstance(node, ast.Name):
        return lookup(node.id)
    if isinstance(node, ast.Attribute):
        base = _named(node.value, lookup)
        if isinstance(base, Module):
            return base.lookup(node.attr)
        if isinstance(base, Class):
            found = base.find(node.attr)
            return found.what if found is not None else None
        return External(f"{base.name}.{node.attr}") if isinstance(base, External) else None
    return None


def instance_of(what: Thing | None, world: World) -> Thing | None:
    """An object that is said to be of this class."""
    if isinstance(what, Foreign) and isinstance(what.raw, type):
        what = live_class(what.raw, world)
    if isinstance(what, External) and what.name in ("operator_lib.Operator", "operator_lib.core.Operator"):
        what = _ANY
    if not isinstance(what, Class) or not what.operator:
        return None
    made = Instance(what, operator=True)
    made.assumed = "annotated"
    return made


def of_attribute(cls: Class, name: str, world: World) -> Thing | None:
    """What the class says that an attribute is."""
    if isinstance(cls, StaticClass):
        found = cls.annotation(name)
        return hinted(found[0], found[1].lookup, world) if found is not None else None
    if isinstance(cls, LiveClass):
        for base in cls.cls.__mro__:
            annotation = inspect.get_annotations(base).get(name)
            if isinstance(annotation, type):
                return instance_of(live_class(annotation, world), world)
            if isinstance(annotation, str) and (tree := _parsed(annotation)) is not None:
                return hinted(tree, _globals_of(base, world), world)
    return None


def _globals_of(cls: type, world: World) -> Lookup:
    from operator_lib.trace.live import what_is

    namespace: dict[str, Any] = getattr(sys.modules.get(cls.__module__), "__dict__", {})
    return lambda name: what_is(namespace[name], world) if name in namespace else None


@lru_cache(512)
def _parsed(text: str) -> ast.expr | None:
    try:
        return syntax.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
