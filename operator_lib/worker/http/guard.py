"""What stands before every HTTP route: Host, Origin, token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from operator_lib.worker.config import loopback
from operator_lib.worker.http.errors import error_response
from operator_lib.worker.tokens import bearer

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

OPEN = frozenset({"/healthz"})
SERVING = "/v1/servings/"
# Whatever else is sent as a method is counted as "other": a label for each word would be without end.
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "DELETE"})


class Guard:
    """ASGI middleware: refuses foreign hosts and origins (a page in the user's browser), and whoever has no token."""

    def __init__(self, app: Any, worker: Worker) -> None:
        self.app = app
        self.worker = worker

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        method = str(scope["method"])

        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.worker.metrics.requested(method if method in METHODS else "other", message["status"])
            await send(message)

        await (self.refusal(scope) or self.app)(scope, receive, counted)

    def refusal(self, scope: Any) -> Response | None:
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
