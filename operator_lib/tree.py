"""The operator tree, as functions: who is a child of whom, under which name.

Children are found by looking, not by registering: there is no ``__setattr__`` magic, so a forgotten
``super().__init__()``, a replaced attribute and an edited list need no special care.
"""

from __future__ import annotations

import importlib
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any


def name_of(op: object) -> str:
    """What messages and paths call an operator: a function by its name, an object by its class."""
    return getattr(op, "__dict__", {}).get("__name__") or type(op).__name__


def is_operator(value: object) -> bool:
    """An `Operator`, or a ``torch.nn.Module`` (told by its shape: torch is never imported)."""
    core = sys.modules["operator_lib.core"]
    # By the class: ``isinstance`` asks the object for its ``__class__``, which may be code of the user's.
    return issubclass(type(value), core.Operator) or is_module(value)


def called(op: Any) -> Any:
    """The function that a call of `op` ends up in: callers see its signature."""
    wrapped = state(op).get("__wrapped__")
    if wrapped is not None:
        return wrapped
    return type(op)._operator_called(op) if stands_in(op) else getattr(op, "forward", op)


def stands_in(op: object) -> bool:
    """Whether the class says itself, with ``_operator_called``, which function its `forward` stands for."""
    return hasattr(type(op), "_operator_called")


def is_graph(value: object) -> bool:
    """A `Graph`, known by its class as everything here is."""
    return hasattr(type(value), "_operator_named")


def is_module(value: object) -> bool:
    """A ``torch.nn.Module``."""
    cls = type(value)
    return hasattr(cls, "named_children") and hasattr(cls, "forward") and "_modules" in getattr(value, "__dict__", ())


def attributes(op: object) -> Iterator[tuple[str, Any]]:
    """The instance's own attributes in definition order, slots included."""
    for cls in type(op).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot not in ("__dict__", "__weakref__") and (found := slotted(op, slot)) is not MISSING:
                yield slot, found
    yield from list(state(op).items())


MISSING = object()
# Of most attributes: no operator, and none in them.
CHILDLESS = frozenset({str, bytes, int, float, bool, type(None), FunctionType})


def slotted(op: object, name: str) -> Any:
    """The value of a slot, read past any ``__getattribute__``; `MISSING`: it was not set."""
    try:
        return object.__getattribute__(op, name)
    except AttributeError:
        return MISSING


def state(op: object) -> dict[str, Any]:
    """The ``__dict__`` of any object, read past any ``__getattribute__`` of its class."""
    try:
        found = object.__getattribute__(op, "__dict__")
    except (AttributeError, TypeError):
        return {}
    return found if type(found) is dict else {}


def named_children(op: object) -> Iterator[tuple[str, Any]]:
    """Direct children, each once: see `Operator.named_children`."""
    seen: set[int] = set()
    for name, child in child_places(op):
        if id(child) not in seen:
            seen.add(id(child))
            yield name, child


def child_places(op: object) -> Iterator[tuple[str, Any]]:
    """Every place that holds a direct child, the same child at two places twice."""
    if is_module(op):
        yield from _modules(op)
        return
    if is_graph(op):  # its children go by names of their own
        graph: Any = type(op)
        yield from graph._operator_named(op).items()
        return
    shared = state(op).get("_operator_shared", ())
    for name, value in attributes(op):
        if type(value) not in CHILDLESS and name not in shared and name != "_operator_nodes":
            yield from _found(name, value, ())


def _modules(module: Any) -> Iterator[tuple[str, Any]]:
    for name, child in module.__dict__["_modules"].items():
        if child is not None:
            yield name, child


def _found(name: str, value: Any, outer: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    if is_operator(value):
        yield name, value
    elif issubclass(type(value), (list, tuple, dict)) and id(value) not in outer:
        items = _members(value)
        for key, item in list(items):
            yield from _found(f"{name}.{key}", item, (*outer, id(value)))


def _members(value: Any) -> Any:
    """What a container holds, read by the built-in class: an overridden ``__iter__`` is code of the user's."""
    if isinstance(value, OrderedDict):
        return OrderedDict[Any, Any].items(value)
    if isinstance(value, dict):
        return dict.items(value)
    return enumerate(list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value))


def named_operators(
    op: object, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
) -> Iterator[tuple[str, Any]]:
    """The tree with paths, parent first: see `Operator.named_operators`."""
    memo = set() if memo is None else memo
    # An operator that contains itself ends at its second appearance on the way down.
    yield from _walk(op, prefix, memo, remove_duplicate, ())


def _walk(
    op: object, path: str, memo: set[int], remove_duplicate: bool, above: tuple[int, ...]
) -> Iterator[tuple[str, Any]]:
    if id(op) in above or (remove_duplicate and id(op) in memo):
        return
    memo.add(id(op))
    yield path, op
    for name, child in child_places(op):
        yield from _walk(child, f"{path}.{name}" if path else name, memo, remove_duplicate, (*above, id(op)))


def paths(op: object) -> dict[int, str]:
    """``id(operator) -> path`` for the whole tree; a shared operator goes by its first path."""
    return {id(node): path for path, node in named_operators(op)}


def apply(op: Any, fn: Callable[[Any], object]) -> Any:
    """`Operator.apply`."""
    for node in reversed([node for _, node in named_operators(op)]):
        fn(node)
    return op


def propagate(op: Any, values: dict[str, Any]) -> Any:
    """`Operator.propagate`."""
    nodes = list(named_operators(op))
    for name in values:
        for path, node in nodes:
            if callable(getattr(type(node), name, None)):
                raise ValueError(
                    f"cannot propagate {name!r}: it is a method of {type(node).__name__}"
                    + (f" (at {path})" if path else "")
                    + "; choose another attribute name"
                )
    operators = frozenset(name for name, value in values.items() if is_operator(value))
    for _, node in nodes:
        for name, value in values.items():
            setattr(node, name, value)
        if operators:  # what everybody was handed is nobody's child
            node.__dict__["_operator_shared"] = node.__dict__.get("_operator_shared", frozenset[str]()) | operators
    return op


def remote_init(op: Any) -> Any:
    """`Operator.remote_init`."""
    for _, node in named_operators(op):
        hook = getattr(type(node), "__remote_init__", None)
        if hook is not None:
            hook(node)
    return op


def render(op: Any) -> str:
    """The tree as text, in the manner of ``nn.Module.__repr__``."""
    return _render(op, ())


def _render(op: Any, above: tuple[int, ...]) -> str:
    name = getattr(op, "__qualname__", None) if "__wrapped__" in getattr(op, "__dict__", {}) else None
    title = name or type(op).__name__
    if id(op) in above:
        return f"{title}(...)"
    options = importlib.import_module("operator_lib.options").of(op)
    set_options = ", ".join(f"{k}={v!r}" for k, v in options.describe().items()) if options is not None else ""
    lines: list[str] = []
    for child_name, child in child_places(op):
        inner = repr(child) if is_module(child) else _render(child, (*above, id(op)))
        lines.append(f"  ({child_name}): " + inner.replace("\n", "\n  "))
    if not lines:
        return f"{title}({set_options})"
    head = f"{title}({set_options}," if set_options else f"{title}("
    return "\n".join([head, *lines, ")"])
