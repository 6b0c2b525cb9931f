"""Servings that another worker holds: what is asked of them here is asked there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
from grpc import aio

from operator_lib.errors import AuthenticationError, NotReady
from operator_lib.worker.auth import DENIED, shown
from operator_lib.worker.runs import Runs
from operator_lib.worker.servings import Servings
from operator_lib.worker.store.base import Store, WorkerRow
from operator_lib.worker.tls import Certificate
from operator_lib.worker.tokens import Tokens

# Seconds between looks while a serving is being taken over, and for which that is waited for: longer than it takes.
PAUSE, PATIENCE = 0.25, 15.0
# Seconds of silence after which a worker is not asked: its port may be another program's by now.
DOUBT = 3.0
# Of a call, what goes on with it.
PASSED = frozenset({"authorization", "traceparent"})
_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED)
OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", 64 << 20)]


class Elsewhere:
    """Who holds which serving, and the connections there."""

    def __init__(
        self, store: Store, runs: Runs, servings: Servings, tokens: Tokens, certificate: Certificate | None
    ) -> None:
        self._tokens = tokens
        self._store = store
        self._runs = runs
        self._servings = servings
        self._certificate = certificate
        self._channels: dict[str, aio.Channel] = {}

    @property
    def possible(self) -> bool:
        """Whether there may be other workers."""
        return self._runs.queue.peers is not None

    async def holder(self, name: str) -> WorkerRow | None:
        """The worker that holds a serving, where that is another one.

        Raises:
            NotReady: its worker was lost, and nobody has taken it over in time.
        """
        end = time.monotonic() + PATIENCE
        while self.possible and name not in self._servings.by_name:
            row = await self._store.deployment(name=name, kind="serving")
            if row is None or (not row.owner and not row.live_version):
                return None
            if row.owner and row.owner != self._runs.queue.me:
                found = await self._store.worker(row.owner)
                if found is not None and found.silent < DOUBT:
                    return found
            if time.monotonic() > end:
                raise NotReady(f"{name} is being taken over from a worker that was lost; try again in a moment")
            await asyncio.sleep(PAUSE)
        return None

    async def ask(self, name: str, stub: Callable[[Any], Any], method: str, request: Any, context: Any) -> Any:
        """The answer of the worker that holds a serving; None where that is this one. One that is lost is waited for,
        until another has taken over.

        Raises:
            AuthenticationError: the caller may not call it.
            grpc.RpcError: the refusal of the other worker.
        """
        end = time.monotonic() + PATIENCE
        while (there := await self.holder(name)) is not None:
            await self._admit(name, context)
            try:
                call = getattr(stub(self._channel(there)), method)
                return await call(request, metadata=passed(context), timeout=context.time_remaining())
            except grpc.RpcError as error:
                # The port of one that was lost may be another's by now, who does not know our token.
                if code(error) not in _GONE or time.monotonic() > end:
                    raise
            await asyncio.sleep(PAUSE)
        return None

    async def stream(
        self, name: str, stub: Callable[[Any], Any], method: str, request: Any, context: Any
    ) -> AsyncIterator[Any] | None:
        """The same for a stream of answers."""
        there = await self.holder(name)
        if there is None:
            return None
        return getattr(stub(self._channel(there)), method)(request, metadata=passed(context))

    async def _admit(self, name: str, context: Any) -> None:
        row = await self._store.deployment(name=name, kind="serving")
        if row is not None and not self._tokens.may_call(shown(context.invocation_metadata()), row.id):
            raise AuthenticationError(DENIED[1])

    def _channel(self, there: WorkerRow) -> aio.Channel:
        address = there.grpc_address
        if address not in self._channels:
            self._channels[address] = self._open(address)
        return self._channels[address]

    def _open(self, address: str) -> aio.Channel:
        if self._certificate is None:
            return aio.insecure_channel(address, OPTIONS)
        # All workers behind one address show the same certificate.
        credentials = grpc.ssl_channel_credentials(self._certificate.chain)
        name = self._certificate.names[0].replace("*.", "any.")
        return aio.secure_channel(address, credentials, [*OPTIONS, ("grpc.ssl_target_name_override", name)])

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()


def passed(context: Any) -> tuple[tuple[str, str], ...]:
    """Who calls, and for which trace."""
    return tuple((key, value) for key, value in context.invocation_metadata() or () if key in PASSED)


def code(error: grpc.RpcError) -> Any:
    return error.code() if isinstance(error, aio.AioRpcError) else None
