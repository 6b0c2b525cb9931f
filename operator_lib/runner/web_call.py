"""One call that came in over HTTP, from its first bytes to its last answer."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from operator_lib import context
from operator_lib.context import RequestContext
from operator_lib.engine import requests
from operator_lib.engine.ledger import Page
from operator_lib.engine.memory import InProcess
from operator_lib.runner.answers import PART
from operator_lib.runner.batches import Refused
from operator_lib.runner.uploads import Uploads
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto.line_pb2 import Asked, Told

if TYPE_CHECKING:
    from operator_lib.runner.web_methods import WebMethods


class WebCall:
    """`receive` and `cancel` are called by the thread that reads; `start`, `next` and `close` by those that work.

    The worker asks for one thing at a time, so of these only `close` can come while another goes on.
    """

    def __init__(
        self,
        id: int,
        methods: WebMethods,
        page: Page,
        over: Callable[[WebCall], object],
        later: Callable[[Callable[[], Told | None]], object],
    ) -> None:
        self.id = id
        self.page = page
        self.mark = page.mark(id)
        self.asked = Asked()
        self.uploads: Uploads | None = None
        self.cancelled = False
        self.failed = False
        self.moved = False  # another replica has it
        self._begun = False
        self.counted: pb.Call | None = None  # as which it is counted
        self._methods = methods
        self._over = over
        self._later = later
        self._lock = threading.Lock()
        self._busy = False
        self._running: Future[Any] | None = None  # on the event loop, or in a batch
        self._waits = False  # for a batch
        self._items: Any = None
        self._rest: Iterator[Told] | None = None
        self._deadline: float | None = None
        self._context: RequestContext | None = None

    def receive(self, asked: Asked) -> None:
        """Part of an argument."""
        if self.uploads is None:
            self.uploads = Uploads()
        self.uploads.receive(asked)

    def start(self) -> Told | None:
        """Call the method: the value, the first item, or what went wrong."""
        with self._lock:
            if self.moved:
                return None
            self._begun = True
        collects = self._methods.collects(self)
        if self.counted is not None and not collects:
            self._methods.target.load.begin(self.counted)
        seconds = self.asked.seconds
        self._deadline = time.time() + seconds if seconds else None
        self._context = RequestContext(
            self.asked.request_id,
            memory=InProcess(),
            emit=requests.tell,
            graph_name=self._methods.name,
            is_cancelled=lambda: self.cancelled,
            time_left_until=lambda: self._deadline,
        )
        return self._carry_out(self._collect if collects else self._start)

    def next(self) -> Told | None:
        """The next part of a large value, or the next item."""
        return self._carry_out(self._next_part if self._rest is not None else self._next_item)

    def _carry_out(self, job: Callable[[], Told | None]) -> Told | None:
        with self._lock:
            self._busy = not self.cancelled
        if not self._busy:
            return None  # `close` follows
        assert self._context is not None
        with context.entered(self._context):
            told = job()
        with self._lock:
            self._busy = False
        if self.cancelled:
            self.close()
            return None
        self.failed = told is not None and told.tell == Told.FAILED
        if told is not None and told.tell != Told.ITEM and not told.more:
            self._end()
        return told

    def _collect(self) -> Told | None:
        """Wait for a batch, and let others be carried out meanwhile."""
        future, refused = self._methods.collect(self)
        if future is None:
            return self._told(Told.FAILED, refused)
        self._running, self._waits = future, True
        future.add_done_callback(self._answered)
        if future.done():  # since before anybody listened: its batch may have been handed on without it
            self._methods.hand_on()
        return None

    def _answered(self, done: Future[Any]) -> None:
        if not done.cancelled():  # else `cancel` or `give_up` sees to it
            self._later(lambda: self._carry_out(lambda: self._batched(done)))

    def give_up(self) -> bool:
        """Leave it to another replica, if it has not begun: what it needs to begin is here in one message."""
        with self._lock:
            if self.cancelled or self.moved or self.uploads is not None or not self.asked.id:
                return False
            collected = self._running if self._waits else None
            self.moved = not self._begun or (collected is not None and collected.cancel())
            return self.moved

    def _batched(self, done: Future[Any]) -> Told | None:
        self._running, self._waits = None, False
        if self.moved:
            return None
        try:
            return self._value(done.result())
        except Refused:
            return self._told(Told.REFUSED, b"")
        except BaseException as error:
            self._methods.target.load.raised(self.counted, error)
            return self._told(Told.FAILED, self._methods.failed(error))

    def _start(self) -> Told:
        value, told = self._methods.begin(self)
        return self._value(value) if told is None else self._told(told, value)

    def _value(self, value: Any) -> Told:
        if self._methods.lasts(value):
            self._items = value
            return self._next_item()
        payload, media = self._methods.written(value, self.asked)
        return self._told(Told.FAILED if media is None else Told.DONE, payload, media or "")

    def _next_item(self) -> Told:
        kind, payload = self._methods.item(self, self._items)
        if kind != Told.ITEM:
            self._items = None
        return self._told(kind, payload)

    def _told(self, tell: Any, payload: bytes, media: str = "") -> Told:
        if len(payload) <= PART:
            return Told(id=self.id, tell=tell, payload=payload, media=media)
        self._rest = self._parts(tell, payload, media)
        return next(self._rest)

    def _parts(self, tell: Any, payload: bytes, media: str) -> Iterator[Told]:
        view = memoryview(payload)
        for begin in range(0, len(view), PART):
            part, more = bytes(view[begin : begin + PART]), begin + PART < len(view)
            yield Told(id=self.id, tell=tell, payload=part, media=media, more=more)

    def _next_part(self) -> Told:
        assert self._rest is not None
        told = next(self._rest)
        if not told.more:
            self._rest = None
        return told

    def wait(self, future: Future[Any]) -> Any:
        """Its result. Raises CancelledError when the call is cancelled meanwhile."""
        self._running = future
        if self.cancelled:
            future.cancel()
        try:
            return future.result()
        finally:
            self._running = None

    def cancel(self) -> None:
        """Nobody waits any more. What runs on the event loop is stopped; what runs in a thread can look."""
        self.cancelled = True
        running = self._running
        if running is not None:
            running.cancel()

    def close(self) -> None:
        """After `cancel`. What goes on is left to its end, and then closed by whoever carried it out."""
        with self._lock:
            if self._busy:
                return
            items, self._items = self._items, None
        if items is not None:
            assert self._context is not None
            with context.entered(self._context), contextlib.suppress(BaseException):
                self._methods.close(items)
        self._end()

    def _end(self) -> None:
        if self.uploads is not None:
            self.uploads.remove()
        self._over(self)
