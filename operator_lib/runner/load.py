"""What a replica has done and what it has to do: counted at every call, so in as few steps as possible."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import threading
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Any

from operator_lib.engine import latency
from operator_lib.wire.proto import serving_pb2 as pb

# What is not a call of a method, and methods beyond so many (callers may make up names), are counted together.
ATTRIBUTES, OTHERS = "(attributes)", "(others)"
MOST = 200
# Calls that are added up together, for which nobody waits one by one.
LATER = 1000


class _Method:
    __slots__ = ("calls", "errors", "seconds", "steps")

    def __init__(self) -> None:
        self.calls = self.errors = 0
        self.seconds = 0.0
        self.steps = [0] * (latency.LAST + 1)


class Load:
    """The calls of one replica. A call comes, begins and ends; or it comes and is dropped."""

    def __init__(self) -> None:
        self._come: dict[int, float] = {}
        self._begun: dict[int, float] = {}
        self._methods: dict[str, _Method] = {}
        self._worked = 0.0
        self._ended: deque[tuple[str, float, bool, float]] = deque()
        self._lock = threading.Lock()
        self.moment = 0
        """Changes with every call and every item of an iterator that has ended."""
        self._streams: dict[int, float] = {}

    def come(self, call: pb.Call, now: float) -> None:
        """It waits for its turn from `now` on."""
        self._come[id(call)] = now

    def begin(self, call: pb.Call) -> None:
        """It is being carried out."""
        self._begun[id(call)] = monotonic()

    def again(self, call: pb.Call | None) -> None:
        """An item of what it has returned is asked for."""

    def together(self, calls: Sequence[pb.Call]) -> None:
        """These are carried out as one."""

    def raised(self, call: pb.Call | None, error: BaseException) -> None:
        """That is why it fails."""

    def end(self, call: pb.Call, failed: bool, share: int = 1) -> None:
        """It was answered. `share`: so many were carried out as one."""
        key, now = id(call), monotonic()
        begun = self._begun.pop(key, now)
        name = ATTRIBUTES if call.verb else call.name  # CALL is 0
        self.moment += 1
        self._ended.append((name, now - self._come.pop(key, begun), failed, (now - begun) / share))
        if len(self._ended) > LATER:
            self._count()

    def _count(self) -> None:
        """Add up what has ended."""
        with self._lock, contextlib.suppress(IndexError):
            while True:
                name, seconds, failed, worked = self._ended.popleft()
                method = self._methods.get(name) or self._new(name)
                method.calls += 1
                method.errors += failed
                method.seconds += seconds
                method.steps[latency.step(seconds)] += 1
                self._worked += worked

    def _new(self, name: str) -> _Method:
        return self._methods.setdefault(name if len(self._methods) < MOST else OTHERS, _Method())

    def drop(self, call: pb.Call) -> None:
        """It will not be carried out here."""
        self._come.pop(id(call), None)

    def reading(self, items: object, until: float) -> None:
        """An iterator is being read, or was until then."""
        self._streams[id(items)] = until
        self.moment += 1

    def read(self, items: object) -> None:
        """An iterator has come to its end, or nobody reads it any more."""
        self._streams.pop(id(items), None)

    def busy(self, since: float) -> bool:
        """Whether a call is here, or an iterator was read since then."""
        return bool(self._come or self._begun) or any(until > since for until in self._streams.copy().values())

    def report(self) -> pb.LoadReply:
        """All of it, as it is now."""
        self._count()
        begun = list(self._begun.copy().values())
        with self._lock:
            methods = [_described(name, method) for name, method in self._methods.items()]
            worked = self._worked
        return pb.LoadReply(
            waiting=max(0, len(self._come) - len(begun)),
            running=len(begun) + len(self._streams),
            oldest=monotonic() - min(begun) if begun else 0.0,
            worked=worked,
            memory=_memory(),
            methods=methods,
        )


def _described(name: str, method: _Method) -> pb.MethodLoad:
    counts = {number: count for number, count in enumerate(method.steps) if count}
    return pb.MethodLoad(name=name, calls=method.calls, errors=method.errors, seconds=method.seconds, latencies=counts)


def _memory() -> int:
    """Bytes of this process."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # not Linux: the most it has had
        most: Any = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
