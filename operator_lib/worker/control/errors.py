"""Exceptions of the worker as gRPC statuses."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from operator_lib.errors import (
    AuthenticationError,
    DeployError,
    NotFound,
    NotReady,
    OptionError,
    PythonVersionMismatch,
    QueueFull,
)
from operator_lib.worker.blobs import NO_SPACE, BlobError, BlobMismatch, WrongOffset
from operator_lib.worker.store.base import Conflict, Refused, StoreAway, StoreError

log = logging.getLogger("operator_lib.worker")

CODES: tuple[tuple[type[BaseException], grpc.StatusCode], ...] = (
    (AuthenticationError, grpc.StatusCode.UNAUTHENTICATED),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (Conflict, grpc.StatusCode.ALREADY_EXISTS),
    (Refused, grpc.StatusCode.ALREADY_EXISTS),
    (QueueFull, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (StoreAway, grpc.StatusCode.UNAVAILABLE),
    (StoreError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    # An upload that went wrong is taken up again where it stands: for clients, a connection that broke.
    (WrongOffset, grpc.StatusCode.UNAVAILABLE),
    (BlobMismatch, grpc.StatusCode.UNAVAILABLE),
    (NotReady, grpc.StatusCode.UNAVAILABLE),
    (PythonVersionMismatch, grpc.StatusCode.FAILED_PRECONDITION),
    (DeployError, grpc.StatusCode.FAILED_PRECONDITION),
    (OptionError, grpc.StatusCode.INVALID_ARGUMENT),
    (ValueError, grpc.StatusCode.INVALID_ARGUMENT),
    (DecodeError, grpc.StatusCode.INVALID_ARGUMENT),
)


async def refuse(context: Any, error: Exception) -> None:
    """End the call with the status that fits. What is ours to mend is logged, and not shown."""
    if isinstance(error, grpc.aio.AioRpcError):  # what another worker has said
        kept = tuple((key, value) for key, value in error.trailing_metadata() or () if key == "retry-after")
        await context.abort(error.code(), error.details() or "", kept)
    for kind, code in CODES:
        if isinstance(error, kind):
            later = (("retry-after", f"{error.retry_after:g}"),) if isinstance(error, QueueFull) else ()
            await context.abort(code, str(error)[:4000], later)
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"the worker's disk is full: {error}"[:4000])
    if isinstance(error, BlobError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error)[:4000])
    log.error("worker: internal error", exc_info=error)
    await context.abort(grpc.StatusCode.INTERNAL, f"internal error of the worker ({type(error).__name__}); see its log")


def unary(method: Callable[..., Any]) -> Callable[..., Any]:
    """For methods with one answer."""

    @functools.wraps(method)
    async def call(self: Any, request: Any, context: Any) -> Any:
        try:
            return await method(self, request, context)
        except Exception as error:
            if isinstance(error, grpc.aio.AbortError):
                raise
            await refuse(context, error)

    return call


def stream(method: Callable[..., Any]) -> Callable[..., Any]:
    """For methods with a stream of answers."""

    @functools.wraps(method)
    async def call(self: Any, request: Any, context: Any) -> Any:
        try:
            async for item in method(self, request, context):
                yield item
        except Exception as error:
            if isinstance(error, grpc.aio.AbortError):
                raise
            await refuse(context, error)

    return call
