"""Iterators that live on a replica: the generator there runs one item for each one asked for here."""

from __future__ import annotations

import asyncio
import queue
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any

import grpc

from operator_lib.client.connect import details_of
from operator_lib.errors import WorkerDied
from operator_lib.wire import codec, failure
from operator_lib.wire.proto import serving_pb2 as pb

Load = Callable[[bytes], Any]
# Raises what has become of a replica, if that is known.
Lost = Callable[[], object]


class _Pull:
    """The stream of one iterator: ask, then read one answer."""

    def __init__(self, session: Any, key: str, lost: Lost) -> None:
        self._lost = lost
        self._session = session
        self._closed = False
        if not session.use():
            lost()
            raise WorkerDied("the replica ended before the first item")
        self._asked: queue.SimpleQueue[pb.IterateRequest | None] = queue.SimpleQueue()
        self._key = key
        self._stream = session.stub.Iterate(self._requests(), metadata=session.metadata)

    def _requests(self) -> Iterator[pb.IterateRequest]:
        while (request := self._asked.get()) is not None:
            yield request

    def next(self, value: Any) -> tuple[int, bytes]:
        send = b"" if value is None else codec.dumps_call((value,), {}, what="send()")
        self._asked.put(pb.IterateRequest(iterator_id=self._key, send=send))
        parts: list[bytes] = []
        try:
            while True:
                answer = next(self._stream)
                parts.append(answer.payload)
                if not answer.more:
                    return answer.kind, b"".join(parts)
        except StopIteration:
            raise WorkerDied("the replica ended the stream before the last item") from None
        except grpc.RpcError as error:
            self._lost()
            raise WorkerDied(f"the replica ended before the last item: {details_of(error)}") from None

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._asked.put(None)
            self._session.let_go()


def iterate(session: Any, key: str, load: Load, lost: Lost) -> Generator[Any, Any, Any]:
    """A generator here for one over there. From now on, not from its first item on, its process is kept."""
    pull = _Pull(session, key, lost)
    found = _items(pull, load)
    weakref.finalize(found, pull.close).atexit = False  # one that was never begun has no end
    return found


def _items(pull: _Pull, load: Load) -> Generator[Any, Any, Any]:
    value: Any = None
    try:
        while True:
            kind, payload = pull.next(value)
            if kind == pb.STOP:
                return load(payload)
            if kind == pb.ERROR:
                raise failure.decode_failure(payload)
            value = yield load(payload)
    finally:
        pull.close()


def iterate_async(session: Any, key: str, load: Load, lost: Lost) -> AsyncGenerator[Any, Any]:
    """An async generator here for one over there."""
    pull = _Pull(session, key, lost)
    found = _items_async(pull, load)
    weakref.finalize(found, pull.close).atexit = False
    return found


async def _items_async(pull: _Pull, load: Load) -> AsyncGenerator[Any, Any]:
    value: Any = None
    try:
        while True:
            kind, payload = await asyncio.to_thread(pull.next, value)
            if kind == pb.STOP:
                return
            if kind == pb.ERROR:
                raise failure.decode_failure(payload)
            value = yield load(payload)
    finally:
        pull.close()
