"""Threads that carry out calls which came in over HTTP and were passed on by the worker: see protos/line.proto.

A small call takes less than handing it to another thread. Where calls follow one another anyway, the thread that reads
carries them out itself; when one takes longer than a moment, another thread goes on reading, and the first takes the
place of that one.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from operator_lib.engine.ledger import Ledger
from operator_lib.engine.process import ProcessSpec
from operator_lib.runner.calls import Target
from operator_lib.runner.web_connection import FLUSH, PACK, Connection, Job
from operator_lib.runner.web_methods import WebMethods

# Seconds between two looks at what is going on, and for which they go on when nothing is.
LOOK = 0.005
LINGER = 0.1


class Line:
    """Has `concurrency` threads carry out what workers ask."""

    def __init__(self, target: Target, spec: ProcessSpec, ledger: Ledger) -> None:
        self.target = target
        self.ledger = ledger
        self.draining = False
        self.methods = WebMethods(target)
        # A call that takes too long ends the process, and what waits to be sent with it.
        self.at_once = target.limits.any
        self._in_turn = target.pool is None  # there is one call at a time, and none has to move
        self._jobs: queue.SimpleQueue[tuple[Connection, Job | None]] = queue.SimpleQueue()
        self._pending = 0  # jobs that have not come to their end
        self._lock = threading.Lock()
        self._active = threading.Event()
        self._connections: set[Connection] = set()
        self._batched: list[tuple[Connection, Job]] = []
        if target.batches is not None:
            target.batches.after = self._hand_on
        for _ in range(spec.concurrency):
            _start(self.work, "web-call")
        threading.Thread(target=self._watch, name="web-watch", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether there are calls that have not come to their end."""
        return any(connection.calls for connection in list(self._connections))

    @property
    def free(self) -> bool:
        """Whether the thread that reads may carry out what it has read."""
        return self._in_turn and not self._pending

    def refuse(self) -> None:
        """Start no call from now on."""
        self.draining = True

    def shed(self, count: int) -> int:
        """Give up as many calls that have not begun, the last ones first; how many there were."""
        given = 0
        for connection in list(self._connections):
            for call in reversed(list(connection.calls.values())):
                if given < count and call.give_up():
                    connection.give_back(call)
                    given += 1
        return given

    def serve(self, connected: socket.socket, session: int) -> None:
        """Answer one worker, until it hangs up."""
        page = self.ledger.open(session)
        connection = Connection(self, connected, page)
        self._connections.add(connection)
        try:
            _start(connection.read, "web-read")
            connection.over.wait()
        finally:
            self._connections.discard(connection)
            connection.lost()
            page.close()

    def put(self, connection: Connection, job: Job) -> None:
        """Have it carried out."""
        self.count(1)
        self._jobs.put((connection, job))

    def put_batched(self, connection: Connection, job: Job) -> None:
        """The same for calls that were carried out as one: they are handed on together."""
        with self._lock:
            self._batched.append((connection, job))

    def _hand_on(self) -> None:
        with self._lock:
            together, self._batched = self._batched, []

        def tell() -> None:
            for connection, job in together:
                if (told := job()) is not None:
                    connection.tell(told)
            for connection in {connection for connection, _ in together}:
                connection.flush()

        if together:
            self.put(together[0][0], tell)

    def count(self, more: int) -> None:
        """So many jobs more, or fewer, are waiting or going on."""
        with self._lock:
            self._pending += more

    def read_on(self, connection: Connection) -> None:
        """Have another thread read: the one that did has a job that goes on."""
        self.count(1)
        self._jobs.put((connection, None))

    def work(self) -> Callable[[], Any]:
        """Carry out one thing after another, until there is something to read instead; what is done within a moment is
        told in one go.
        """
        while True:
            connection, job = self._jobs.get()
            since = time.monotonic()
            while job is not None:
                told = job()
                self.count(-1)
                if told is not None:
                    connection.tell(told)
                try:
                    after, job = self._jobs.get_nowait()
                except queue.Empty:
                    connection.flush()
                    break
                full = connection.unsent > PACK or time.monotonic() - since > FLUSH
                if full or self.at_once or after is not connection or job is None:
                    connection.flush()
                    since = time.monotonic()
                else:
                    self.watch()  # should the next one take long, the answers before it do not wait for it
                connection = after
            else:
                return connection.read

    def watch(self) -> None:
        """There is something to look after."""
        if not self._active.is_set():
            self._active.set()

    def _watch(self) -> None:
        while True:
            self._active.wait()
            last = now = time.monotonic()
            while now - last < LINGER:
                time.sleep(LOOK)
                now = time.monotonic()
                if self._look(now):
                    last = now
            self._active.clear()
            if self._look(now):  # it came before that was cleared
                self._active.set()

    def _look(self, now: float) -> bool:
        """Whether there was something to look after."""
        seen = [connection.look(now - LOOK) for connection in list(self._connections)]
        return any(seen)


def _start(role: Callable[[], Any], name: str) -> None:
    """A thread that does this, and then what that gives it to do, until there is nothing more."""

    def live() -> None:
        doing: Callable[[], Any] | None = role
        while doing is not None:
            doing = doing()

    threading.Thread(target=live, name=name, daemon=True).start()
