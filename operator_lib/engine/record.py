"""Watching calls of operators while they happen: which node, from where, how long, how it ended.

This has to be cheap, and bounded. A call is noted as two small tuples (`told`); where it comes from is worked out once
for a place (`sites`). After `IN_FULL` calls from one place only one call a second is told in full, the others are
counted, and the counts told twice a second and whenever something else is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import itertools
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from operator_lib import core
from operator_lib.decisions import Log, abandon
from operator_lib.engine.masking import Surroundings
from operator_lib.engine.names import Names
from operator_lib.engine.sites import OURS, Place, Stack, make_place, raised_at, stack, user_frame
from operator_lib.engine.told import Told

if TYPE_CHECKING:
    from operator_lib.telemetry.trace_context import TraceContext

# Calls from one place that are told one by one, and what is left of that once `AT_ALL` calls have been told in a run.
IN_FULL, AT_ALL, FEW = 1_000, 100_000, 10
# Seconds between two calls from one place that are told in full after that, and between two looks at the counts.
SAMPLE, PAUSE = 1.0, 0.5
# Different places kept apart.
PLACES = 20_000


class Frame:
    """The call that is going on: what calls made inside it have as parent, and what a printed line belongs to."""

    __slots__ = (
        *("begun", "call", "counted", "deciding", "handed", "lane", "outcome", "outermost", "path", "place"),
        "recorder",
    )

    def __init__(
        self, recorder: Recorder, call: int, place: Place, lane: int, begun: float = 0.0, counted: bool = False
    ) -> None:
        self.recorder = recorder
        self.call = call
        self.place = place
        self.path = place.path
        self.lane = lane
        self.begun = begun
        self.counted = counted  # not told in full: `call` is the first one from its place
        self.outcome = "end"  # or "cached"
        self.outermost = False  # calls made here are made by code that belongs to no operator
        self.deciding: Any = None  # what is being decided in it, where that is told
        self.handed: Stack | None = None  # where what this thread does was asked for

    def enter(self) -> Any:
        """Calls are made inside of this one from here on."""
        return current.set(self)

    def leave(self, token: Any) -> None:
        current.reset(token)

    def end(self, error: BaseException | None = None) -> None:
        self.recorder.end(self, error)


current: ContextVar[Frame | None] = ContextVar("operator_lib_frame", default=None)
# In a run's own process every thread belongs to the run, threads that the user starts included.
process_frame: Frame | None = None


def here() -> Frame | None:
    """The call that is going on."""
    return current.get() or process_frame


def watched(run: Callable[..., Any], frame: Frame | None) -> Callable[..., Any]:
    """What carries out the call `frame`, telling its decisions where somebody wants to know them."""
    log = frame.recorder.log if frame is not None else None
    return run if log is None or frame is None else log.watch(run, frame.place)


def _lane() -> int:
    """The thread or task at work."""
    if asyncio._get_running_loop() is not None:  # pyright: ignore[reportPrivateUsage]  # the cheap question
        return id(asyncio.current_task())
    return threading.get_ident()


class Recorder:
    """Turns calls into node events and hands them to `emit`, as tuples that `told.to_event` reads. See `Names`."""

    def __init__(
        self,
        emit: Callable[[Told], object],
        *,
        root: str = "",
        renamed: Mapping[str, str] | None = None,
        decisions: bool = False,
    ) -> None:
        self.emit = emit
        self.in_full: float = IN_FULL
        self.at_all: float = AT_ALL
        # The span of a call by its number, where somebody traces.
        self.span_of: Callable[[int], TraceContext | None] | None = None
        self.names = Names(root, renamed)
        self.root = Frame(self, 0, Place("", "", 0, 0), _lane())
        self._calls = itertools.count(1)
        self._told = 0
        self._held: list[Stack] = []  # keeps ids of code from being reused
        self._places = 0
        self._lock = threading.Lock()
        self._behind: dict[Place, None] = {}
        self._looked = 0.0
        self._zero = time.time() - time.perf_counter()
        self.log = Log(here, emit, self.names.file, self.moment) if decisions else None
        """Where decisions are told."""
        if self.log is not None:
            self.log.hide = Surroundings()

    def moment(self, begun: float) -> float:
        """When a call began, in seconds since the epoch, as its events say it; `begun` is that of its frame."""
        return self._zero + begun

    def number(self) -> int:
        """The id of a call that somebody else tells."""
        return next(self._calls)

    def know(self, op: Any) -> None:
        """Name the operators of the tree below `op` by their paths."""
        self.names.know(op)

    def from_outside(self) -> Frame:
        """What a call is made in that no line of the program asks for: that of the root of a run."""
        return self.unasked(self.root)

    def unasked(self, frame: Frame) -> Frame:
        """The same call, for what is called in it although no line of the program asks for that."""
        made = Frame(self, frame.call, frame.place, frame.lane)
        made.handed = ()
        return made

    def _make(self, path: str, parent: Place, key: tuple[Any, ...], calls: Stack) -> Place:
        """A place that is new. When there are very many, the ways to come there are not told apart any more."""
        with self._lock:
            self._places += 1
            if self._places > PLACES:
                parent, key = self.root.place, (path,)
            found = parent.inside.get(key)
            if found is None:
                self._held.append(calls)
                found = make_place(path, calls, self.names.file)
                found.silent = self.log is None
                parent.inside[key] = found
        return found

    def start(self, op: Any, parent: Frame) -> Frame:
        """Note that a call begins."""
        path = self.names.paths.get(id(op))
        if path is None:
            path = self.names.path_of(op, parent.path)
        frame = sys._getframe(1)
        while frame.f_globals.get("__name__") in OURS and frame.f_back is not None:
            frame = frame.f_back
        outer = frame.f_back
        if parent.handed is not None:
            key, calls = (path, *((id(code), at) for code, at in parent.handed)), parent.handed
        elif outer is None or outer.f_globals.get("__name__") in OURS or parent.outermost:
            key, calls = (path, id(frame.f_code), frame.f_lasti), None
        else:
            calls = stack(frame)
            key = (path, *[(id(code), at) for code, at in calls])
        place = parent.place.inside.get(key)
        if place is None:
            place = self._make(path, parent.place, key, ((frame.f_code, frame.f_lasti),) if calls is None else calls)
        now = time.perf_counter()
        lane = _lane()
        if next(place.calls) <= (self.in_full if self._told < self.at_all else FEW) or now - place.told > SAMPLE:
            self._told += 1
            place.told = now
            call = next(self._calls)
            place.first = place.first or call
            if self._behind:
                self.flush()
            self.emit(("start", self._zero + now, call, parent.call, lane if lane != parent.lane else 0, place))
            return Frame(self, call, place, lane, now)
        return Frame(self, place.first, place, lane, now, counted=True)

    def end(self, frame: Frame, error: BaseException | None = None) -> None:
        """Note that a call has ended."""
        now = time.perf_counter()
        if frame.deciding:
            abandon(frame)
        if error is not None and not hasattr(error, "__operator_path__"):
            with contextlib.suppress(AttributeError):
                error.__operator_path__ = frame.path  # type: ignore[attr-defined]  # where it came from
        if frame.counted:
            self._count(frame.place, now, now - frame.begun, error is not None)
            return
        if self._behind:
            self.flush()
        t, spent = self._zero + now, now - frame.begun
        if error is None:
            self.emit((frame.outcome, t, frame.call, frame.place, spent))
        else:
            words = f"{type(error).__name__}: {error}"[:2000]
            self.emit(("error", t, frame.call, frame.place, spent, words, raised_at(error)))

    def _count(self, place: Place, now: float, spent: float, failed: bool) -> None:
        with self._lock:
            place.count += 1
            place.spent += spent
            place.failed += failed
            self._behind[place] = None
        if now - self._looked > PAUSE:
            self.flush()

    def flush(self) -> None:
        """Tell what has been counted."""
        with self._lock:
            self._looked = now = time.perf_counter()
            told = [("more", self._zero + now, p.first, p.count, p.failed, p.spent) for p in self._behind]
            for place in self._behind:
                place.count, place.failed, place.spent = 0, 0, 0.0
            self._behind.clear()
        for more in told:
            self.emit(more)
        if self.log is not None:
            self.log.hear()


def hand_over() -> Callable[[Callable[[], Any]], Any]:
    """For work that is done elsewhere: a function that carries things out as if they were called from here."""
    frame = here()
    if frame is None:
        return lambda work: work()
    handed = Frame(frame.recorder, frame.call, frame.place, frame.lane)
    handed.handed = stack(user_frame(sys._getframe(1)))
    around = contextvars.copy_context()
    around.run(current.set, handed)
    return lambda work: around.copy().run(work)


_lock = threading.Lock()
_listeners = 0


def listen() -> None:
    """From now on calls of operators go through the engine, until there are as many `unlisten`."""
    global _listeners
    with _lock:
        _listeners += 1
        if core.intercept is None:
            core.intercept = core.reach("engine.call", "call")


def unlisten() -> None:
    """Take one `listen` back."""
    global _listeners
    with _lock:
        _listeners -= 1
        if not _listeners:
            core.intercept = None


@contextmanager
def listening() -> Generator[None]:
    """While any such block is open, calls of operators go through the engine."""
    listen()
    try:
        yield
    finally:
        unlisten()
