"""A compiled program on NumPy: generated code, and the loop that runs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from operator_lib.autobatch.errors import Position, StackOverflow
from operator_lib.autobatch.instructions import TensorType
from operator_lib.autobatch.machine.dialect import NumpyDialect
from operator_lib.autobatch.machine.emit import Emitter, Layout
from operator_lib.autobatch.machine.lower import Call, Lowered, Step
from operator_lib.autobatch.machine.state import ROW_AND_SITE, Failures, Frames, Heap, State
from operator_lib.autobatch.typing.ops import Raise, Return
from operator_lib.autobatch.typing.values import Lane, leaves

Array = Any


@dataclass(slots=True)
class Ran:
    """What a run gave."""

    out: list[Array]
    failed: dict[int, tuple[BaseException, Position | None]]
    steps: list[int]
    active: list[int]
    peak_frames: int
    peak_live: int


class Machine:
    """Runs a lowered program on NumPy arrays: ready lists in front of blocks, frames that grow."""

    def __init__(
        self,
        program: Lowered,
        *,
        stackless: bool,
        order: Iterable[str] | None = None,
        drain: bool = True,
        dialect: NumpyDialect | None = None,
    ) -> None:
        self.dialect = dialect or NumpyDialect()
        self.program = program
        self.stackless = stackless
        self.layout = Layout.of(program, order)
        self.names: dict[str, Any] = self.dialect.names()
        self.texts: dict[str, str] = {}
        by_number = sorted(self.layout.blocks.items(), key=lambda item: item[1])
        for name, _ in by_number:
            self.texts[name] = Emitter(
                program, self.layout, program.steps[name], self.names, drain=drain, dialect=self.dialect
            ).text()
        exec(compile("\n".join(self.texts.values()), f"<autobatch {program.main}>", "exec"), self.names)
        self.code = [self.names[f"block{number}"] for _, number in by_number]
        self._boxed_in = [self._heap_of(lane) for lane in self._main_parameters()]
        self._boxed_out = [self._heap_of(lane) for lane in self._results(program.main)]
        self._ends = sum(1 << n for name, n in by_number if self._is_last(program.steps[name]))
        """Blocks after which lanes are done."""
        self._frames = self._frame_columns()
        self._heaps = [kind for _, kind in self.layout.heaps]
        self._holders = self._heap_holders()
        self.lines = [_lines(program.steps[name]) for name in self.layout.blocks]
        """Of every block, the files and lines that it was written in."""

    def run(
        self,
        columns: Sequence[Array],
        count: int,
        *,
        limit: int | None,
        lanes: int | None = None,
        most_first: bool = False,
    ) -> Ran:
        """Run `count` lanes; with `lanes` only so many at the same time, others when some are done."""
        state = self.state(self.program.main, count, limit, self.dialect.device(columns))
        columns = [
            column if heap is None else state.heaps[heap].put(column)
            for heap, column in zip(self._boxed_in, columns, strict=True)
        ]
        with np.errstate(all="ignore"):
            try:
                if not count:
                    pass  # every branch asks where the lanes go: there must be some
                elif lanes is None or lanes >= count:
                    self._start(state, self.program.main, columns, 0, count)
                    self._loop(state, most_first)
                else:
                    self._refill(state, columns, count, lanes, most_first)
            except RecursionError as error:
                if not self.stackless:
                    raise
                raise StackOverflow(sys.getrecursionlimit(), None, None) from error
        peak = sum(frames.size for frames in state.frames)
        live = sum(frames.peak for frames in state.frames)
        for place, heap in enumerate(self._boxed_out):
            if heap is not None:
                state.out[place] = self._unboxed(state, heap, state.out[place])
        return Ran(state.out, state.failures.found, state.steps, state.active, peak, live)

    def state(self, label: str, count: int, limit: int | None, device: Any = None) -> State:
        """A fresh run of one function."""
        queues: list[list[tuple[Array, ...]]] = [[] for _ in self.code]
        made = self.dialect

        def maker(kind: TensorType, boxed: bool) -> Callable[[int], Array]:
            if boxed:
                return lambda size: np.empty(size, np.int64)
            return lambda size: made.empty((size, *kind.shape), kind.dtype, device)

        state = State(
            queues,
            [queue.append for queue in queues],
            [Frames([maker(*column) for column in columns]) for columns in self._frames],
            [Heap(maker(kind, boxed=False)) for kind in self._heaps],
            [self._out(leaf, count, device) for leaf in self._results(label)],
            self.lanes_of,
            limit,
            Failures(),
            device,
        )
        state.steps, state.active = [0] * len(self.code), [0] * len(self.code)
        state.nested = self._nested
        return state

    def _start(self, state: State, label: str, columns: Sequence[Array], first: int, count: int) -> int:
        bits = self.program.bits
        link = (np.arange(first, first + count) << bits) | ((1 << 40) if self.program.recursive else 0)
        entry = self.layout.blocks[self.program.entries[label]]
        state.push[entry]((link, *columns))
        return 1 << entry

    def _loop(self, state: State, most_first: bool = False) -> None:
        queues, code, steps, active = state.queues, self.code, state.steps, state.active
        ready = sum(1 << number for number, queue in enumerate(queues) if queue)
        heaps = bool(state.heaps)
        while ready:
            if most_first:
                number = self._fullest(queues)
                low = 1 << number
            else:
                low = ready & -ready
                number = low.bit_length() - 1
            ready ^= low
            queue = queues[number]
            if len(queue) == 1:
                packet = queue.pop()
            else:
                packet = tuple(map(self.dialect.joined, zip(*queue, strict=True)))
                queue.clear()
            steps[number] += 1
            active[number] += len(packet[0])
            ready |= code[number](state, *packet)
            if heaps:
                self._collect(state)

    def _fullest(self, queues: list[list[tuple[Array, ...]]]) -> int:
        return max(range(len(queues)), key=lambda number: sum(len(packet[0]) for packet in queues[number]))

    def _refill(self, state: State, columns: Sequence[Array], count: int, lanes: int, most_first: bool) -> None:
        """Feed lanes in as others finish. Those that come in and those that go out take their step as soon as they are
        a fifth (fewer are not worth a step): while they wait, nothing is done in their place."""
        queues, code, steps, active = state.queues, self.code, state.steps, state.active
        started = ready = 0
        some = max(lanes // 5, 1)
        alone = most_first and not self.program.returns_to(self.program.main)[0]  # no calls come in there
        while ready or started < count:
            room = min(lanes - (started - state.finished), count - started)
            low = 0
            if room > 0 and (room >= some or not ready or started + room == count):
                fresh = [column[started : started + room] for column in columns]
                entry = self._start(state, self.program.main, fresh, started, room)
                ready |= entry
                started += room
                low = entry if alone else 0
            elif most_first and ready & self._ends:
                low = self._leaving(queues, some)
            if not low:
                low = 1 << self._fullest(queues) if most_first else ready & -ready
            number = low.bit_length() - 1
            ready ^= low
            packet = tuple(map(self.dialect.joined, zip(*queues[number], strict=True)))
            queues[number].clear()
            steps[number] += 1
            active[number] += len(packet[0])
            ready |= code[number](state, *packet)
            if state.heaps:
                self._collect(state)

    def _leaving(self, queues: list[list[tuple[Array, ...]]], some: int) -> int:
        """The bit of a block in front of which so many lanes wait for their last step; 0 when there is none."""
        for number, queue in enumerate(queues):
            if queue and self._ends >> number & 1 and sum(len(packet[0]) for packet in queue) >= some:
                return 1 << number
        return 0

    def _nested(
        self, outer: State, label: str, count: int, columns: tuple[Array, ...], function: int, link: Array, at: Position
    ) -> tuple[tuple[Array, ...], Array | None]:
        """Stackless: run a function for the lanes that call it together; gives results, and who is left."""
        state = self.state(label, count, None, outer.device)
        state.heaps, state.steps, state.active = outer.heaps, outer.steps, outer.active
        lanes = outer.lanes_of(outer, function, link)
        state.lanes_of = lambda _, __, inner: lanes[inner & ROW_AND_SITE]
        state.failures = outer.failures
        self._start(state, label, columns, 0, count)
        self._loop(state)
        if not state.failed_here:
            return tuple(state.out), None
        gone = np.concatenate(state.failed_here) & ROW_AND_SITE
        outer.failed_here.append(link[gone])
        outer.finished += len(gone)
        return tuple(state.out), np.setdiff1d(np.arange(count), gone)

    def lanes_of(self, state: State, function: int, link: Array) -> Array:
        """Follow the frames down to the start: the lanes' places in the batch."""
        if self.stackless:
            return link & ROW_AND_SITE
        found = np.empty(len(link), np.int64)
        bits = self.program.bits
        waiting: list[tuple[Array, Array]] = [(link, np.arange(len(link)))]
        while waiting:
            links, places = waiting.pop()
            rows, sites = (links & ROW_AND_SITE) >> bits, links & ((1 << bits) - 1)
            found[places[sites == 0]] = rows[sites == 0]
            for site in np.unique(sites[sites > 0]).tolist():
                here = sites == site
                waiting.append((state.frames[site - 1].link[rows[here]], places[here]))
        return found

    def _main_parameters(self) -> tuple[Lane, ...]:
        return self.program.functions[self.program.main].parameters

    def _results(self, label: str) -> list[Lane]:
        result = self.program.functions[label].result
        return [] if result is None else list(leaves(result))

    def _heap_of(self, lane: Lane) -> int | None:
        """The number of the heap where the lane's arrays are, if they are in one."""
        if not lane.boxed or lane.alias is None:
            return None
        return self.layout.heaps.setdefault((lane.alias.root(), lane.type), len(self.layout.heaps))

    def _is_last(self, step: Step) -> bool:
        return isinstance(step.exit, Return) and not self.program.returns_to(step.function)[0]

    def _unboxed(self, state: State, heap: int, rows: Array) -> Array:
        array = state.heaps[heap].array
        kind = self._heaps[heap]
        return array[rows] if len(array) else self.dialect.zeros((len(rows), *kind.shape), kind.dtype, state.device)

    def _out(self, leaf: Lane, count: int, device: Any) -> Array:
        if leaf.boxed:
            return np.zeros(count, np.int64)
        return self.dialect.zeros((count, *leaf.type.shape), leaf.type.dtype, device)

    def _frame_columns(self) -> list[list[tuple[TensorType, bool]]]:
        columns: list[list[tuple[TensorType, bool]]] = []
        for site in self.program.sites:
            columns.append([(lane.type, lane.boxed) for lane in site.saved])
        return columns

    def _heap_holders(self) -> dict[int, tuple[list[tuple[int, int]], list[tuple[int, int]]]]:
        """Heap -> (block, place in the packet) and (frames, column) of what refers to its rows."""
        found: dict[int, tuple[list[tuple[int, int]], list[tuple[int, int]]]] = {}
        numbers = {(id(alias), kind): number for (alias, kind), number in self.layout.heaps.items()}
        for heap in range(len(self._heaps)):
            found[heap] = ([], [])

        def heap_number(lane: Lane) -> int | None:
            if not lane.boxed or lane.alias is None:
                return None
            return numbers.get((id(lane.alias.root()), lane.type))

        for name, block in self.layout.blocks.items():
            for place, lane in enumerate(self.program.steps[name].params):
                heap = heap_number(lane)
                if heap is not None:
                    found[heap][0].append((block, place + 1))
        for site in self.program.sites:
            for column, lane in enumerate(site.saved):
                heap = heap_number(lane)
                if heap is not None:
                    found[heap][1].append((site.number - 1, column))
        return found

    def _collect(self, state: State) -> None:
        """Between blocks every reference is in a queue or a frame: forget arrays that nothing refers to."""
        if self.stackless or self.dialect.name != "numpy":
            return  # callers hold references that cannot be seen from here
        for number, heap in enumerate(state.heaps):
            heap.collect_if_large(lambda n=number: self._references(state, n))

    def _references(self, state: State, number: int) -> list[Any]:
        packets, columns = self._holders[number]
        found: list[Any] = []
        for block, place in packets:
            for at, packet in enumerate(state.queues[block]):
                copied = packet[place].copy()
                state.queues[block][at] = (*packet[:place], copied, *packet[place + 1 :])
                found.append(copied)
        for frames, column in columns:
            table = state.frames[frames]
            found.append((table.columns[column], table.rows_in_use()))
        return found


def _lines(step: Step) -> tuple[tuple[str, int], ...]:
    positions = [op.position for op in step.ops]
    if isinstance(step.exit, Raise):
        positions.append(step.exit.position)
    elif isinstance(step.exit, Call):
        positions.append(step.exit.site.position)
    return tuple(sorted({(at.file, at.line) for at in positions or [step.position]}))
