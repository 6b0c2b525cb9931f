"""Requests for a serving that another worker holds: passed on to that one, and its answer back, as they come."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import h11

from operator_lib.errors import NotReady
from operator_lib.worker.elsewhere import PATIENCE, PAUSE
from operator_lib.worker.http.errors import refuse
from operator_lib.worker.store.base import StoreError, WorkerRow

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker
    from operator_lib.worker.http.guard import Guard
    from operator_lib.worker.http.head import Head

# Below it everything is about what the worker knows that holds the serving.
MANAGED = "/v1/deployments/serving/"
# They are of one connection; the origin was checked here.
_OWN = frozenset({b"connection", b"host", b"origin", b"keep-alive", b"upgrade", b"te", b"proxy-connection"})
# What this worker says itself, on its own connection.
_ANSWERED = _OWN | {b"x-request-id", b"transfer-encoding", b"date", b"server"}
CHUNK = 1 << 16


class Passed:
    """ASGI application for one request about a serving that is not this worker's, if it is another's."""

    def __init__(self, guard: Guard, head: Head, name: str) -> None:
        self.guard = guard
        self.head = head
        self.name = name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        worker = self.guard.worker
        try:
            row = await worker.store.deployment(name=self.name, kind="serving")
            refusal = self.guard.without_token(self.head, row.id if row is not None else "")
            looks = self.head.method in ("GET", "HEAD") and not self.head.path.startswith(MANAGED)
            link = None if refusal or looks else await _connect(worker, self.name)
        except (NotReady, StoreError) as problem:
            await refuse(problem)(scope, receive, send)
            return
        if link is None:
            await (refusal or self.guard.answering(self.head))(scope, receive, send)
            return
        begun = False

        async def told(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await pass_on(*link, scope, receive, told)
        except (OSError, h11.RemoteProtocolError, Stranger) as problem:
            if begun:  # without an end the connection is closed, so that nobody takes this for the whole
                return
            words = f"the worker that holds {self.name} does not answer ({problem}); try again in a moment"
            await refuse(NotReady(words))(scope, receive, send)


class Stranger(Exception):
    """The port of a worker that was lost is another's by now: the token was good."""


async def _connect(worker: Worker, name: str) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter] | None:
    """A connection to the worker that holds a serving, and its name; None where this one does. One that is lost is
    waited for, until another has taken over.

    Raises:
        NotReady: that takes too long.
    """
    end = time.monotonic() + PATIENCE
    while (there := await worker.elsewhere.holder(name)) is not None:
        where = urlsplit(there.url)
        try:
            reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=_trusted(worker, there))
            return where.netloc, reader, writer
        except OSError as problem:
            if time.monotonic() > end:
                raise NotReady(f"the worker that holds {name} does not answer: {problem}") from problem
        await asyncio.sleep(PAUSE)
    return None


async def pass_on(
    host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scope: Any, receive: Any, send: Any
) -> None:
    """One request and its answer.

    Raises:
        OSError, h11.RemoteProtocolError: the other worker does not answer, or not to the end.
        Stranger: it is none of ours.
    """
    link = h11.Connection(h11.CLIENT)
    sending = asyncio.ensure_future(_send(host, scope, receive, writer, link))
    answering = asyncio.ensure_future(_answer(reader, link, send))
    try:
        await asyncio.wait([sending, answering], return_when=asyncio.FIRST_COMPLETED)
        # Sending ends when the caller goes away; or breaks off, when the answer came before all was sent.
        if answering.done() or sending.exception() is not None:
            await answering
    finally:
        for task in (sending, answering):
            task.cancel()
        await asyncio.gather(sending, answering, return_exceptions=True)
        writer.close()


async def _send(host: str, scope: Any, receive: Any, writer: asyncio.StreamWriter, link: h11.Connection) -> None:
    """The request; then wait for the caller to go away."""
    headers = [(name, value) for name, value in scope["headers"] if name not in _OWN]
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    headers += [(b"host", host.encode()), (b"connection", b"close")]
    writer.write(link.send(h11.Request(method=scope["method"], target=target, headers=headers)) or b"")
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if data := message.get("body"):
            writer.write(link.send(h11.Data(data=data)) or b"")
            await writer.drain()
        if not message.get("more_body"):
            break
    writer.write(link.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    with contextlib.suppress(RuntimeError):
        while (await receive())["type"] != "http.disconnect":
            pass


async def _answer(reader: asyncio.StreamReader, link: h11.Connection, send: Any) -> None:
    while True:
        event = link.next_event()
        if event is h11.NEED_DATA:
            link.receive_data(await reader.read(CHUNK))
        elif isinstance(event, h11.Response):
            if event.status_code == 401:
                raise Stranger("another program has its port")
            headers = [(name, value) for name, value in event.headers if name not in _ANSWERED]
            await send({"type": "http.response.start", "status": event.status_code, "headers": headers})
        elif isinstance(event, h11.Data):
            await send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
        elif isinstance(event, h11.EndOfMessage):
            await send({"type": "http.response.body", "body": b""})
            return


def _trusted(worker: Worker, there: WorkerRow) -> ssl.SSLContext | None:
    """All workers behind one address show the same certificate."""
    if worker.certificate is None or not there.url.startswith("https"):
        return None
    context = ssl.create_default_context(cadata=worker.certificate.chain.decode())
    context.check_hostname = False
    return context
