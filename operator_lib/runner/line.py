"""Sockets on which the worker passes on calls that came in over HTTP: see protos/line.proto."""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from operator_lib.engine.ledger import Ledger, Page
from operator_lib.engine.process import ProcessSpec
from operator_lib.runner.calls import Target
from operator_lib.runner.web_call import WebCall
from operator_lib.runner.web_methods import WebMethods
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto.line_pb2 import Asked, Told

_LENGTH = struct.Struct("<I")
# Bytes that one message may have; the worker sends less.
LONGEST = 16 << 20
# Answers wait no longer than this (seconds) for others to travel with them, and no more than so many bytes do.
FLUSH = 0.001
PACK = 256 << 10


class Line:
    """Reads what the worker asks, and has `concurrency` threads carry it out."""

    def __init__(self, target: Target, spec: ProcessSpec, ledger: Ledger) -> None:
        self.target = target
        self.ledger = ledger
        self.draining = False
        self.methods = WebMethods(target)
        # A call that takes too long ends the process, and what waits to be sent with it.
        self.at_once = target.limits.any
        self.jobs: queue.SimpleQueue[tuple[Connection, Callable[[], Told | None]]] = queue.SimpleQueue()
        self.waiting = threading.Event()  # answers lie in an outbox
        self.connections: set[Connection] = set()
        for number in range(spec.concurrency):
            threading.Thread(target=self._work, name=f"web-call-{number}", daemon=True).start()
        threading.Thread(target=self._deliver, name="web-deliver", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether there are calls that have not come to their end."""
        return any(connection.calls for connection in list(self.connections))

    def shed(self, count: int) -> int:
        """Give up as many calls that have not begun, the last ones first; how many there were."""
        given = 0
        for connection in list(self.connections):
            for call in reversed(list(connection.calls.values())):
                if given < count and call.give_up():
                    connection.give_back(call)
                    given += 1
        return given

    def serve(self, connected: socket.socket, session: int) -> None:
        """Answer one worker, until it hangs up."""
        page = self.ledger.open(session)
        connection = Connection(self, connected, page)
        self.connections.add(connection)
        try:
            connection.read()
        finally:
            self.connections.discard(connection)
            connection.lost()
            page.close()

    def _work(self) -> None:
        """Carry out one thing after another; what is done within a moment is told in one go."""
        while True:
            connection, job = self.jobs.get()
            since = time.monotonic()
            while True:
                told = job()
                if told is not None:
                    connection.tell(told)
                try:
                    after, job = self.jobs.get_nowait()
                except queue.Empty:
                    connection.flush()
                    break
                full = connection.unsent > PACK or time.monotonic() - since > FLUSH
                if full or self.at_once or after is not connection:
                    connection.flush()
                    since = time.monotonic()
                elif not self.waiting.is_set():
                    self.waiting.set()  # should the next one take long, the answers before it do not wait for it
                connection = after

    def _deliver(self) -> None:
        while True:
            self.waiting.wait()
            time.sleep(FLUSH)
            self.waiting.clear()
            for connection in list(self.connections):
                connection.flush()


class Connection:
    """One worker's end, and its calls by their ids."""

    def __init__(self, line: Line, connected: socket.socket, page: Page) -> None:
        self.line = line
        self.page = page
        self.socket = connected
        self.calls: dict[int, WebCall] = {}
        self.unsent = 0
        self._outbox: list[bytes] = []
        self._lock = threading.Lock()
        self._sending = threading.Lock()

    def read(self) -> None:
        """Until the worker hangs up."""
        for asked in messages(self.socket):
            self._hear(asked)

    def _hear(self, asked: Asked) -> None:
        call = self.calls.get(asked.id)
        if asked.ask == Asked.CANCEL:
            if call is not None:
                del self.calls[asked.id]
                call.cancel()
                self._do(call.close)
            return
        if asked.ask == Asked.NEXT:
            if call is not None:
                self._do(call.next)
            return
        if call is None:
            if self.line.draining and asked.ask == Asked.START:
                self.tell(Told(id=asked.id, tell=Told.REFUSED))
                self.flush()
                return
            call = self.calls[asked.id] = WebCall(asked.id, self.line.methods, self.page, self._over, self._do)
        if asked.ask == Asked.START:
            call.asked = asked
            call.counted = pb.Call(name=asked.name, traceparent=asked.traceparent, alone=asked.alone)
            self.line.methods.target.load.come(call.counted, time.monotonic())
            if not self.line.methods.collects(call):
                self._do(call.start)
            elif (told := call.start()) is not None:  # it does not fit; else it waits for its batch
                self.tell(told)
                self.flush()
        else:
            call.receive(asked)

    def _do(self, job: Callable[[], Told | None]) -> None:
        self.line.jobs.put((self, job))

    def _over(self, call: WebCall) -> None:
        self.calls.pop(call.id, None)
        if call.counted is not None:
            self.line.methods.target.load.end(call.counted, call.failed)
            call.counted = None

    def give_back(self, call: WebCall) -> None:
        """Another replica is to carry it out."""
        self.calls.pop(call.id, None)
        if call.counted is not None:
            self.line.methods.target.load.drop(call.counted)
        self.tell(Told(id=call.id, tell=Told.REFUSED))
        self.flush()

    def tell(self, told: Told) -> None:
        """Put it in the outbox."""
        data = told.SerializeToString()
        with self._lock:
            self._outbox += (_LENGTH.pack(len(data)), data)
            self.unsent += len(data)

    def flush(self) -> None:
        """Send what is in the outbox. Whom nobody listens to is not told so: the reader notices."""
        with self._sending:
            with self._lock:
                going, self._outbox, self.unsent = self._outbox, [], 0
            if going:
                with contextlib.suppress(OSError):
                    self.socket.sendall(b"".join(going))

    def lost(self) -> None:
        """The worker hung up: nobody waits for anything."""
        calls, self.calls = list(self.calls.values()), {}
        for call in calls:
            call.cancel()
            self._do(call.close)


def messages(connected: socket.socket) -> Iterator[Asked]:
    """What is asked, until the other end hangs up or says something that is no message."""
    heard = bytearray()
    while True:
        try:
            data = connected.recv(1 << 18)
        except OSError:
            return
        if not data:
            return
        heard += data
        start = 0
        while len(heard) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(heard, start)
            if length > LONGEST:
                return
            end = start + _LENGTH.size + length
            if end > len(heard):
                break
            asked: Any = Asked.FromString(bytes(heard[start + _LENGTH.size : end]))
            start = end
            yield asked
        del heard[:start]
