"""Which replica gets a call over HTTP, and the connections to them all."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from operator_lib.errors import ENDS, NotReady, OperatorTimeout, QueueFull, WorkerDied
from operator_lib.wire import tls
from operator_lib.worker.applied import options_of
from operator_lib.worker.http.exchange import Exchange
from operator_lib.worker.http.line import Line
from operator_lib.worker.replicas import Replica
from operator_lib.worker.serving import Serving

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

# Seconds to wait for a replica.
WAIT = 30.0
# Seconds until it is known that a process has ended whose connection was lost.
DYING = 2.0


class Lines:
    """One connection a replica, opened with its first call; it goes with the replica.

    Args:
        most: calls of one serving that may be waiting or going on at the same time.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._calls: dict[str, int] = {}  # by name of the serving
        self._lines: dict[str, asyncio.Task[Line]] = {}

    def enter(self, name: str) -> None:
        """Take a place among the calls of a serving, until `leave`.

        Raises:
            QueueFull: there is none.
        """
        count = self._calls.get(name, 0)
        if count >= self.most:
            raise QueueFull(f"{count} calls of {name} are waiting already", retry_after=1.0)
        self._calls[name] = count + 1

    def leave(self, name: str) -> None:
        """Give it back."""
        left = self._calls[name] - 1
        if left:
            self._calls[name] = left
        else:
            del self._calls[name]

    async def pick(self, serving: Serving) -> tuple[Replica, Line]:
        """The replica with the fewest calls, and the connection to it.

        Raises:
            NotReady: none came up in time. DeployError: the object cannot be made.
        """
        dead: set[str] = set()
        while True:
            found = await serving.connect(WAIT, dead)
            replica = found[0] if len(found) == 1 else min(found, key=self._load)
            try:
                return replica, await self._line(replica)
            except OSError:
                dead.add(replica.id)

    def at_hand(self, serving: Serving) -> tuple[Replica, Line] | None:
        """What `pick` gives, where nothing has to be waited for."""
        found = [] if serving.closed or serving.wanted == 0 else serving.ready()
        if not found:
            return None
        replica = found[0] if len(found) == 1 else min(found, key=self._load)
        opening = self._lines.get(replica.id)
        return (replica, opening.result()) if opening is not None and _open(opening) else None

    def _load(self, replica: Replica) -> int:
        opening = self._lines.get(replica.id)
        return opening.result().calls if opening is not None and opening.done() else 0

    async def _line(self, replica: Replica) -> Line:
        opening = self._lines.get(replica.id)
        if opening is None:
            opening = self._lines[replica.id] = asyncio.create_task(self._open(replica))
            opening.add_done_callback(lambda done: self._opened(replica, done))
        elif opening.done():
            return opening.result()
        return await asyncio.shield(opening)

    async def _open(self, replica: Replica) -> Line:
        host = replica.address.rpartition(":")[0].strip("[]")

        def lost() -> None:
            self._lines.pop(replica.id, None)

        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(
            lambda: Line(replica.token, lost), host, replica.line,
            ssl=tls.client_context(replica.certificate) if replica.certificate else None,
            server_hostname=tls.REPLICA if replica.certificate else None,
        )  # fmt: skip
        return line

    def _opened(self, replica: Replica, done: asyncio.Task[Line]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._lines.pop(replica.id, None)

    async def close(self) -> None:
        """Hang up everywhere."""
        for opening in list(self._lines.values()):
            if _open(opening):
                opening.result().close()
            else:
                opening.cancel()


def _open(opening: asyncio.Task[Line]) -> bool:
    return opening.done() and not opening.cancelled() and opening.exception() is None


async def never_started(worker: Worker, replica: Replica, call: Exchange) -> bool:
    """Whether a call whose connection was lost may be sent to another replica: it waited for its turn."""
    started = worker.launcher.ledger(replica) if await _gone(replica) else {}
    return call.line.session in started and started[call.line.session].call < call.id


async def was_shared(worker: Worker, replica: Replica, call: Exchange) -> bool:
    """Whether a call whose connection was lost was in a batch with others: it may not have been its fault."""
    if options_of(replica.version).batch is None or not await _gone(replica):
        return False
    started = worker.launcher.ledger(replica).get(call.line.session)
    return started is not None and started.shared(call.id)


async def died(replica: Replica, name: str, call: Exchange) -> Exception:
    """The error of a call whose connection was lost."""
    if not await _gone(replica):
        return NotReady(f"the connection to the replica of {name} was lost before it answered")
    kind, cause = replica.fate(call.line.session, call.id)
    if kind == "timeout":
        return OperatorTimeout(f"call of {name}: {cause}")
    return ENDS.get(kind, WorkerDied)(f"the replica of {name} ended before it answered: {cause}")


async def _gone(replica: Replica) -> bool:
    """Whether its process has ended, which is known a little later than its connection is lost."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(replica.gone.wait(), DYING)
    return replica.status == "dead"
