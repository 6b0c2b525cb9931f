"""One call on its way: to the replica, back, and what cuts it short: a deadline, a caller who went away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from operator_lib.errors import OperatorTimeout
from operator_lib.wire.proto.line_pb2 import Asked, Told
from operator_lib.worker.http.errors import CallerGone
from operator_lib.worker.http.line import LOST, Line, LineLost
from operator_lib.worker.http.patrol import Patrol

# Seconds after which somebody looks whether the caller is still there; most calls are over by then.
PATIENCE = 0.1


class Exchange:
    """A call on a line. Used as a context it is over when the block is: what is left of it is cancelled."""

    def __init__(self, line: Line, receive: Any, seconds: float = 0.0, begun: int = 0) -> None:
        """`begun`: the id of a call that the replica has been asked for."""
        self.line = line
        self.id = begun or line.new_id()
        line.calls += not begun
        self.seconds = seconds
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._pending: asyncio.Future[Told] | None = None
        self._cut: Exception | None = None
        self._over = False
        self._watch: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.calls -= 1
        _going.leave(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        if not self._over:
            self.line.cancel(self.id)

    def watch(self) -> None:
        """From here on the request has been read: whatever else arrives is the end of it."""
        _going.enter(self, self._loop)
        if self.seconds:
            self._timer = self._loop.call_later(self.seconds, self._late)

    def _late(self) -> None:
        self._end(OperatorTimeout(f"the call was not answered within {self.seconds:g} s, the time its caller gave it"))

    def look(self, since: float) -> None:
        """See whether the caller is still there, from now on."""
        if self._watch is None and self._loop.time() - since > PATIENCE:
            self._watch = self._loop.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._end(CallerGone())

    def _end(self, why: Exception) -> None:
        self._cut = why
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(why)

    async def ask(self, asked: Asked) -> Told:
        """The answer to START or NEXT.

        Raises:
            LineLost: the replica went away. CallerGone. OperatorTimeout: the deadline of the caller has passed.
        """
        if self._cut is not None:
            raise self._cut
        self._pending = self.line.ask(asked)
        return self.heard(await self._pending)

    def heard(self, told: Told | None) -> Told:
        """Take note of an answer. Raises LineLost without one."""
        if told is None:
            raise LineLost(LOST)
        if not told.more and told.tell != Told.ITEM:
            self._over = True
        return told

    async def rest(self, told: Told) -> AsyncGenerator[bytes]:
        """The payload of an answer, part by part as fast as they are taken."""
        yield told.payload
        while told.more:
            told = await self.ask(Asked(id=self.id, ask=Asked.NEXT))
            yield told.payload

    async def whole(self, told: Told) -> bytes:
        """The payload of an answer."""
        return told.payload if not told.more else b"".join([part async for part in self.rest(told)])


_going = Patrol(PATIENCE, Exchange.look)
