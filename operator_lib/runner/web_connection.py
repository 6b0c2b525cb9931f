"""A socket on which the worker passes on calls that came in over HTTP: see protos/line.proto."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operator_lib.engine.ledger import Page
from operator_lib.runner.web_call import WebCall
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto.line_pb2 import Asked, Told

if TYPE_CHECKING:
    from operator_lib.runner.line import Line

Job = Callable[[], "Told | None"]

_LENGTH = struct.Struct("<I")
_READ = 1 << 18
# Bytes that one message may have; the worker sends less.
LONGEST = 16 << 20
# Seconds after which an answer does not wait for others to travel with it, and bytes of such answers.
FLUSH = 0.001
PACK = 256 << 10
# After a call of so many seconds the next one may take long, too.
QUICK = 0.0002


class Connection:
    """One worker's end, and its calls by their ids. One thread at a time reads."""

    def __init__(self, line: Line, connected: socket.socket, page: Page) -> None:
        self.line = line
        self.page = page
        self.socket = connected
        self.calls: dict[int, WebCall] = {}
        self.unsent = 0
        self.over = threading.Event()
        self._room = memoryview(bytearray(_READ))  # memory of this size, got anew, would be three system calls
        self._heard = bytearray()
        self._inbox: deque[Asked] = deque()
        self._held: list[float] = []  # since when the thread that reads has a job; whoever takes that out reads on
        self._outbox: list[bytes] = []
        self._lock = threading.Lock()
        self._sending = threading.Lock()

    def read(self) -> Callable[[], Any] | None:
        """Until the worker hangs up, or somebody else reads; what the thread does next."""
        hangs_up = True
        try:
            while True:
                while self._inbox:
                    if not self._hear(self._inbox.popleft()):
                        hangs_up = False
                        return self.line.work
                if self.unsent:
                    self.flush()
                if not self._receive():
                    return None
        finally:
            if hangs_up:
                self.over.set()

    def look(self, before: float) -> bool:
        """Send what waits to be sent; have another thread read if this one has had a job since `before`. Whether there
        was anything.
        """
        held = bool(self._held)
        if held and self._held[:1] < [before] and self._take_over():
            self.line.read_on(self)
        unsent = bool(self.unsent)
        if unsent:
            self.flush()
        return held or unsent

    def _take_over(self) -> bool:
        """Whether the thread that reads had a job, and it is another one's turn to read now."""
        try:
            self._held.pop()
        except IndexError:
            return False
        return True

    def _receive(self) -> bool:
        """Wait for more. False when the worker has hung up, or says something that is no message."""
        try:
            count = self.socket.recv_into(self._room)
        except OSError:
            return False
        if not count:
            return False
        heard = self._heard
        heard += self._room[:count]
        start = 0
        while len(heard) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(heard, start)
            if length > LONGEST:
                return False
            end = start + _LENGTH.size + length
            if end > len(heard):
                break
            self._inbox.append(Asked.FromString(bytes(heard[start + _LENGTH.size : end])))
            start = end
        del heard[:start]
        return True

    def _hear(self, asked: Asked) -> bool:
        """Whether this thread reads on."""
        call = self.calls.get(asked.id)
        ask = asked.ask
        if ask == Asked.CANCEL:
            if call is not None:
                del self.calls[asked.id]
                call.cancel()
                return self._do(call.close)
            return True
        if ask == Asked.NEXT:
            return call is None or self._do(call.next)
        if call is None:
            if ask == Asked.START and self.line.draining:
                self.tell(Told(id=asked.id, tell=Told.REFUSED))
                return True
            call = self.calls[asked.id] = WebCall(asked.id, self.line.methods, self.page, self._over, self._batched)
        if ask != Asked.START:
            call.receive(asked)
            return True
        call.asked = asked
        call.counted = pb.Call(name=asked.name, traceparent=asked.traceparent, alone=asked.alone)
        self.line.methods.target.load.come(call.counted, time.monotonic())
        if not self.line.methods.collects(call):
            return self._do(call.start)
        if (told := call.start()) is not None:  # it does not fit; else it waits for its batch
            self.tell(told)
        return True

    def _do(self, job: Job) -> bool:
        """Carry it out here, or have it carried out. Whether this thread reads on."""
        line, held = self.line, self._held
        if not line.free:
            line.put(self, job)
            return True
        since = time.monotonic()
        held.append(since)
        line.watch()
        told = job()
        if told is not None:
            self.tell(told)
        if not self._take_over():
            line.count(-1)
            self.flush()
            return False
        if line.at_once or self.unsent > PACK or time.monotonic() - since > QUICK:
            self.flush()
        return True

    def _batched(self, job: Job) -> None:
        self.line.put_batched(self, job)

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
            self.line.put(self, call.close)
