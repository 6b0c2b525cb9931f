"""One call of a run: what it is known by, whether it has been made before, and which of its attempts have failed."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from operator_lib.engine import lasting, record
from operator_lib.engine.attributes import Attributes
from operator_lib.engine.blame import MARK
from operator_lib.engine.checkpoint_log import FAILED, OVERDUE, TOLD, checksum
from operator_lib.engine.clock import late
from operator_lib.engine.inside import Inside, current
from operator_lib.engine.lasting import LASTING
from operator_lib.engine.steps import Steps
from operator_lib.errors import OperatorTimeout
from operator_lib.options import Options

if TYPE_CHECKING:
    from operator_lib.engine.checkpoints import Book

MISSING: Any = object()

# A call among those with its key, which is the same for equal calls.
Where = tuple[bytes, int]


class Remembered:
    """One call that something is remembered about."""

    __slots__ = (
        *("arguments", "begun", "book", "chosen", "inputs", "inside", "key", "later", "op", "ordinal", "path", "state"),
        *("_where", "touched"),
    )

    def __init__(
        self, book: Book, op: Any, path: str, chosen: Options, inside: Inside, inputs: bytes | None, arguments: Any
    ) -> None:
        self.book = book
        self.op = op
        self.path = path
        self.chosen = chosen
        self.inside = inside
        self.inputs = inputs  # None: its value is not stored
        self.arguments = arguments
        self.begun = begun()
        self.later = False
        self.touched = False
        self.state: Attributes | None = None
        if inputs is not None:
            parts = [inside.id, book.fixed(op, path, chosen), inputs]
            if id(op) not in book.names:  # made by the program: nothing else says what it is like
                self.state = book.attributes(op, path)
                parts.append(self.state.digest() or os.urandom(16))
            self.key = checksum(*parts)
        else:
            self.key = checksum(b"called", inside.id, path.encode())
        self.ordinal = inside.number(self.key)
        self._where: Where | None = None

    def before(self) -> bytes | None:
        """What its operators are like now."""
        if self.state is None:
            self.state = self.book.attributes(self.op, self.path)
        return self.state.digest()

    def stored(self, function: Callable[..., Any]) -> Any:
        """The stored value, else that of `function`, which is stored; where no options act on the call."""
        value = self._taken()
        if value is not MISSING:
            return value
        state = self.state or self.book.attributes(self.op, self.path)
        inside = Inside(self)
        token = current.set(inside)
        try:
            value = function(*self.arguments[0], **self.arguments[1])
        finally:
            current.reset(token)
        if type(value) in LASTING:
            value = lasting.follow(value, inside)
            return self._awaited(value, state) if inspect.iscoroutine(value) else value
        self.book.put(self, value, state)
        return value

    async def _awaited(self, value: Awaitable[Any], state: Attributes) -> Any:
        self.later = True
        result = await value
        self.book.put(self, result, state)
        return result

    def around(self, steps: Steps) -> Steps:
        """The stored value, else `steps`, whose value is stored."""
        if self.inputs is None:
            return (yield from steps)
        value = self._taken()
        if value is not MISSING:
            return value
        state = self.state or self.book.attributes(self.op, self.path)
        value = yield from steps
        self.book.put(self, value, state)
        return value

    def _taken(self) -> Any:
        value = self.book.take(self)
        frame = record.current.get() if value is not MISSING else None
        if frame is not None:
            frame.outcome = "cached"
        return value

    def within(self, attempt: int) -> Inside:
        """What calls that this attempt makes are numbered in."""
        inside = Inside(self, attempt)
        if self.op is self.book.root:
            self.book.ground = inside
            self.book.restored.clear()
        return inside

    def place(self) -> bytes:
        """Where calls are that this one makes, whatever its code is."""
        if self.op is self.book.root:
            return bytes(16)
        number = self.ordinal.to_bytes(4, "little")
        return checksum(b"inside", self.inside.id, self.inputs or b"", number, self.path.encode())

    def trail(self, attempt: int) -> bytes:
        """Stands for one of its attempts."""
        numbers = self.ordinal.to_bytes(4, "little"), attempt.to_bytes(4, "little")
        return checksum(self.inside.trail, self.where[0], *numbers)

    @property
    def where(self) -> Where:
        """What failures of its attempts are noted under."""
        if self._where is None:
            self._where = checksum(b"tried", self.key, self.inside.trail), self.ordinal
        return self._where

    # --- attempts ------------------------------------------------------------------------------------------------

    def mark(self, attempt: int) -> bytes:
        """What the page of clocks says about an attempt: enough to blame it after it was killed."""
        if self.chosen.timeout is None or self.op is self.book.root:
            return b""
        return MARK.pack(*self.where, attempt)

    def attempt(self) -> tuple[int, OperatorTimeout | None]:
        """The number of the next attempt; how the one before ended, if it was killed for its time limit."""
        tries = self.book.tries(self.where) if self.book.any_tries else {}
        last = max(tries, default=0)
        if not last or tries[last].kind != OVERDUE:
            return last + 1, None
        self.book.note(self.where, TOLD, last)
        data = self.book.log.body(tries[last]) or b"it took too long"
        return last + 1, late(self.path, data.decode(errors="replace"))

    def failed(self, attempt: int) -> None:
        """This attempt has raised, and there is another one."""
        self.book.note(self.where, FAILED, attempt)


def begun() -> float:
    """When the call that is going on began, by the clock of the history."""
    frame = record.current.get()
    return frame.recorder.moment(frame.begun) if frame is not None and frame.begun else time.time()
