"""Watching calls of operators while they happen: which node, from where, how long, how it ended."""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from operator_lib import core, tree
from operator_lib.engine.events import Event
from operator_lib.project import locate

if TYPE_CHECKING:
    from operator_lib.trace.dag import DAG

# Frames of these modules stand between the user's call and the recorder.
_OURS = frozenset(
    {"operator_lib.core", "operator_lib.decorator", "operator_lib.engine.call", "operator_lib.engine.record"}
)


class Frame:
    """The call that is going on: what calls made inside it have as parent, and what a printed line belongs to."""

    __slots__ = ("call", "path", "recorder")

    def __init__(self, recorder: Recorder, call: int, path: str) -> None:
        self.recorder = recorder
        self.call = call
        self.path = path


current: ContextVar[Frame | None] = ContextVar("operator_lib_frame", default=None)
# In a run's own process every thread belongs to the run, threads that the user starts included.
process_frame: Frame | None = None


class Recorder:
    """Turns calls into node events and hands them to `emit`.

    `root` is the folder that files are named from, `renamed` says how files that lie elsewhere were called there.
    """

    def __init__(
        self, emit: Callable[[Event], object], *, root: str = "", renamed: Mapping[str, str] | None = None
    ) -> None:
        self.emit = emit
        self.root = Frame(self, 0, "")
        self._root = root
        self._renamed = renamed or {}
        self._calls = itertools.count(1)
        self._paths: dict[int, str] = {}
        self._held: list[Any] = []  # keeps ids of `_paths` from being reused
        self._sites: dict[tuple[Any, int], tuple[str, int, int]] = {}

    def know(self, op: Any) -> None:
        """Name the operators of the tree below `op` by their paths."""
        for path, node in tree.named_operators(op):
            if id(node) not in self._paths:
                self._paths[id(node)] = path
                self._held.append(node)
        if not self._root:
            self._root = str(locate(op).root)

    def path_of(self, op: Any, parent: Frame) -> str:
        """The operator's path; one that hangs in no known tree goes by its name."""
        found = self._paths.get(id(op))
        if found is None:
            if not self._paths:
                self.know(op)
                return ""
            name = tree.name_of(op)
            found = f"{parent.path}.{name}" if parent.path else name
            for path, node in tree.named_operators(op):
                self._paths.setdefault(id(node), f"{found}.{path}" if path else found)
                self._held.append(node)
        return found

    def site(self) -> tuple[str, int, int]:
        """File, line and column of the call that is being made by the user's code."""
        frame = sys._getframe(2)
        while frame.f_globals.get("__name__") in _OURS and frame.f_back is not None:
            frame = frame.f_back
        key = (frame.f_code, frame.f_lasti)
        found = self._sites.get(key)
        if found is None:
            position = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None))
            found = (
                self.file(frame.f_code.co_filename),
                position[0] or frame.f_lineno,
                position[2] or 0,
            )
            self._sites[key] = found
        return found

    def file(self, name: str) -> str:
        """A file as the nodes of the graph name it."""
        return self._renamed.get(name) or core.reach("trace.source", "shown")(name, self._root)

    def start(self, op: Any, parent: Frame) -> tuple[Frame, float]:
        """Note that a call begins."""
        path = self.path_of(op, parent)
        file, line, col = self.site()
        frame = Frame(self, next(self._calls), path)
        begun = time.time()
        self.emit(
            {
                "kind": "node",
                "phase": "start",
                "t": begun,
                "call": frame.call,
                "parent": parent.call,
                "path": path,
                "file": file,
                "line": line,
                "col": col,
            }
        )
        return frame, begun

    def end(self, frame: Frame, begun: float, error: BaseException | None = None) -> None:
        """Note that a call has ended."""
        now = time.time()
        event: Event = {
            "kind": "node",
            "phase": "error" if error is not None else "end",
            "t": now,
            "call": frame.call,
            "path": frame.path,
            "dur": now - begun,
        }
        if error is not None:
            event["error"] = f"{type(error).__name__}: {error}"[:2000]
            if not hasattr(error, "__operator_path__"):
                with contextlib.suppress(AttributeError):
                    error.__operator_path__ = frame.path  # type: ignore[attr-defined]  # where it came from
        self.emit(event)


class Recording:
    """What `record` saw: ``events``, and the program's DAG lit up by them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._op: Any = None

    def dag(self) -> DAG:
        """The static graph of the first operator that was called, with status, count and duration on every node.

        Raises:
            ValueError: no operator has been called.
        """
        if self._op is None:
            raise ValueError("nothing was recorded: no operator was called inside `with record()`")
        overlay = core.reach("trace.overlay", "overlay")
        return overlay(core.reach("trace", "build")(self._op), self.events)


@contextmanager
def record() -> Generator[Recording]:
    """Record the operator calls made in this block, by this thread and the tasks that it starts.

    >>> from operator_lib import operator, record
    >>> double = operator(lambda x: 2 * x)
    >>> with record() as rec:
    ...     _ = double(2)
    >>> [event["phase"] for event in rec.events if event["kind"] == "node"]
    ['start', 'end']
    """
    recording = Recording()

    def emit(event: Event) -> None:
        event["seq"] = len(recording.events) + 1
        recording.events.append(event)

    recorder = _Root(emit, recording)
    failed = False
    with listening():
        token = current.set(recorder.root)
        try:
            yield recording
        except BaseException:
            failed = True
            raise
        finally:
            current.reset(token)
            emit(
                {
                    "kind": "status",
                    "t": time.time(),
                    "status": "FAILED" if failed else "COMPLETED",
                    "attempt": 1,
                }
            )


class _Root(Recorder):
    """Remembers the first operator called, whose graph is lit up."""

    def __init__(self, emit: Callable[[Event], object], recording: Recording) -> None:
        super().__init__(emit)
        self._recording = recording

    def path_of(self, op: Any, parent: Frame) -> str:
        if self._recording._op is None:
            self._recording._op = op
        return super().path_of(op, parent)


_lock = threading.Lock()
_listeners = 0


@contextmanager
def listening() -> Generator[None]:
    """While any such block is open, calls of operators go through the engine."""
    global _listeners
    with _lock:
        _listeners += 1
        core.intercept = core.reach("engine.call", "call")
    try:
        yield
    finally:
        with _lock:
            _listeners -= 1
            if not _listeners:
                core.intercept = None
