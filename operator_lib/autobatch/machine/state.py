"""What a run of the machine holds: waiting lanes, frames, heaps, failures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from operator_lib.autobatch.errors import Position, StackOverflow
from operator_lib.autobatch.machine.dialect import longer

# A link is where a lane returns to: its depth, the row of the frame, the number of the call site among the callee's.
DEPTH_SHIFT = 40
ONE_DEEPER = 1 << DEPTH_SHIFT
ROW_AND_SITE = ONE_DEEPER - 1
GROWTH = 1.5
FIRST_ROWS = 16
FIRST_LOOK = 4096
_NOBODY = np.empty(0, np.int64)

Array = Any


class Frames:
    """Rows of what callers need when the call returns; one table a call site. Grows with the lanes that wait."""

    __slots__ = ("_free", "_make", "columns", "in_use", "link", "peak", "size")

    def __init__(self, make: Sequence[Callable[[int], Array]]) -> None:
        self.size = 0
        self.in_use = 0
        self.peak = 0
        self.link = np.empty(0, np.int64)
        self._make = make
        self.columns: list[Array] = [column(0) for column in make]
        self._free = np.empty(0, np.int64)

    def take(self, count: int) -> Array:
        """Rows that nobody uses."""
        used = self.in_use + count
        if used > self.size:
            self._grow(used)
        rows = self._free[self.in_use : used].copy()
        self.in_use = used
        if used > self.peak:
            self.peak = used
        return rows

    def give_back(self, rows: Array) -> None:
        """The rows are free again."""
        start = self.in_use - len(rows)
        self._free[start : self.in_use] = rows
        self.in_use = start

    def rows_in_use(self) -> Array:
        """Rows that wait for a return."""
        free = np.ones(self.size, bool)
        free[self._free[self.in_use :]] = False
        return free.nonzero()[0]

    def _grow(self, needed: int) -> None:
        size = max(needed, int(self.size * GROWTH), FIRST_ROWS)
        fresh = np.arange(self.size, size)
        self._free = np.concatenate([self._free, fresh])
        self.link = longer(self.link, np.empty(size, np.int64))
        self.columns = [longer(old, made(size)) for old, made in zip(self.columns, self._make, strict=True)]
        self.size = size


class Heap:
    """Arrays that two names may hold while they are written to; a variable holds a row's number."""

    __slots__ = ("_look_at", "_make", "_used", "array")

    def __init__(self, make: Callable[[int], Array]) -> None:
        self._make = make
        self.array = make(0)
        self._used = 0
        self._look_at = FIRST_LOOK

    def put(self, values: Array) -> Array:
        """A new row for each; gives their numbers."""
        start, end = self._used, self._used + len(values)
        if end > len(self.array):
            size = max(end, int(len(self.array) * GROWTH), FIRST_ROWS)
            self.array = longer(self.array, self._make(size))
        self.array[start:end] = values
        self._used = end
        return np.arange(start, end)

    def collect_if_large(self, references: Callable[[], list[Any]]) -> None:
        """Forget rows that nothing refers to, when so many have been made that it is worth looking.

        `references` gives arrays of row numbers, or pairs of such an array and the places in it that count; they are
        rewritten to the new numbers.
        """
        if self._used < self._look_at:
            return
        holders = [h if isinstance(h, tuple) else (h, slice(None)) for h in references()]
        live = np.unique(np.concatenate([array[places] for array, places in holders])) if holders else _NOBODY
        self.array[: len(live)] = self.array[live]
        self._used = len(live)
        self._look_at = max(2 * len(live), FIRST_LOOK)
        for array, places in holders:
            array[places] = np.searchsorted(live, array[places])


@dataclass(slots=True)
class Failures:
    """Lanes that raised: by place in the batch."""

    found: dict[int, tuple[BaseException, Position | None]] = field(
        default_factory=dict[int, "tuple[BaseException, Position | None]"]
    )

    def add(self, lane: int, error: BaseException, position: Position | None) -> None:
        self.found.setdefault(lane, (error, position))


@dataclass(slots=True)
class State:
    """One run: what the generated code works on. Nothing of it is shared between calls."""

    queues: list[list[tuple[Array, ...]]]
    push: list[Callable[[tuple[Array, ...]], None]]
    frames: list[Frames]
    heaps: list[Heap]
    out: list[Array]
    lanes_of: Callable[[State, int, Array], Array]
    """Places in the batch of lanes with these links in this function."""
    limit: int | None
    failures: Failures
    device: Any = None
    finished: int = 0
    nested: Callable[..., Any] | None = None
    """Runs a function for some lanes and comes back (stackless)."""
    failed_here: list[Array] = field(default_factory=list[Array])
    """Links of lanes that failed in this run, for the run around it."""
    steps: list[int] = field(default_factory=list[int])
    active: list[int] = field(default_factory=list[int])
    too_deep: int = 0
    """Links from here on are deeper than the limit."""

    def __post_init__(self) -> None:
        self.too_deep = 1 << 62 if self.limit is None else (self.limit + 1) << DEPTH_SHIFT

    def finish(self, rows: Array, values: tuple[Array, ...]) -> None:
        """Results of lanes at these places."""
        for out, value in zip(self.out, values, strict=True):
            out[rows] = value
        self.finished += len(rows)

    def fail(self, function: int, link: Array, bad: Array, make: Callable[[int], BaseException], at: Position) -> Array:
        """The lanes where `bad` holds raise what `make` gives for their place among the waiting; gives the others."""
        places = bad.nonzero()[0]
        for place, lane in zip(places.tolist(), self.lanes_of(self, function, link[places]).tolist(), strict=True):
            self.failures.add(lane, make(place), at)
        self.failed_here.append(link[places])
        self.finished += len(places)
        return (~bad).nonzero()[0]

    def overflow(self, function: int, link: Array, at: Position) -> StackOverflow:
        """The error for the lane that calls most deeply."""
        place = int(np.argmax(link))
        lane = int(self.lanes_of(self, function, link[place : place + 1])[0])
        assert self.limit is not None
        return StackOverflow(self.limit, lane, at)
