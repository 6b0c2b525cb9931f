"""`RequestContext`: what a function may know about the run that it is part of, and tell about it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol

Event = dict[str, Any]
_MISSING: Any = object()


class Memory(Protocol):
    """Where the state of a run is kept: values by key, each its own copy."""

    def load(self, key: str) -> Any:
        """The value; raises KeyError where there is none."""
        ...

    def store(self, key: str, value: Any) -> None: ...


class Nowhere:
    """For code that runs outside of any run: nothing is kept."""

    def load(self, key: str) -> Any:
        raise KeyError(key)

    def store(self, key: str, value: Any) -> None:
        pass


class State:
    """Values that the functions of one run share; empty at its start, kept over retries and a restart of the worker."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def get(self, key: str, default: Any = None) -> Any:
        """A copy of the value stored last under `key`, or `default`. A stored None is not a missing value."""
        try:
            return self._memory.load(_key(key))
        except KeyError:
            return default

    def set(self, key: str, value: Any) -> None:
        """Store a copy.

        Raises:
            SerializationError: the value cannot be encoded.
        """
        self._memory.store(_key(key), value)


class Progress:
    """How far a function has come: seen by whoever watches the run, and a sign of life that restarts its timeout."""

    def __init__(self, emit: Callable[[Event], object]) -> None:
        self._emit = emit

    def update(
        self,
        current: float | None = None,
        total: float | None = None,
        message: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Tell it. Every argument may be left out: the timeout starts anew all the same.

        Args:
            current: done so far, of `total`; not negative, finite.
            attributes: further words, name to value.

        Raises:
            ValueError: an argument is of the wrong kind; all mistakes are listed.
        """
        problems = [
            f"{name} {why}" for name, value in (("current", current), ("total", total)) if (why := _count(value))
        ]
        if message is not None and not isinstance(message, str):
            problems.append(f"message must be a string, got {message!r}")
        said = attributes or {}
        if not isinstance(said, Mapping) or not all(isinstance(w, str) for pair in said.items() for w in pair):
            problems.append(f"attributes must map strings to strings, got {attributes!r}")
        if problems:
            raise ValueError(f"progress.update: {'; '.join(problems)}")
        given = {"current": current, "total": total, "message": message, "attributes": dict(said) or None}
        self._emit({"kind": "progress", **{name: value for name, value in given.items() if value is not None}})


class Metrics:
    """Numbers about a run, summed up by whoever reads its events."""

    def __init__(self, emit: Callable[[Event], object]) -> None:
        self._emit = emit

    def counter(self, name: str, value: float = 1) -> None:
        """Add `value` to the counter."""
        self._tell("counter", name, value)

    def timer(self, name: str, value: float) -> None:
        """Note a duration in seconds."""
        self._tell("timer", name, value)

    def _tell(self, what: str, name: str, value: float) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(f"metrics.{what}: the name must be a string that is not empty, got {name!r}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"metrics.{what}: {name} must be a finite number, got {value!r}")
        self._emit({"kind": "metric", "metric": what, "name": name, "value": value})


class RequestContext:
    """The run that is going on, as its functions see it: the first argument with ``use_ctx=True``, or `get`.

    Attributes:
        request_id: the run's id.
        graph_name, graph_version: of the deployment; empty in a local call.
        attempt: 1, 2, ...: which execution of this function it is.
        state, progress, metrics: see `State`, `Progress`, `Metrics`.
    """

    def __init__(
        self,
        request_id: str,
        *,
        memory: Memory,
        emit: Callable[[Event], object],
        graph_name: str = "",
        graph_version: str = "",
        attempt: int = 1,
        is_cancelled: Callable[[], bool] = lambda: False,
        time_left_until: Callable[[], float | None] = lambda: None,
    ) -> None:
        self.request_id = request_id
        self.graph_name = graph_name
        self.graph_version = graph_version
        self.attempt = attempt
        self.state = State(memory)
        self.progress = Progress(emit)
        self.metrics = Metrics(emit)
        self._is_cancelled = is_cancelled
        self._deadline = time_left_until

    def attempted(self, attempt: int) -> RequestContext:
        """The same request, as this execution of one of its functions sees it."""
        if attempt == self.attempt:
            return self
        seen = copy.copy(self)
        seen.attempt = attempt
        return seen

    def __copy__(self) -> RequestContext:
        new = object.__new__(RequestContext)
        new.__dict__.update(self.__dict__)
        return new

    @staticmethod
    def get() -> RequestContext:
        """The context of the run that this code is part of.

        Outside of any run it is one that nobody sees: the code works, its state and progress are kept nowhere.
        """
        found = current.get() or process
        return found if found is not None else RequestContext("", memory=Nowhere(), emit=lambda event: None)

    def update_progress(
        self,
        current: float | None = None,
        total: float | None = None,
        message: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """`Progress.update`."""
        self.progress.update(current, total, message, attributes)

    @property
    def cancelled(self) -> bool:
        """Whether the run has been asked to end. Who looks here gets some seconds to clear up; others are killed."""
        return self._is_cancelled()

    @property
    def deadline(self) -> float | None:
        """When the timeout will strike, in seconds since the epoch; None without a timeout. Progress moves it."""
        return self._deadline()

    def __repr__(self) -> str:
        return f"<RequestContext {self.request_id or 'outside of a run'}, attempt {self.attempt}>"

    def __reduce__(self) -> Any:
        # In another process it is whatever is going on there.
        return RequestContext.get, ()


current: ContextVar[RequestContext | None] = ContextVar("operator_lib_request", default=None)
# In a process that carries out one run every thread belongs to it, threads that the user starts included.
process: RequestContext | None = None


class entered:
    """`context` is the current one in this block. A class: for small calls a generator would take a while."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: RequestContext) -> None:
        self._context = context

    def __enter__(self) -> RequestContext:
        self._token = current.set(self._context)
        return self._context

    def __exit__(self, *_: object) -> None:
        current.reset(self._token)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"the key of a state must be a string, got {key!r}")
    return key


def _count(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return f"must be a number that is finite and not negative, got {value!r}"
    return ""
