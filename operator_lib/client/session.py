"""One long stream to one replica, shared by all threads: calls that wait travel in one message."""

from __future__ import annotations

import contextlib
import itertools
import queue
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import grpc

from operator_lib.client.connect import CHANNEL_OPTIONS
from operator_lib.wire.proto import serving_pb2 as pb
from operator_lib.wire.proto import serving_pb2_grpc as rpc

# Payloads are sent in parts of this size; a message holds no more than this beyond its first call.
PART = 1 << 20
MAX_CALLS = 512

# Told what became of a call: kind, payload. `LOST`: the replica went away first; the payload is the call's id.
LOST = -1
Reply = Callable[[int, bytes], None]


class Closed(Exception):
    """This session takes no calls any more; none was sent."""


class Session:
    """Calls in flight on one replica. `replica_id` names it to the worker."""

    def __init__(self, replica_id: str, address: str, token: str, on_end: Callable[[Session], None]) -> None:
        self.replica_id = replica_id
        self.address = address
        self.id = secrets.randbits(63) | 1
        self.metadata = (("authorization", f"Bearer {token}"), ("session", str(self.id)))
        self.pending: dict[int, Reply] = {}
        self.closing = False
        self._users = 1  # of the channel: the session itself, and iterators that are being read
        self.turn = 0  # of the router's, the last one that this got
        self._on_end = on_end
        self._ids = itertools.count(1)
        self._out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._channel = grpc.insecure_channel(address, CHANNEL_OPTIONS)
        self.stub: Any = rpc.CallsStub(self._channel)
        self._stream = self.stub.Session(self._requests(), metadata=self.metadata)
        self._farewell = self.stub.Farewell(pb.FarewellRequest(), metadata=self.metadata)
        threading.Thread(target=self._listen, name=f"farewell-{replica_id[-6:]}", daemon=True).start()
        threading.Thread(target=self._read, name=f"replica-{replica_id[-6:]}", daemon=True).start()

    def send(
        self,
        verb: int,
        name: str,
        segments: Sequence[Any],
        reply: Reply,
        environment: Mapping[str, str] | None = None,
        chain: str = "",
    ) -> int:
        """Send a call, with values of variables for it; `reply` is called exactly once, on another thread.

        Raises:
            Closed: take another session.
        """
        with self._lock:
            if self.closing:
                raise Closed
            call_id = next(self._ids)
            self.pending[call_id] = reply
            if len(segments) == 1 and len(segments[0]) <= PART and not environment and not chain:
                self._out.put(pb.Call(id=call_id, verb=verb, name=name, payload=segments[0]))  # type: ignore[arg-type]
            else:
                for call in _parts(call_id, verb, name, segments, environment or {}, chain):
                    self._out.put(call)
        return call_id

    def _requests(self) -> Iterator[pb.CallPack]:
        while (call := self._out.get()) is not None:
            pack, size = [call], len(call.payload)
            try:
                while size < PART and len(pack) < MAX_CALLS:
                    call = self._out.get_nowait()
                    if call is None:
                        yield pb.CallPack(calls=pack)
                        return
                    pack.append(call)
                    size += len(call.payload)
            except queue.Empty:
                pass
            yield pb.CallPack(calls=pack)

    def _read(self) -> None:
        partial: dict[int, list[bytes]] = {}
        pending = self.pending
        try:
            for pack in self._stream:
                for answer in pack.answers:
                    if answer.more:
                        partial.setdefault(answer.id, []).append(answer.payload)
                        continue
                    payload = answer.payload
                    if answer.id in partial:
                        payload = b"".join([*partial.pop(answer.id), payload])
                    reply = pending.pop(answer.id, None)
                    if reply is not None:
                        reply(answer.kind, payload)
                if self.closing and not pending:
                    self._out.put(None)
        except grpc.RpcError:
            pass
        finally:
            with self._lock:
                self.closing = True
                left = list(pending.items())
                pending.clear()
            self._out.put(None)
            self._on_end(self)
            for call_id, reply in left:
                reply(LOST, str(call_id).encode())
            self._farewell.cancel()
            self.let_go()

    def _listen(self) -> None:
        with contextlib.suppress(grpc.RpcError):
            for _ in self._farewell:
                self.close()

    def use(self) -> bool:
        """Keep the channel open until `let_go`, also when the session ends; False when it is closed already."""
        with self._lock:
            self._users += self._users > 0
            return self._users > 0

    def let_go(self) -> None:
        """What `use` was called for is over."""
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            self._channel.close()

    def close(self) -> None:
        """Take no new calls; end when those in flight are answered."""
        with self._lock:
            self.closing = True
            if not self.pending:
                self._out.put(None)


def _parts(
    call_id: int, verb: int, name: str, segments: Sequence[Any], environment: Mapping[str, str], chain: str
) -> Iterator[pb.Call]:
    pending = bytearray()
    for segment in segments:
        view = memoryview(segment).cast("B")
        while len(view):
            room = PART - len(pending)
            if room == 0:
                yield pb.Call(id=call_id, payload=bytes(pending), more=True)
                pending.clear()
                continue
            pending += view[:room]
            view = view[room:]
    last = pb.Call(id=call_id, verb=verb, name=name, payload=bytes(pending))  # type: ignore[arg-type]
    last.environment.update(environment)
    last.chain = chain
    yield last
