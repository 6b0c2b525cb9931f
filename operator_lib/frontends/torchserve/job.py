"""One call of a node, on its way to a worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from operator_lib.frontends.torchserve.handler import Answered, Row, Wanted
from operator_lib.frontends.torchserve.values import to_bytes
from operator_lib.frontends.torchserve.worker import Worker


def _held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class Job:
    """One call.

    Attributes:
        row: what the handler gets, as Python values.
        handed_over: whether other nodes made them; the input of the workflow is never turned into bytes.
        wanted: how the answer is wanted; where as bytes, handlers are handed bytes too.
        given_up: says whether nobody waits for the answer any more.
        arrived, due: when, by the monotonic clock; `due` is the end of its time.
        turn: let go when there is a worker for it, or an outcome.
        alone: it is in no batch with others.
    """

    row: Row
    handed_over: bool
    headers: Mapping[str, Any]
    wanted: Wanted = ""
    given_up: Callable[[], bool] = lambda: False
    arrived: float = 0.0
    due: float = 0.0
    turn: threading.Lock = field(default_factory=_held)
    worker: Worker | None = None
    alone: bool = False
    outcome: Answered | BaseException | None = None

    def joins(self, other: Job) -> bool:
        """Whether both may be in one batch."""
        return not self.alone and self.wanted == other.wanted

    def given(self, as_bytes: bool) -> Row:
        """Its row. Raises SerializationError: a value has no form as bytes."""
        if not (as_bytes or self.wanted) or not self.handed_over:
            return self.row
        return {name: bytearray(to_bytes(value, name)) for name, value in self.row.items()}
