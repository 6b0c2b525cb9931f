"""Spans of the calls that a replica carries out, and of the calls of operators in them: in the place of `Load`."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from operator_lib.engine import record
from operator_lib.engine.record import Frame, Recorder
from operator_lib.engine.told import Told
from operator_lib.runner.load import Load
from operator_lib.telemetry import beside
from operator_lib.telemetry.span import SERVER, Span, to_lines
from operator_lib.telemetry.trace_context import Sampling, TraceContext, new_span_id
from operator_lib.wire.proto import serving_pb2 as pb

# Spans that wait for the worker to take them; what comes then is dropped.
ROOM = 20_000
# Seconds between two packs, and spans in one.
PAUSE, PACK = 0.5, 512
# Calls whose spans are held back for those of generators that have not come to their end.
UNFINISHED = 1_000

_VERBS = ("call", "get", "set", "del", "dunder", "map")


class _Tree:
    """One call, and the calls of operators made in it."""

    def __init__(self, number: int, span: Span, sampled: bool) -> None:
        self.number = number
        self.spans = {number: span}
        self.sampled = sampled
        self.open = 1
        self.frame: Frame | None = None
        self.entered: Any = None
        self.thread = 0

    def context(self, number: int) -> TraceContext:
        span = self.spans[number]
        return TraceContext(span.trace_id, span.span_id, self.sampled)


class Spans(Load):
    """Makes a span of each call that is counted. Those of a call leave together, the outermost first."""

    def __init__(self, op: Any, recorder: Recorder, sampling: Sampling, name: str) -> None:
        super().__init__()
        self._sampling = sampling
        self._name = name
        self._recorder = recorder
        recorder.know(op)
        recorder.emit, recorder.in_full, recorder.at_all = self._told, math.inf, math.inf
        recorder.span_of = self._span_of
        self._trees: dict[int, _Tree] = {}  # by call, in this process
        self._inside: dict[int, _Tree] = {}  # by number of a call of an operator
        self._out: queue.Queue[list[Span] | None] = queue.Queue()
        self._waiting = 0
        self._guard = threading.Lock()
        record.listen()  # calls of operators go through the engine

    # --- a call --------------------------------------------------------------------------------------------------

    def come(self, call: pb.Call, now: float) -> None:
        super().come(call, now)
        caller = TraceContext.parse(call.traceparent)
        made = self._sampling.begin(caller)
        number, named = self._recorder.number(), f"{self._name}.{call.name}" if call.name else self._name
        span = Span(made.trace_id, made.span_id, caller.span_id if caller else "", named, time.time())
        span.kind = SERVER
        span.attributes = {"operator_lib.method": call.name, "operator_lib.verb": _VERBS[call.verb]}
        span.call = number
        tree = self._trees[id(call)] = _Tree(number, span, made.sampled)
        with self._guard:
            self._inside[number] = tree

    def begin(self, call: pb.Call) -> None:
        super().begin(call)
        tree = self._trees.get(id(call))
        if tree is None:
            return
        span = tree.spans[tree.number]
        span.moments.append(("begun", time.time()))
        frame = tree.frame = Frame(self._recorder, tree.number, self._recorder.root.place, 0)
        frame.handed = ()
        record.current.set(frame)
        tree.thread, tree.entered = threading.get_ident(), beside.enter(tree.context(tree.number))

    def again(self, call: pb.Call | None) -> None:
        tree = self._trees.get(id(call))
        record.current.set(tree.frame if tree is not None else None)

    def together(self, calls: Sequence[pb.Call]) -> None:
        """They are carried out as one: what is called there is called in the first, the others are linked to it."""
        trees = [tree for call in calls if (tree := self._trees.get(id(call))) is not None]
        if not trees:
            return
        first = trees[0]
        for tree in trees:
            span = tree.spans[tree.number]
            span.attributes["operator_lib.batch.size"] = len(calls)
            if tree is not first:
                span.links.append(str(first.context(first.number)))
        record.current.set(first.frame)

    def raised(self, call: pb.Call | None, error: BaseException) -> None:
        tree = self._trees.get(id(call))
        if tree is not None:
            tree.spans[tree.number].error = f"{type(error).__name__}: {error}"[:2000]

    def end(self, call: pb.Call, failed: bool, share: int = 1) -> None:
        super().end(call, failed, share)
        tree = self._trees.pop(id(call), None)
        if tree is None:
            return
        span = tree.spans[tree.number]
        span.error = (span.error or "failed") if failed else ""
        if record.current.get() is tree.frame:
            record.current.set(None)
        if tree.thread == threading.get_ident():
            beside.leave(tree.entered)
        self._close(tree, span, time.time())

    def drop(self, call: pb.Call) -> None:
        super().drop(call)
        tree = self._trees.pop(id(call), None)
        if tree is not None:
            with self._guard:
                self._inside.pop(tree.number, None)

    # --- calls of operators in it --------------------------------------------------------------------------------

    def _told(self, told: Told) -> None:
        if isinstance(told, dict) or told[0] == "more":
            return
        if told[0] == "start":
            number, parent = told[2], told[3]
            tree = self._inside.get(parent)
            if tree is None:
                return
            above = tree.spans[parent]
            with self._guard:
                tree.spans[number] = self._below(above, told) if tree.sampled else above
                self._inside[number] = tree
                tree.open += 1
            return
        tree = self._inside.get(told[2])
        if tree is not None:
            span = tree.spans[told[2]]
            if told[0] == "error":
                span.error = told[5]
            elif told[0] == "cached":
                span.attributes["operator_lib.cached"] = True
            self._close(tree, span, told[1])

    def _below(self, above: Span, told: tuple[Any, ...]) -> Span:
        """The span of a call of an operator that has just begun."""
        _, begun, number, parent, _, place = told
        span = Span(above.trace_id, new_span_id(), above.span_id, place.path or self._name, begun)
        span.place, span.scope, span.call = place.fields(), parent, number
        return span

    def _span_of(self, number: int) -> TraceContext | None:
        tree = self._inside.get(number)
        return tree.context(number) if tree is not None else None

    def _close(self, tree: _Tree, span: Span, moment: float) -> None:
        span.end = moment
        with self._guard:
            tree.open -= 1
            if tree.open and len(self._inside) < UNFINISHED:
                return
            for number in tree.spans:
                self._inside.pop(number, None)
        if tree.sampled:
            self._put([each for each in tree.spans.values() if each.end])

    def _put(self, spans: list[Span]) -> None:
        if self._waiting + len(spans) > ROOM:
            return
        self._waiting += len(spans)
        self._out.put(spans)

    # --- to the worker -------------------------------------------------------------------------------------------

    def packs(self) -> Iterator[pb.SpanPack]:
        """What has ended, pack by pack, until `close`."""
        while (spans := self._out.get()) is not None:
            time.sleep(PAUSE if self._out.empty() else 0)
            while len(spans) < PACK and not self._out.empty():
                more = self._out.get()
                if more is None:
                    self._out.put(None)
                    break
                spans = spans + more
            self._waiting -= len(spans)
            yield pb.SpanPack(lines=to_lines(spans))

    def close(self) -> None:
        """No more will come."""
        self._out.put(None)
