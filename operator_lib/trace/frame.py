"""Where the reading stands: the variables (`Env`) and the function being read (`Frame`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from operator_lib.trace.graph import Draft
from operator_lib.trace.values import Deps, Function, Instance, SourceFile, Thing, Value, Written, either

Heap = dict[tuple[int, str], Value]


class Env:
    """What the names mean at one point of the program. `alive` is False behind a return, raise, break, continue."""

    __slots__ = ("alive", "heap", "names")

    def __init__(self, names: dict[str, Value] | None = None, heap: Heap | None = None, alive: bool = True) -> None:
        self.names = names if names is not None else {}
        # Attributes written on objects: (identity, attribute).
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
    return Env(_merged([e.names for e in live]), _merged(_level([e.heap for e in live])))


def _level(heaps: list[Heap]) -> list[Heap]:
    """Where only some ways set an attribute, it is on the others what it was before."""
    if all(len(heap) == len(heaps[0]) for heap in heaps):
        return heaps
    before = {key: v.before for heap in heaps for key, v in heap.items() if isinstance(v, Written)}
    return [heap | {k: v for k, v in before.items() if k not in heap} for heap in heaps]


def _merged(tables: list[dict[Any, Value]]) -> dict[Any, Value]:
    result = dict(tables[0])
    for table in tables[1:]:
        for name, value in table.items():
            old = result.get(name)
            if old is None:
                result[name] = value
            elif old is not value:
                result[name] = Value(old.deps | value.deps, either((old.what, value.what)))
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
        self.tries: list[dict[str, Deps]] = []
        self.returns: list[Value] = []
        # What a generator hands out; `counted`: each of them exactly once.
        self.yields: list[Value] = []
        self.counted = True
        self.reads: list[str] = []
        self.writes: list[str] = []
        self.assumed: list[str] = []
        self.uses: dict[str, str] = {}
        self.used: dict[str, str] = {}
        self.wrote_heap = False
        self.locals: set[str] = set()
        # Variables changed in place, so that the caller's argument is known to have changed.
        self.changed: set[str] = set()
        self.nonlocals: set[str] = set()
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

    def placeholder(self) -> Draft:
        made = Draft(-1, "code", "", self, self.region, None)
        made.gone = True
        return made

    def begin(self) -> None:
        """A statement starts."""
        self.reads, self.writes, self.assumed, self.uses, self._effect = [], [], [], {}, None

    def finish(self, source: Draft) -> None:
        """The statement that just ended is `source`."""
        if self._effect is not None:
            self._effect.through = frozenset({(source, "")})
            self._effect = None
