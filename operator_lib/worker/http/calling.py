"""A call of a serving, from its request to its answer: ``POST /v1/servings/{name}[/{method}]``.

This is the hot path: it is its own ASGI application, so that a small call passes through nothing that it does not need.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from operator_lib.errors import NotFound, NotReady
from operator_lib.wire.proto.line_pb2 import Asked, Told
from operator_lib.worker.http.answering import PLAIN, Reply
from operator_lib.worker.http.arguments import Arguments
from operator_lib.worker.http.begun import BEGUN, Begun
from operator_lib.worker.http.body import is_json, read_json
from operator_lib.worker.http.endpoint import Endpoint
from operator_lib.worker.http.errors import CallerGone, refuse
from operator_lib.worker.http.exchange import Exchange
from operator_lib.worker.http.find import find, methods, version_of
from operator_lib.worker.http.head import Head
from operator_lib.worker.http.line import LineLost
from operator_lib.worker.http.lines import died, never_started, was_shared
from operator_lib.worker.http.sending import Files

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker
    from operator_lib.worker.serving import Serving

# Seconds for which a call is sent to another replica, because those asked were about to go; the first pause after that,
# and the longest.
GOING, PAUSE, LONGEST = 30.0, 0.002, 0.1
# How often one that may not have been at fault is sent again after the death of a replica.
DEATHS = 5


class Call:
    """ASGI application for one call; answers errors too."""

    def __init__(self, worker: Worker, row: Endpoint, head: Head, name: str, method: str) -> None:
        self.worker = worker
        self.head = head
        self.row = row
        self.name = name
        self.method = method

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        begun: Begun | None = scope.get(BEGUN)
        started = time.monotonic() if begun is None else begun.since
        known: Mapping[str, Arguments] = {}
        admitted = False
        reply = Reply(self.name, self.method, known, scope, send)
        try:
            query = self.row.query(Request(scope)) if scope["query_string"] else {}
            number = query.get("version", 0)
            serving = await (self.worker.servings.version(self.name, number) if number else self._serving())
            reply.known = known = await self._known(serving)
            if not self.method and "" not in known:
                raise NotFound(f"{self.name} cannot be called itself; its methods: {reply.names()}")
            if begun is None:  # else it has its place
                self.worker.lines.enter(self.name)
                admitted = True
            await self._pass_on(receive, serving, reply, query.get("timeout", 0.0), begun)
        except CallerGone:
            reply.status = 499
        except Exception as error:
            if not reply.begun:
                await reply.refused(refuse(error))
            elif not isinstance(error, (LineLost, TimeoutError)):
                raise
            # Else the status is out: without an end the connection is closed, so that nobody takes this for the whole.
        finally:
            if admitted:
                self.worker.lines.leave(self.name)
        method = self.method if self.method in known else ""
        self.worker.metrics.called(self.name if known else "", method, reply.status, time.monotonic() - started)

    async def _serving(self) -> Serving:
        """From memory; the store is asked for the words of an error."""
        serving = self.worker.servings.by_name.get(self.name)
        if serving is None or serving.version is None:
            await find(self.worker, self.name, "serving")
            serving = self.worker.servings.get(self.name)
        return serving

    async def _known(self, serving: Serving) -> Mapping[str, Arguments]:
        version = serving.version
        if version is None:
            version = await version_of(self.worker, await find(self.worker, self.name, "serving"))
        return methods(version)

    async def _pass_on(self, receive: Any, serving: Serving, reply: Reply, seconds: float, begun: Begun | None) -> None:
        head, arguments = self.head, reply.known.get(self.method)
        start = Asked(name=self.method, request_id=head.request_id.decode("latin-1"), traceparent=head.traceparent)
        if head.accept not in PLAIN:
            start.accept = head.accept[:2000]
        if seconds:
            start.seconds = seconds
        if not is_json(head.media):
            await self._with_files(receive, serving, reply, start, arguments)
            return
        value, start.payload = await read_json(head, receive)
        if arguments is not None:
            arguments.check(value)
        await pass_on(self.worker, serving, self.name, start, receive, seconds, reply.told, begun)

    async def _with_files(
        self, receive: Any, serving: Serving, reply: Reply, start: Asked, arguments: Arguments | None
    ) -> None:
        """The body goes to the replica as it comes: nothing of it stays here."""
        files = Files(self.head, receive, arguments)
        replica, line = await self.worker.lines.pick(serving)
        with Exchange(line, receive, start.seconds) as exchange:
            try:
                start.payload = await files.send(exchange)
                exchange.watch()
                start.id = exchange.id
                told = await exchange.ask(start)
            except LineLost:
                raise await died(replica, self.name, exchange) from None
            await reply.told(told, exchange, partial(died, replica, self.name, exchange))


Answered = Callable[[Told, Exchange, Callable[[], Awaitable[Exception]]], Awaitable[None]]


async def pass_on(
    worker: Worker,
    serving: Serving,
    name: str,
    start: Asked,
    receive: Any,
    seconds: float,
    answered: Answered,
    begun: Begun | None = None,
) -> None:
    """Have a replica carry out a call; one that has not started it is no end.

    Args:
        begun: has been asked for, and answered once.
        answered: gets the first answer, the exchange for more, and what says why the replica has died meanwhile.

    Raises:
        NotReady: no replica takes it. WorkerDied, OutOfMemory, OperatorTimeout: the replica ended with it.
    """
    deaths, pause, end = 0, PAUSE, time.monotonic() + GOING
    while time.monotonic() < end:
        replica, line = (begun.replica, begun.line) if begun is not None else await worker.lines.pick(serving)
        with begun.exchange(receive) if begun is not None else Exchange(line, receive, seconds) as exchange:
            exchange.watch()
            start.id = exchange.id
            try:
                told = exchange.heard(begun.told) if begun is not None else await exchange.ask(start)
            except LineLost:
                if await never_started(worker, replica, exchange):
                    begun = None
                    continue
                if start.name in ("", "forward") and deaths < DEATHS and await was_shared(worker, replica, exchange):
                    start.alone = True
                    deaths += 1
                    begun = None
                    continue
                raise await died(replica, name, exchange) from None
            if told.tell != Told.REFUSED:
                await answered(told, exchange, partial(died, replica, name, exchange))
                return
        begun = None
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST)
    raise NotReady(f"{name} is changing its version; try again")
