"""No gRPC method answers without a token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from grpc import aio

from operator_lib.worker.tokens import Tokens, bearer

# Answered to holders of a serving's own token as well; the method itself checks which serving.
SHARED = frozenset(f"/operator_lib.v1.Servings/{method}" for method in ("Connect", "Fate", "Stats"))
DENIED = (
    grpc.StatusCode.UNAUTHENTICATED,
    "the token is missing or wrong; pass token=, or set OPERATOR_LIB_TOKEN",
)


def shown(metadata: Any) -> str:
    """The token in a call's metadata."""
    return bearer(dict(metadata or ()).get("authorization"))


class RequireToken(aio.ServerInterceptor):
    """Refuses every call that does not show the worker's token, whatever the method, health and reflection included."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if self._tokens.is_owner(shown(handler_call_details.invocation_metadata)):
            return handler
        if handler_call_details.method in SHARED:
            return handler
        return _refusing(handler)


def _refusing(handler: Any) -> Any:
    async def unary(request: Any, context: Any) -> None:
        await context.abort(*DENIED)

    async def stream(request: Any, context: Any) -> Any:
        await context.abort(*DENIED)
        yield

    if handler is None:  # no such method: without a token not even that is said
        return grpc.unary_unary_rpc_method_handler(unary)
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[bool(handler.request_streaming), bool(handler.response_streaming)]
    return make(stream if handler.response_streaming else unary)
