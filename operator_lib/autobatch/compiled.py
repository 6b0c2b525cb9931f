"""A program compiled for one set of argument types, with every way to run it."""

from __future__ import annotations

import builtins
import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from operator_lib.autobatch.machine.dialect import SMALL, NumpyDialect
from operator_lib.autobatch.machine.lower import Lowered, lower
from operator_lib.autobatch.machine.optimise import Optimiser
from operator_lib.autobatch.machine.program import Machine, Ran
from operator_lib.autobatch.stats import BlockStats, Listing
from operator_lib.autobatch.typing.engine import Engine
from operator_lib.autobatch.typing.ops import Typed
from operator_lib.autobatch.typing.values import Lane, Value, constant_key, contents

MISSING: Any = object()


@dataclass(slots=True)
class Compiled:
    """Types are known; machines are made when they are asked for."""

    main: Typed
    functions: list[Typed]
    engine: Engine
    arguments: Mapping[str, Value]
    """What is known of the arguments, by name; the lanes in them are the parameters, in order."""
    order: tuple[str, ...] | None = None
    """Blocks in the order found by tuning."""
    chooser: Any = None
    native: Any = None
    """Lane by lane with Numba; None until it is asked for, False when it cannot be."""
    native_agrees: bool = False
    """Whether machine code has given what the machine gives."""
    loop: Any = None
    others: dict[Any, Any] = field(default_factory=dict[Any, Any])
    """What backends keep: machines, compiled functions."""
    _tables: list[tuple[Any, Any]] = field(default_factory=list["tuple[Any, Any]"])
    """What may change of itself, and what was in it."""
    watched: list[tuple[Callable[..., Any], str, Any]] = field(default_factory=list["tuple[Any, str, Any]"])
    """What looks a name up, the name, and what it was: `MISSING` where a global would hide a builtin."""
    _slowly: list[tuple[Callable[[], Any], Any]] = field(default_factory=list["tuple[Callable[[], Any], Any]"])
    _machines: dict[Any, Machine] = field(default_factory=dict[Any, Machine])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._tables += self.engine.looked_into.values()
        for (function, name), (code, value) in self.engine.names_read.items():
            home: Any = function.__globals__ if name not in function.__code__.co_freevars else None
            if home is not None and name not in home:
                self.watched.append((home.get, name, MISSING))
                home = vars(builtins)
            if home is not None and home.get(name, MISSING) is value:
                self.watched.append((home.get, name, value))
            else:
                self._slowly.append((lambda c=code, n=name: c.outside(n), value))
        for (_, name), (owner, value) in self.engine.attributes_read.items():
            self._slowly.append((lambda o=owner, n=name: getattr(o, n), value))

    @property
    def slowly(self) -> bool:
        """Whether `holds` looks at more than what is watched."""
        return bool(self._tables or self._slowly)

    def holds(self) -> bool:
        """Whether the globals and attributes that went into the program are still the same."""
        for value, kept in self._tables:
            if contents(value) != kept:
                return False
        for get, name, value in self.watched:
            found = get(name, MISSING)
            if found is not value and (found is MISSING or value is MISSING or not _same(found, value)):
                return False
        if self._slowly:
            try:
                return all(_same(read(), value) for read, value in self._slowly)
            except (KeyError, AttributeError):
                return False
        return True

    def keep(self, tables: Sequence[Any]) -> None:
        """The numbers of these arrays have become part of what was made."""
        self._tables += [(array, contents(array)) for array in tables]

    def lowered(self, *, stackless: bool, select: bool = True) -> Lowered:
        """One list of blocks; optimised."""
        program = lower(self.main, copied(self.functions), split=not stackless)
        return Optimiser(program, select=select).run()

    def machine(self, *, stackless: bool, drain: bool = True, dialect: NumpyDialect | None = None) -> Machine:
        """The machine of a mode."""
        dialect = dialect or NumpyDialect()
        drain = drain and self.order is None
        key = (stackless, self.order, drain, dialect.name, dialect.small)
        with self._lock:
            if key not in self._machines:
                order = None if stackless else self.order
                lowered = self.lowered(stackless=stackless, select=dialect.selects)
                self._machines[key] = Machine(lowered, stackless=stackless, order=order, drain=drain, dialect=dialect)
            return self._machines[key]

    @property
    def parameters(self) -> tuple[Lane, ...]:
        """The machine's parameters, one a column."""
        return self.main.parameters


def _same(now: Any, value: Any) -> bool:
    if now is value or constant_key(now) == constant_key(value):
        return True
    return getattr(now, "__func__", None) is not None and now == value


def copied(functions: Sequence[Typed]) -> list[Typed]:
    """Blocks that can be rewritten, with the operations of the originals."""
    found: list[Typed] = []
    for typed in functions:
        made = copy.copy(typed)
        made.blocks = {name: copy.copy(block) for name, block in typed.blocks.items()}
        found.append(made)
    return found


def run_machine(
    compiled: Compiled,
    columns: Sequence[Any],
    count: int,
    *,
    stackless: bool,
    limit: int | None,
    lanes: int | None,
    most_first: bool,
) -> tuple[Ran, tuple[BlockStats, ...]]:
    """Run on NumPy; gives results and what every block did."""
    small = NumpyDialect(small=count <= SMALL)
    machine = compiled.machine(stackless=stackless, drain=lanes is None and not most_first, dialect=small)
    owned: list[Any] = []
    for param, column in zip(compiled.parameters, columns, strict=True):
        written = param.alias is not None and param.alias.stored is not None
        owned.append(np.array(column) if written else column)
    ran = machine.run(owned, count, limit=None if stackless else limit, lanes=lanes, most_first=most_first)
    width = count if lanes is None else min(lanes, count)
    return ran, block_stats(machine, ran, width)


def block_stats(machine: Machine, ran: Ran, width: int) -> tuple[BlockStats, ...]:
    """What every block did, when so many lanes could run at the same time."""
    return tuple(
        BlockStats(name, lines[0][1], ran.steps[number], ran.active[number], ran.steps[number] * width, lines)
        for (name, number), lines in zip(machine.layout.blocks.items(), machine.lines, strict=True)
    )


def listings(compiled: Compiled) -> tuple[Listing, ...]:
    """The source of the program's functions, once each."""
    if "listings" not in compiled.others:
        found: dict[Any, Listing] = {}
        for typed in compiled.functions:
            source = typed.code.source
            found.setdefault(typed.code.function, Listing(typed.name, source.file, source.first_line, source.lines))
        compiled.others["listings"] = tuple(found.values())
    return compiled.others["listings"]
