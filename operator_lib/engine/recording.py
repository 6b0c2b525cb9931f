"""`record`: what the operators of a block of code did, and their graph lit up by it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from operator_lib import core
from operator_lib.decisions import Decision, read
from operator_lib.engine.events import Event
from operator_lib.engine.record import Recorder, current, listening
from operator_lib.engine.told import Told, to_event

if TYPE_CHECKING:
    from operator_lib.trace.dag import DAG


class Recording:
    """What `record` saw: ``events``, and the program's DAG lit up by them."""

    def __init__(self, decisions: bool = True) -> None:
        self._told: list[Told] = []
        self._events: list[Event] = []
        self._recorder = Recorder(self._told.append, decisions=decisions)
        self._lit: Any = None

    @property
    def events(self) -> list[Event]:
        """All that has happened so far, as `operator_lib.engine.events` describes it."""
        self._recorder.flush()
        for told in self._told[len(self._events) :]:
            self._events.append({**to_event(told), "seq": len(self._events) + 1})
        return self._events

    @property
    def decisions(self) -> list[Decision]:
        """How conditions, loops and handlers went, in order. Printable. Of what is decided very often, the first ones
        and some later ones."""
        return read(self.events)

    def dag(self) -> DAG:
        """The static graph of the first operator that was called, with status, count and duration on every node.

        Raises:
            ValueError: no operator has been called.
        """
        if self._recorder.names.op is None:
            raise ValueError("nothing was recorded: no operator was called inside `with record()`")
        if self._lit is None:
            self._lit = core.reach("trace.overlay", "Overlay")(core.reach("trace", "build")(self._recorder.names.op))
        self._lit.update(self.events[self._lit.seq :])
        return self._lit.dag()


@contextmanager
def record(*, decisions: bool = True) -> Generator[Recording]:
    """Record the operator calls made in this block, by this thread and the tasks that it starts.

    Args:
        decisions: note the conditions, loops and handlers of each ``forward``, too: `Recording.decisions`.

    >>> from operator_lib import operator, record
    >>> double = operator(lambda x: 2 * x)
    >>> with record() as rec:
    ...     _ = double(2)
    >>> [event["phase"] for event in rec.events if event["kind"] == "node"]
    ['start', 'end']
    """
    recording = Recording(decisions)
    recorder = recording._recorder  # pyright: ignore[reportPrivateUsage]
    recorder.root.outermost = True
    status = "COMPLETED"
    with listening():
        token = current.set(recorder.root)
        try:
            yield recording
        except BaseException:
            status = "FAILED"
            raise
        finally:
            current.reset(token)
            recorder.flush()
            if recorder.log is not None:
                recorder.log.close()
            recorder.emit({"kind": "status", "t": time.time(), "status": status, "attempt": 1})
            if recorder.names.op is not None:
                _remember(recorder.names.op, recording._told)  # pyright: ignore[reportPrivateUsage]


# What was recorded lately, for estimates: calls alone, as many as fit, and so many recordings.
_ROOM, _ONE, _MANY = 200_000, 20_000, 1000
_recent: deque[tuple[Any, list[Told]]] = deque()
_lock = threading.Lock()


def _remember(op: Any, told: list[Told]) -> None:
    calls: list[Told] = [one for one in told if isinstance(one, tuple) and one[0] != "decision"]
    if len(calls) > _ONE:
        return
    with _lock:
        _recent.append((_kind(op), calls))
        room = sum(len(calls) for _, calls in _recent)
        while room > _ROOM or len(_recent) > _MANY:
            room -= len(_recent.popleft()[1])


def _kind(op: Any) -> Any:
    """What operators have in common whose recordings tell about one another; does not keep their state alive."""
    function = vars(op).get("__wrapped__")
    return getattr(function, "__code__", None) or type(op)


def recent(op: Any) -> list[list[Event]]:
    """The events of the last recordings in this process of operators of this class, or of this function."""
    with _lock:
        found = [told for kind, told in _recent if kind == _kind(op)]
    return [[to_event(one) for one in told] for told in found]
