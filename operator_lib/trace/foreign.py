"""Installed packages that define operators of the tree: their code is read where operators or functions go into it."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING

from operator_lib.trace.live import LiveClass, function, live_class
from operator_lib.trace.values import (
    Choice,
    Class,
    Foreign,
    Function,
    FunctionOperator,
    Instance,
    Items,
    Many,
    Member,
    Partial,
    Thing,
    Value,
)  # fmt: skip
from operator_lib.trace.world import World

if TYPE_CHECKING:
    from operator_lib.trace.args import Args


def opened(what: Foreign, world: World) -> Thing | None:
    """The function or class behind it, its source read."""
    if isinstance(what.raw, type):
        return live_class(what.raw, world)
    return function(what.raw, world) if isinstance(what.raw, types.FunctionType) else None


def worth_reading(args: Args) -> bool:
    """Whether what is handed over can be called: plain data cannot lead to an operator."""
    return any(_callable(value.what) for value in args.values)


def _callable(what: Thing | None, depth: int = 0) -> bool:
    if isinstance(what, Function | Partial | Foreign | FunctionOperator | Class):
        return True
    if isinstance(what, Instance):
        return what.operator
    if depth < 3:
        if isinstance(what, Items):
            return any(_callable(v.what, depth + 1) for v in what.values.values())
        if isinstance(what, Many):
            return _callable(what.element.what, depth + 1)
        if isinstance(what, Choice):
            return any(_callable(o, depth + 1) for o in what.options)
    return False


def differentiable(what: LiveClass) -> Thing | None:
    """What ``apply`` of a ``torch.autograd.Function`` runs: its ``forward``, mostly behind a context of its own."""
    cls = what.cls
    base = next(
        (c for c in cls.__mro__ if c.__module__ == "torch.autograd.function" and c.__name__ == "Function"), None
    )
    found = what.find("forward") if base is not None else None
    if found is None or not isinstance(found.what, Function):
        return None
    separate = next(c for c in cls.__mro__ if "setup_context" in c.__dict__) in cls.__mro__[: cls.__mro__.index(base)]
    return found.what if separate else Partial(found.what, (Value(),), {})


def as_method(what: Function, args: Args) -> tuple[Function, Args]:
    """``Class.method(instance, ...)`` is ``instance.method(...)``, as that class defines it."""
    first = args.positional[0].what if args.positional else None
    cls = first.cls if isinstance(first, Instance) else None
    if what.bound is None and isinstance(cls, LiveClass) and any(c is what.owner for c in cls.cls.__mro__):
        return what.bind(first, what.owner), args.without_first()
    return what, args


def item_getter(what: Instance) -> Function | None:
    """The function behind ``what[...]``."""
    found: Member | None = what.cls.find("__getitem__")
    if found is None or found.how != "method" or not isinstance(found.what, Function):
        return None
    return found.what.bind(what, found.owner)
