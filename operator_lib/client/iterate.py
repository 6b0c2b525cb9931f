"""Iterators that live on a replica: the generator there runs one item for each one asked for here."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from operator_lib.client.session import Session
from operator_lib.errors import WorkerDied
from operator_lib.wire import codec, failure, stream
from operator_lib.wire.frames import Buffer
from operator_lib.wire.proto import serving_pb2 as pb

Load = Callable[[Buffer], Any]
# Raises what has become of a replica, if that is known.
Lost = Callable[[], object]


class _Pull:
    """The connection of one iterator: ask, then read one answer."""

    def __init__(self, session: Session, key: str, lost: Lost) -> None:
        self._lost = lost
        self._key = key
        try:
            self._socket = session.connect(stream.ITEMS)
        except OSError:
            lost()
            raise WorkerDied("the replica ended before the first item") from None
        self._answers = (answer for together in stream.frames(self._socket) for answer in together)

    def next(self, value: Any) -> tuple[int, Buffer]:
        send = b"" if value is None else codec.dumps_call((value,), {}, what="send()")
        request = pb.IterateRequest(iterator_id=self._key, send=send)
        try:
            stream.send(self._socket, stream.frame(request))
            found = next(self._answers, None)
        except OSError as error:
            self._lost()
            raise WorkerDied(f"the replica ended before the last item: {error}") from None
        if found is None:
            self._lost()
            raise WorkerDied("the replica ended the stream before the last item")
        message, beside = found
        answer = pb.Answer.FromString(message)
        return answer.kind, answer.payload if beside is None else beside

    def close(self) -> None:
        with contextlib.suppress(OSError):  # wakes up whoever waits for an item
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def iterate(session: Session, key: str, load: Load, lost: Lost) -> Generator[Any, Any, Any]:
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


def iterate_async(session: Session, key: str, load: Load, lost: Lost) -> AsyncGenerator[Any, Any]:
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
