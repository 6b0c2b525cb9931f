"""Where the reading stands: the variables (`Env`) and the function being read (`Frame`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from operator_lib.trace.graph import Draft, Event
from operator_lib.trace.values import (
    KEPT,
    Function,
    Instance,
    Maybe,
    Place,
    SourceFile,
    Thing,
    Value,
    either,
)  # fmt: skip

Heap = dict[Place, Value]


class Env:
    """What the names mean at one point of the program. `alive` is False behind a return, raise, break, continue."""

    __slots__ = ("alive", "heap", "names")

    def __init__(self, names: dict[str, Value] | None = None, heap: Heap | None = None, alive: bool = True) -> None:
        self.names = names if names is not None else {}
        # State that was written: attributes of objects, contents of containers, globals.
        self.heap: Heap = heap if heap is not None else {}
        self.alive = alive

    def copy(self) -> Env:
        return Env(dict(self.names), dict(self.heap), self.alive)


def merge(envs: Iterable[Env]) -> Env:
    """Where several ways meet: a name may mean what it means on any of them."""
    ways = [e for e in envs if e is not None]
    live = [e for e in ways if e.alive]
    if not live:
        made = ways[0].copy()
        made.alive = False
        return made
    if len(live) == 1:
        return live[0]
    return Env(_merged([e.names for e in live]), _merged_heaps([e.heap for e in live]))


def joined(old: Value, new: Value) -> Value:
    """A value that is one of two."""
    cells = new.cells if old.cells is None else old.cells if new.cells is None else old.cells | new.cells
    return Value(old.deps | new.deps, either((old.what, new.what)), cells, old.part or new.part)


def _merged(tables: list[dict[str, Value]]) -> dict[str, Value]:
    result = dict(tables[0])
    for table in tables[1:]:
        for name, value in table.items():
            old = result.get(name)
            if old is None:
                result[name] = value
            elif old is not value:
                result[name] = joined(old, value)
    return result


def _merged_heaps(tables: list[Heap]) -> Heap:
    first = tables[0]
    if all(table is first for table in tables):
        return first
    result: Heap = {}
    for place in dict.fromkeys(p for table in tables for p in table):
        values = [table.get(place) for table in tables]
        one = values[0]
        if any(v is not one for v in values):
            one = _either_state(place, values)
        assert one is not None
        result[place] = one
    return result


def is_cell(place: Place) -> bool:
    """Whether a place is the inside of an object, not an attribute or a name."""
    return place[1][-2:] in ("", "[]", "*")


def _either_state(place: Place, values: list[Value | None]) -> Value:
    known = [v for v in values if v is not None]
    result = known[0]
    if is_cell(place):
        for value in known[1:]:
            if result.what is KEPT or value.what is KEPT:
                what = value.what if result.what is KEPT else result.what
                result = Value(result.deps | value.deps, what)
            else:
                result = joined(result, value)
        return result
    plain = [Value(v.deps, v.what.what, v.cells, v.part) if isinstance(v.what, Maybe) else v for v in known]
    result = plain[0]
    for value in plain[1:]:
        result = joined(result, value)
    if len(known) < len(values) or any(isinstance(v.what, Maybe) for v in known):
        return Value(result.deps, Maybe(result.what), result.cells, result.part)
    return result


class Loop:
    """A loop being read: where `break` and `continue` lead."""

    __slots__ = ("breaks", "continues")

    def __init__(self) -> None:
        self.breaks: list[Env] = []
        self.continues: list[Env] = []


class Frame:
    """One function being read, at one place where it is called."""

    def __init__(
        self,
        function: Function | None,
        file: SourceFile,
        shown: str,
        env: Env,
        *,
        call: Draft | None = None,
        outer: Frame | None = None,
        lookup: Callable[[str], Thing | None] | None = None,
    ) -> None:
        self.function = function
        self.file = file
        self.shown = shown
        self.env = env
        self.call = call
        self.outer = outer
        self.lookup = lookup or (function.lookup if function is not None else lambda name: None)
        self.depth: int = outer.depth + 1 if outer is not None else 0
        self.region: Draft | None = call
        self.maybe = ""
        self.after = ""
        self.loops: list[Loop] = []
        # What names were bound to inside the `try` bodies around.
        self.tries: list[dict[str, list[Value]]] = []
        self.returns: list[Value] = []
        # What a generator hands out; `counted`: each of them exactly once.
        self.yields: list[Value] = []
        self.counted = True
        self.reads: list[str] = []
        self.writes: list[str] = []
        self.assumed: list[str] = []
        self.uses: dict[str, str] = {}
        self.used: dict[str, str] = {}
        self.locals: set[str] = set()
        # Names that belong to a function around, or to the module.
        self.nonlocals: set[str] = set()
        self.globals: set[str] = set()
        # Variables of this function that a function inside it rebinds.
        self.shared: set[str] = set()
        # State that the current statement has looked at or changed.
        self.touched: list[tuple[Place, int]] = []
        # Which way led here: the same for every reading of the same call.
        self.spot: int = hash((outer.spot if outer else 0, id(function and function.node), call and call.position))
        self.exits: list[Env] = []
        self._effect: Draft | None = None
        self.me: Instance | None = None
        # What the condition of the current compound statement denotes.
        self.tested: Thing | None = None
        # The module or class whose body is read, where it is not a function.
        self.scope: Any = None

    @property
    def why(self) -> str:
        """Why what comes next may not run, or ""."""
        return self.maybe or self.after or ("" if self.env.alive else "unreachable")

    def active(self, function: Function) -> Frame | None:
        """The frame in which the same function of the same object is being read already.

        Closures of one piece of code are different functions, unless there are ever more of them.
        """
        identity = function.bound.identity if isinstance(function.bound, Instance) else 0
        frame: Frame | None = self
        others = 0
        while frame is not None:
            found = frame.function
            if found is not None and found.node is function.node:
                mine = found.bound.identity if isinstance(found.bound, Instance) else 0
                others += 1
                if mine == identity and ((found.live is function.live and found.home is function.home) or others > 4):
                    return frame
            frame = frame.outer
        return None

    def effect(self) -> Draft:
        """Stands for the current statement until it is known which node that becomes."""
        if self._effect is None:
            self._effect = self.placeholder()
        return self._effect

    def touch(self, places: Iterable[Place]) -> None:
        """The current statement looks at some state."""
        self.touched.extend([(p, 0) for p in places])

    def pass_on(self, outer: Frame) -> None:
        """What is still open when the function ends is part of the caller's statement."""
        if self._effect is not None:
            self._effect.through = frozenset({(outer.effect(), "")})
            self._effect = None

    def placeholder(self) -> Draft:
        made = Draft(-1, "code", "", self, self.region, None)
        made.gone = True
        return made

    def begin(self) -> None:
        """A statement starts."""
        self.reads, self.writes, self.assumed, self.uses, self._effect = [], [], [], {}, None
        self.touched = []

    def finish(self, source: Draft, events: list[Event]) -> None:
        """The statement that just ended, or the part of it that was just read, is `source`."""
        if self._effect is not None:
            self._effect.through = frozenset({(source, "")})
            self._effect = None
        if self.touched:
            events.extend((source, place, how) for place, how in self.touched)
            self.touched = []
