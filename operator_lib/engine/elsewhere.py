"""Operators that ask for other resources than the process around has: they live in parts, processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from operator_lib import options, tree
from operator_lib.options import Options

# Gives for an operator what carries out its calls elsewhere, None for one that runs here.
find: Callable[[Any], Callable[..., Any] | None] | None = None
# Gives for an operator what to run instead of its `forward` in this context: the same, taken apart.
instead: ContextVar[Callable[[Any], Callable[..., Any]] | None] = ContextVar("operator_lib_instead", default=None)


def forward(op: Any) -> Callable[..., Any]:
    """What a call of `op` ends up in."""
    away = find(op) if find is not None else None
    return here(op) if away is None else away


def here(op: Any) -> Callable[..., Any]:
    """`op.forward`, or what stands for it in this context."""
    choose = instead.get()
    return op.forward if choose is None else choose(op)


def members(op: Any, process: Options) -> Iterator[tuple[str, Any, Options]]:
    """Operators below `op` that need a part of a `process` with these options: path, operator, what holds for it.

    Operators inside of those are theirs.
    """
    yield from _members(op, "", options.merge(process, options.of(op)), process, set())


def _members(
    op: Any, path: str, around: Options, process: Options, seen: set[int]
) -> Iterator[tuple[str, Any, Options]]:
    for name, child in tree.child_places(op):
        if id(child) in seen:
            continue
        seen.add(id(child))
        place, own = f"{path}.{name}" if path else name, options.of(child)
        merged = options.merge(around, own)
        if options.apart(process, own):
            yield place, child, merged
        else:
            yield from _members(child, place, merged, process, seen)
