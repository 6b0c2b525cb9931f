"""Several workers on one database: each says that it is there, hears what the others change, and knows who is lost.

A worker holds what it has under a lease that it renews every second. What it has started ends by itself when that was
not renewed in time, so that another one may begin it anew. One that finds that it was given up (it was frozen, or cut
off) starts from the beginning: everything it had is another's by now.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable

from operator_lib.executors.leash import LEASE
from operator_lib.worker.ids import new_id
from operator_lib.worker.store import workers
from operator_lib.worker.store.base import WorkerRow
from operator_lib.worker.store.postgres import PostgresStore
from operator_lib.worker.store.postgres_link import PAUSE, Statements, words

log = logging.getLogger("operator_lib.worker")

# Seconds between two signs of life.
BEAT = 1.0
# Seconds for which one of several workers holds what it has; and one that is alone, for which a database that is
# restarted is no reason to end anything.
LEASE_SECONDS, ALONE_SECONDS = 5.0, 60.0
# Signs of life after a worker has come up, until all others know that it wants to be told of changes.
FRESH = 3
# Heard in the place of a run when changes of any may have been missed.
ALL = ""


class Peers:
    """This worker among the others.

    Args:
        hear: told in the event loop which run another worker has changed.
        look: told there after every sign of life; whoever is lost can be taken over from then on.
    """

    def __init__(self, store: PostgresStore, hear: Callable[[str], None], look: Callable[[], None]) -> None:
        self.id = new_id()
        self.others: list[WorkerRow] = []
        self._store = store
        self._hear = hear
        self._look = look
        self._until = 0.0
        self._fresh = 0
        self._renewed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name="peers", daemon=True)

    async def join(self, url: str, grpc_address: str) -> None:
        """Be there from now on."""
        begun = time.monotonic()
        await self._store.join(WorkerRow(self.id, LEASE_SECONDS, url, grpc_address))
        self._hold(begun + LEASE_SECONDS, [])
        self._thread.start()

    @property
    def live(self) -> list[WorkerRow]:
        """The others that are not lost."""
        return [other for other in self.others if not workers.lost(other)]

    @property
    def lost(self) -> bool:
        """Whether there is one that can be taken over from."""
        return len(self.live) < len(self.others)

    async def sure(self) -> None:
        """Returns while what this worker has is its own: at once, or when it has been heard of again."""
        while time.monotonic() > self._until:
            self._renewed.clear()
            await self._renewed.wait()

    async def leave(self) -> None:
        """The others take what is left."""
        self._stopping.set()
        await asyncio.to_thread(self._thread.join)
        await self._store.leave(self.id)

    # --- in the thread -------------------------------------------------------------------------------------------

    def _live(self) -> None:
        link, silent = self._store.link(), False
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                raw = link.open()
                raw.execute(f"LISTEN {workers.CHANNEL}".encode())
                found = workers.beat(Statements(raw), self.id, LEASE_SECONDS, ALONE_SECONDS)
                if found is None:
                    self._given_up()
                    return
                lease, others = found
                missed = self._missed(others) or silent
                self._hold(begun + lease, others)
                if missed:
                    self._loop.call_soon_threadsafe(self._hear, ALL)
                silent = False
                for news in raw.notifies(timeout=BEAT):
                    if news.payload == workers.JOINED:  # it is told at once that this one is there
                        break
                    self._loop.call_soon_threadsafe(self._hear, news.payload)
            except RuntimeError:  # the event loop has ended
                break
            except Exception as error:
                if not silent:  # once for as long as it lasts
                    log.warning("worker: no sign of life could be given: %s", words(error))
                silent = True
                link.drop()
                self._stopping.wait(PAUSE)
        link.drop()

    def _hold(self, until: float, others: list[WorkerRow]) -> None:
        self.others, self._until = others, until
        self._store.tell_others(bool(self.live))
        LEASE.renew(until)
        self._loop.call_soon_threadsafe(self._beaten)

    def _missed(self, others: list[WorkerRow]) -> bool:
        """Whether changes may not have been told: for a moment after somebody has come up."""
        there = {other.id for other in others}
        self._fresh = FRESH if there != {other.id for other in self.others} else max(0, self._fresh - 1)
        return self._fresh > 0

    def _beaten(self) -> None:
        self._renewed.set()
        self._look()

    def _given_up(self) -> None:
        """Everything that this process has started ends with it: the sockets that hold it are closed. The next worker
        is this process again, with nothing in its memory."""
        log.error("worker: it was silent for too long, and others have taken over what it had; it starts anew")
        for handler in logging.getLogger().handlers:
            handler.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
