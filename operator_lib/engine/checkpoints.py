"""Calls of a run that have finished are stored, and not made again when the run is started again.

A call is known by the attempt of the call that it is part of, the path of its operator, the code that it can reach, its
options, its arguments, and which of the equal ones it is, in the order in which they begin. Equal calls can stand in
for each other.
"""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from operator_lib import core, tree
from operator_lib.engine import attributes, inside, record, requests, stored
from operator_lib.engine.attributes import Attributes
from operator_lib.engine.checkpoint_log import FAILED, OVERDUE, RESUMED, TAKEN_OVER, VALUE, Log, Record, checksum
from operator_lib.engine.content import Opaque, digest, digest_simple, simple
from operator_lib.engine.inside import Inside, current
from operator_lib.engine.lasting import LASTING
from operator_lib.engine.remembered import MISSING, Remembered, Where
from operator_lib.options import Options

# Flag of a value: it was that of a coroutine.
LATER = 1


class Book:
    """What the process of a run knows about its calls."""

    def __init__(self, path: Path, root: Any) -> None:
        self.log = Log(path)
        os.register_at_fork(after_in_child=self._forked)
        self.root = root
        self.operators = dict(tree.named_operators(root))
        self.names = {id(op): name for name, op in self.operators.items()}
        self.ground = Inside()
        self.restored: dict[attributes.Where, int] = {}
        parents = [op for op in self.operators.values() if op is root or tree.is_graph(op)]
        self._direct = {id(child) for parent in parents for _, child in tree.named_children(parent)}
        self._values: dict[Where, tuple[Record, bool]] = {}
        self._tries: dict[Where, dict[int, Record]] = {}
        self._fixed: dict[tuple[Any, str, int], tuple[bytes, Any]] = {}
        self._reading = threading.Lock()  # one reader of the program's source at a time
        self._below: dict[int, list[tuple[str, Any]]] = {}
        self._said: set[tuple[str, str]] = set()
        for found in self.log.found:
            self._take_in(found)
        self.log.found.clear()

    def _forked(self) -> None:
        self.log.forked()
        self._reading = threading.Lock()

    def _take_in(self, found: Record) -> None:
        where = found.key, found.ordinal
        if found.kind == VALUE:
            self._values[where] = found, False
        elif found.kind in (FAILED, OVERDUE):
            self._tries.setdefault(where, {})[found.number] = found
        elif found.kind == RESUMED:
            self._tries.clear()
        elif found.kind == TAKEN_OVER:
            self._values = {place: (value, True) for place, (value, _) in self._values.items()}

    def watches(self, op: Any) -> bool:
        """Whether it may be stored what calls of `op` return, without its being said."""
        return id(op) in self._direct or id(op) not in self.names

    def call(self, op: Any, chosen: Options, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Remembered | None:
        """The call that begins now; None when there is nothing to be remembered about it."""
        frame = record.here()
        path = frame.path if frame is not None else ""
        stores = self._stores(op, chosen, path)
        limited = chosen.timeout is not None or (chosen.retries is not None and chosen.retries.max_retries > 0)
        if not stores and not limited:
            return None
        around = current.get() or self.ground
        inputs: bytes | None = None
        if stores:
            try:
                inputs = self.inputs(args, kwargs)
            except Opaque as problem:
                self.say(path, f"its arguments cannot be compared with those of another call ({problem})")
                if not limited:
                    return None
        return Remembered(self, op, path, chosen, around, inputs, (args, kwargs))

    def inputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        """What the arguments of a call contain. Raises Opaque."""
        return digest_simple((args, kwargs)) if simple(args, kwargs) else digest((args, kwargs), self.names)

    def _stores(self, op: Any, chosen: Options, path: str) -> bool:
        if op is self.root or _generates(op) or tree.is_graph(op):  # of a graph, its functions are stored
            return False
        if chosen.checkpoint is not None:
            return chosen.checkpoint
        # A child of the root; or an operator of no tree, which is called by the code of the root.
        return id(op) in self._direct or (id(op) not in self.names and path == tree.name_of(op))

    def fixed(self, op: Any, path: str, chosen: Options) -> bytes:
        """What is the same for all calls of an operator: its path, its code, its options."""
        body = op if id(op) in self.names else _function(op)
        key = id(body), path, id(chosen)
        found = self._fixed.get(key)
        if found is None:
            with self._reading:
                found = self._fixed.get(key) or (self._fix(op, path, chosen), (body, chosen))
                self._fixed[key] = found  # which keeps the ids
        return found[0]

    def _fix(self, op: Any, path: str, chosen: Options) -> bytes:
        code = core.reach("trace.closure", "digest")(op, strict=False)
        return checksum("\0".join((path, code, repr(sorted(chosen.to_json().items())))).encode())

    def attributes(self, op: Any, path: str) -> Attributes:
        """Those of `op` and of everything below it, as they are now."""
        if id(op) not in self.names:
            return Attributes([(path, op)], self.names)
        below = self._below.get(id(op))
        if below is None:
            found = tree.named_operators(op)
            below = self._below[id(op)] = [(self.names.get(id(node), name), node) for name, node in found]
        return Attributes(below, self.names)

    def take(self, kept: Remembered) -> Any:
        """What the call returned when it was made before, its effects on operators made again; else `MISSING`."""
        value, taken_over = self._values.get((kept.key, kept.ordinal), (None, False))
        if value is None or (taken_over and value.before != kept.before()):
            return MISSING
        data = self.log.body(value)
        if data is None:
            return MISSING
        try:
            result, changes = stored.loads(data, self.operators)
        except Exception as problem:  # code of the user's may raise anything here
            self.say(kept.path, f"what was stored of it cannot be read ({type(problem).__name__}: {problem})")
            return MISSING
        if changes is not None:
            later = {where: at for where, at in self.restored.items() if at > value.offset}
            attributes.restore(changes, self.operators, later)
            self.restored.update((where, value.offset) for where, _, _ in changes.put if where not in later)
        return _ready(result) if value.number & LATER else result

    def put(self, kept: Remembered, value: Any, state: Attributes) -> None:
        """Store what a call has returned and changed; say so where that is not possible."""
        if type(value) in LASTING:
            return
        try:
            if not simple(*kept.arguments) and self.inputs(*kept.arguments) != kept.inputs:
                self.say(kept.path, "it has changed its arguments")
                return
            changes = state.changes()
            data = stored.dumps((value, changes), self.names)
            about = Record(
                *(VALUE, kept.key, kept.ordinal, LATER if kept.later else 0, kept.begun),
                *((None if kept.touched or inside.blurred else state.digest()) or bytes(16), kept.path),
            )
            self._values[kept.key, kept.ordinal] = self.log.add(about, (data,)), False
        except (Opaque, stored.Unstorable) as problem:
            self.say(kept.path, str(problem))
        except OSError as problem:
            self.say(kept.path, f"there is no room for it ({problem.strerror})")

    @property
    def any_tries(self) -> bool:
        """Whether any attempt of any call has failed."""
        return bool(self._tries)

    def tries(self, where: Where) -> dict[int, Record]:
        """Attempts of a call that have failed, by number."""
        return self._tries.get(where, {})

    def note(self, where: Where, kind: int, number: int) -> None:
        """Add to what is known about attempts; without room it is forgotten when the process ends."""
        about = Record(kind, *where, number)
        if kind == FAILED:
            self._tries.setdefault(where, {})[number] = about
        try:
            self.log.add(about)
        except OSError:
            return

    def say(self, path: str, why: str) -> None:
        """Tell those who read the log that a call will be made again, once for each operator and reason."""
        if (path, why) not in self._said:
            self._said.add((path, why))
            text = f"[{path}: not stored, so it is called again when the run is resumed: {why}]"
            requests.tell({"kind": "log", "stream": "stderr", "text": text})


# What the process of a run remembers; None in all others.
book: Book | None = None


def _function(op: Any) -> Any:
    """What tells the code of one operator that hangs in no tree from that of another."""
    found = tree.state(op).get("__wrapped__")
    return found if found is not None else type(op)


_generating: dict[Any, bool] = {}


def _generates(op: Any) -> bool:
    """Whether a call of it gives items one after another: those are not stored."""
    body = tree.state(op).get("__wrapped__") or getattr(type(op), "forward", None)
    try:
        found = _generating.get(body)
    except TypeError:  # something callable that cannot be a key
        return False
    if found is None:
        target: Callable[..., Any] | Any = inspect.unwrap(body) if callable(body) else body
        found = _generating[body] = inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target)
    return found


async def _result(value: Any) -> Any:
    return value


def _ready(value: Any) -> Coroutine[Any, Any, Any]:
    """A coroutine that has its value."""
    return _result(value)
