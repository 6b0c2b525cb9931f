"""What stands before every HTTP route: Host, Origin, token; and errors in one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from operator_lib.errors import (
    AuthenticationError,
    NotFound,
    NotReady,
    OperatorError,
    OperatorTimeout,
    QueueFull,
    SerializationError,
)
from operator_lib.worker.config import loopback
from operator_lib.worker.tokens import bearer

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (AuthenticationError, 401),
    (NotFound, 404),
    (QueueFull, 429),
    (NotReady, 503),
    (OperatorTimeout, 504),
    (SerializationError, 422),
    (TypeError, 422),
    (ValueError, 400),
)
OPEN = frozenset({"/healthz"})
SERVING = "/v1/servings/"


def error_response(
    status: int, kind: str, message: str, details: Any = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """``{"error": {"type", "message", "details"}}``."""
    body = {"error": {"type": kind, "message": message, "details": details}}
    return JSONResponse(body, status, headers=headers)


def refuse(error: Exception) -> JSONResponse:
    """The response for one of our own errors."""
    status = next((code for kind, code in STATUSES if isinstance(error, kind)), 500)
    headers = {"Retry-After": str(max(1, round(error.retry_after)))} if isinstance(error, QueueFull) else None
    return error_response(status, type(error).__name__, str(error), headers=headers)


class Guard:
    """ASGI middleware: refuses foreign hosts and origins (a page in the user's browser), and whoever has no token."""

    def __init__(self, app: Any, worker: Worker) -> None:
        self.app = app
        self.worker = worker

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        refused = self.refusal(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except (OperatorError, ValueError, TypeError) as error:
            await refuse(error)(scope, receive, send)

    def refusal(self, scope: Any) -> JSONResponse | None:
        """Why this request is not let in, or None."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = hosts[0].decode("latin-1") if len(hosts) == 1 else ""
        if not self.known_host(host):
            return error_response(403, "Forbidden", f"unknown Host {host!r}: use the address that the worker gave")
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1") != f"http://{host}":
            return error_response(403, "Forbidden", "requests from other origins are refused")
        path: str = scope["path"]
        if path in OPEN:
            return None
        token = bearer(headers.get(b"authorization"))
        tokens = self.worker.tokens
        if tokens.is_owner(token):
            return None
        if path.startswith(SERVING) and token:
            row = self.worker.store.deployment(name=path.removeprefix(SERVING).split("/")[0], kind="serving")
            if row is not None and tokens.may_call(token, row.id):
                return None
        response = error_response(401, "AuthenticationError", "the token is missing or wrong")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response

    def known_host(self, host: str) -> bool:
        """The name in a Host header is one that we listen on."""
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        name = name.strip("[]")
        bound = self.worker.config.host
        if loopback(bound):
            return name != "" and loopback(name)
        return name == bound or (bound in ("0.0.0.0", "::") and name != "")
