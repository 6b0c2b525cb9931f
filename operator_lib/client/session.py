"""One connection to one replica, shared by all threads: calls that wait travel in one message."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence

from operator_lib.client.outbox import Outbox
from operator_lib.wire import stream
from operator_lib.wire.frames import Buffer
from operator_lib.wire.proto import serving_pb2 as pb

# Told what became of a call: kind, payload. `LOST`: the replica went away first; the payload is the call's id.
LOST = -1
Reply = Callable[[int, Buffer], None]


class Closed(Exception):
    """This session takes no calls any more; none was sent."""


class Session:
    """Calls in flight on one replica. `replica_id` names it to the worker."""

    def __init__(self, replica_id: str, place: stream.Place, on_end: Callable[[Session], None]) -> None:
        """`on_end` is called when it has ended, or could not begin."""
        self.replica_id = replica_id
        self.id = secrets.randbits(63) | 1
        self.pending: dict[int, Reply] = {}
        self.closing = False
        self.turn = 0  # of the router's, the last one that this got
        self._place = place
        self._on_end = on_end
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._said_last = False
        self._socket: socket.socket | None = None
        try:
            self._socket = self.connect(stream.CALLS)
            self._outbox = Outbox(self._socket)
        except OSError:  # it has gone: calls are told `Closed`
            self.closing = True
        threading.Thread(target=self._work, name=f"replica-{replica_id[-6:]}", daemon=True).start()

    def connect(self, kind: str) -> socket.socket:
        """A connection to the replica. Raises OSError."""
        return stream.connect(self._place, kind, self.id)

    def send(
        self,
        verb: int,
        name: str,
        segments: Sequence[Buffer],
        reply: Reply,
        environment: Mapping[str, str] | None = None,
        chain: str = "",
        traceparent: str = "",
        alone: bool = False,
    ) -> int:
        """Send a call, with values of variables for it; `reply` is called exactly once, on another thread.

        `segments` that are large must not change until then.

        Raises:
            Closed: take another session.
        """
        beside: Sequence[Buffer] = ()
        if len(segments) == 1 and len(segments[0]) <= stream.LARGE:
            payload = bytes(segments[0])
        elif sum(map(len, segments)) <= stream.LARGE:
            payload = b"".join(segments)
        else:
            payload, beside = b"", segments
        call = pb.Call(verb=verb, name=name, payload=payload, environment=environment, chain=chain)  # type: ignore[arg-type]
        if traceparent:
            call.traceparent = traceparent
        if alone:
            call.alone = True
        with self._lock:
            if self.closing:
                raise Closed
            call.id = call_id = next(self._ids)
            self.pending[call_id] = reply
            message = stream.frame(pb.CallPack(calls=(call,)), beside)
            mine = self._outbox.put(message)
        if mine:
            self._outbox.send(len(self.pending) - 1)
        return call_id

    def _work(self) -> None:
        try:
            if self._socket is not None:
                with self._socket:
                    self._read(self._socket)
        finally:
            with self._lock:
                self.closing = True
                left = list(self.pending.items())
                self.pending.clear()
            if self._socket is not None:
                self._outbox.close()
            self._on_end(self)
            for call_id, reply in left:
                reply(LOST, str(call_id).encode())

    def _read(self, connected: socket.socket) -> None:
        take = self.pending.pop
        with contextlib.suppress(OSError):
            for together in stream.frames(connected):
                for message, beside in together:
                    pack = pb.AnswerPack.FromString(message)
                    for answer in pack.answers:
                        reply = take(answer.id, None)
                        if reply is not None:
                            reply(answer.kind, answer.payload if beside is None else beside)
                    if pack.going:
                        self.closing = True
                if self.closing:
                    self.close()

    def close(self) -> None:
        """Take no new calls; end when those in flight are answered."""
        with self._lock:
            self.closing = True
            if self._socket is None or self.pending or self._said_last:
                return
            self._said_last = True
            mine = self._outbox.put(stream.frame(pb.CallPack(last=True)))
        if mine:
            self._outbox.send()
