"""Graphs that were built before, given again while source, classes and tree are what they were."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from operator_lib import tree
from operator_lib.trace.assemble import from_object
from operator_lib.trace.dag import DAG
from operator_lib.trace.source import Stamp, stamp

_SIZE = 64
_MISSING = object()
_SIMPLE = (str, int, float, bool, bytes, type(None))


class _Entry:
    """A graph and what it was made from: attributes of classes, globals, files, the types of the tree."""

    def __init__(self, dag: DAG, witnesses: list[tuple[Any, str, Any]], files: dict[str, Stamp], types: Any) -> None:
        self.dag = dag
        self.files = files
        self.types = types  # kept alive, so that their ids in the key stay theirs
        self.witnesses = list({(id(w[0]), w[1]): w for w in witnesses}.values())

    def holds(self) -> bool:
        for namespace, name, value in self.witnesses:
            table = namespace.__dict__ if isinstance(namespace, type) else namespace
            if table.get(name, _MISSING) is not value:
                return False
        return all(stamp(name) == mark for name, mark in self.files.items())


_entries: OrderedDict[Any, _Entry] = OrderedDict()
_lock = threading.Lock()


def build(target: Any) -> DAG:
    """`operator_lib.trace.build`."""
    kept: list[Any] = []
    key = _shape(target, kept)
    with _lock:
        found = _entries.get(key)
    if found is not None and found.holds():
        return found.dag
    dag, world = from_object(target)
    with _lock:
        _entries[key] = _Entry(dag, world.witnesses, world.files, kept)
        _entries.move_to_end(key)
        while len(_entries) > _SIZE:
            _entries.popitem(last=False)
    return dag


def _shape(target: Any, kept: list[Any]) -> Any:
    """A key for the tree: the classes of its operators, and everything else that they hold by value or identity."""
    if not tree.is_operator(target):
        kept.append(target)
        return ("object", id(target))
    numbers: dict[int, int] = {}
    return _part(target, kept, numbers)


def _part(value: Any, kept: list[Any], numbers: dict[int, int]) -> Any:
    kind = type(value)
    if kind in _SIMPLE:
        return (kind, value) if not isinstance(value, str | bytes) or len(value) < 100 else (kind, hash(value))
    if kind in (list, tuple, dict):
        if len(value) > 1000:  # not looked through: known by which one it is
            kept.append(value)
            return (kind, id(value), len(value))
        if id(value) in numbers:
            return ("again", numbers[id(value)])
        numbers[id(value)] = len(numbers)
        items = value.items() if kind is dict else enumerate(value)
        return (kind, tuple((str(k), _part(v, kept, numbers)) for k, v in list(items)))
    if tree.is_operator(value):
        if id(value) in numbers:
            return ("again", numbers[id(value)])
        numbers[id(value)] = len(numbers)
        kept.append(kind)
        inside = tuple((n, _part(v, kept, numbers)) for n, v in _state(value))
        return (id(kind), inside)
    if issubclass(kind, type) or callable(value):
        kept.append(value)
        return ("is", id(value))
    if id(value) in numbers:
        return ("again", numbers[id(value)])
    numbers[id(value)] = len(numbers)
    kept.append(kind)
    inside = tuple((n, _part(v, kept, numbers)) for n, v in list(tree.state(value).items())[:50])
    return (id(kind), inside) if len(numbers) < 5000 else (id(kind),)


def _state(value: Any) -> Any:
    if tree.is_module(value):
        return list(value.__dict__["_modules"].items()) + [
            (k, v) for k, v in value.__dict__.items() if not k.startswith("_")
        ]
    return tree.attributes(value)


def clear() -> None:
    """Forget every graph."""
    with _lock:
        _entries.clear()
