"""Errors in one shape, whatever went wrong: ``{"error": {"type", "message", "details"}}``."""

from __future__ import annotations

import logging
from typing import Any

from starlette.responses import JSONResponse, Response

from operator_lib.errors import (
    AuthenticationError,
    Cancelled,
    NotFound,
    NotReady,
    OperatorError,
    OperatorTimeout,
    PythonVersionMismatch,
    QueueFull,
    RequestError,
    SerializationError,
)
from operator_lib.worker.blobs import NO_SPACE
from operator_lib.worker.store.base import Conflict, Refused, StoreError

log = logging.getLogger("operator_lib.worker")


class Refusal(OperatorError):
    """A request that cannot be served, with the HTTP status that says why.

    Attributes: ``status``, ``kind`` (the type that the caller sees), ``details`` (JSON), ``headers``.
    """

    def __init__(
        self, status: int, kind: str, message: str, details: Any = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.details = details
        self.headers = headers


class CallerGone(Refusal):
    """Nobody is there to be answered; the status is what access logs show, as elsewhere."""

    def __init__(self) -> None:
        super().__init__(499, "CallerGone", "the caller went away")


# The first that fits.
STATUSES: tuple[tuple[type[BaseException], int], ...] = (
    (AuthenticationError, 401),
    (NotFound, 404),
    (QueueFull, 429),
    (Conflict, 409),
    (Refused, 409),
    (Cancelled, 409),
    (NotReady, 503),
    (StoreError, 503),
    (OperatorTimeout, 504),
    (RequestError, 400),
    (PythonVersionMismatch, 409),
    (SerializationError, 422),
    (TypeError, 422),
    (ValueError, 400),
)


def status_of(error: BaseException) -> int:
    """The HTTP status of one of our own errors."""
    return next((code for kind, code in STATUSES if isinstance(error, kind)), 500)


def error_response(
    status: int, kind: str, message: str, details: Any = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """``{"error": {"type", "message", "details"}}``."""
    body = {"error": {"type": kind, "message": message, "details": details}}
    return JSONResponse(body, status, headers=headers)


def refuse(error: Exception) -> Response:
    """The response for any exception. What is ours to mend is logged, and not shown."""
    if isinstance(error, Refusal):
        return error_response(error.status, error.kind, str(error), error.details, error.headers)
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return error_response(503, "StoreError", f"the worker's disk is full: {error}")
    if not isinstance(error, (OperatorError, ValueError, TypeError)):
        log.error("worker: internal error", exc_info=error)
        return error_response(500, "InternalError", "internal error of the worker; see its log")
    return error_response(status_of(error), type(error).__name__, str(error), headers=when_again(error))


def when_again(error: Exception) -> dict[str, str] | None:
    """Headers that say when to try again, where that helps."""
    return {"Retry-After": str(max(1, round(error.retry_after)))} if isinstance(error, QueueFull) else None
