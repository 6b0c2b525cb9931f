"""What stands before every HTTP route: Host, Origin, token; and around it: request ids, counting, the access log."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from operator_lib.telemetry.trace_context import TraceContext
from operator_lib.worker import tls
from operator_lib.worker.config import loopback
from operator_lib.worker.dashboard.assets import asset, document
from operator_lib.worker.http import origins
from operator_lib.worker.http.begun import BEGUN
from operator_lib.worker.http.errors import error_response
from operator_lib.worker.http.head import Head
from operator_lib.worker.http.passed import MANAGED, Passed
from operator_lib.worker.http.servings import PREFIX, call_of
from operator_lib.worker.http.torchserve.predict import predict_of
from operator_lib.worker.tokens import bearer

if TYPE_CHECKING:
    from operator_lib.worker.app import Worker

log = logging.getLogger("operator_lib.access")

OPEN = frozenset({"/healthz", "/readyz"})
TORCHSERVE = ("/workflows", "/wfpredict")
# Whatever else is sent as a method is counted as "other": a label for each word would be without end.
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "DELETE"})
_REQUEST_ID = re.compile(rb"[!-~]{1,128}")


class Guard:
    """ASGI middleware: refuses foreign hosts and origins (a page in the user's browser), and whoever has no token."""

    def __init__(self, app: Any, worker: Worker) -> None:
        self.app = app
        self.worker = worker
        self.origins = worker.config.allow_origins
        self._prefix = secrets.token_hex(6).encode()
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        head = scope["head"] = Head(scope["method"], scope["path"], scope["headers"])
        begun = scope.get(BEGUN)
        head.request_id = self.request_id(head.request_id) if begun is None else begun.request_id
        added = [(b"x-request-id", head.request_id)]
        if head.origin is not None:
            added += origins.headers(head.origin, self.origins)
        tracing = self.worker.tracing
        span = tracing.begin(head) if tracing.on and head.method == "POST" else None
        status, started = 0, time.monotonic()

        async def counted(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *added]
                self.worker.metrics.requested(head.method if head.method in METHODS else "other", status)
            await send(message)

        try:
            await self._chosen(head)(scope, receive, counted)
        finally:
            if begun is not None:
                begun.over()
            if span is not None:
                tracing.end(span, head, status)
            if self.worker.config.access_log:
                took = (time.monotonic() - started) * 1000
                path = scope["raw_path"].decode("latin-1")  # as it was sent: nothing in it can end a line
                trace = TraceContext.parse(head.traceparent)
                about = head.method, path, status or "-", took, head.request_id.decode("latin-1")
                log.info("%s %s %s %.1f ms, request %s%s", *about, f", trace {trace.trace_id}" if trace else "")

    def request_id(self, given: bytes) -> bytes:
        """That of the caller, or a new one."""
        if given and _REQUEST_ID.fullmatch(given):
            return given
        return b"%b%08x" % (self._prefix, next(self._numbers))

    def refusal(self, head: Head) -> Response | None:
        """What a request is answered with that comes from a stranger, or without the token."""
        return self._stranger(head) or self.without_token(head, self._deployment(head.path))

    def _chosen(self, head: Head) -> Any:
        """What answers."""
        refusal = self._stranger(head)
        if refusal is not None:
            return refusal
        below = head.path.startswith(PREFIX)
        if head.method == "OPTIONS" and head.origin in self.origins:  # a browser asks before it sends what a page wants
            return origins.preflight()
        if below and head.method in ("GET", "HEAD") and "text/html" in head.accept and _of_serving(head.path):
            return document("serving.html")
        if head.method in ("GET", "HEAD") and (page := asset(head.path)) is not None:
            return page
        if self.worker.elsewhere.possible and (name := self._unknown(head.path)):
            return Passed(self, head, name)
        return self.without_token(head, self._deployment(head.path)) or self.answering(head)

    def answering(self, head: Head) -> Any:
        """What answers a request that is allowed, as far as it is about what is here."""
        below = head.path.startswith(PREFIX)
        if not below and (predict := predict_of(self.worker, head.path)) is not None:
            return predict
        call = call_of(self.worker, head) if below and head.method == "POST" else None
        return call or self.app

    def _stranger(self, head: Head) -> Response | None:
        """Why this request is not even looked at: it is meant for somebody else, or comes from a foreign page."""
        host = head.hosts[0] if len(head.hosts) == 1 else ""
        if not self.known_host(host):
            return error_response(403, "Forbidden", f"unknown Host {host!r}: use the address that the worker gave")
        if head.origin is not None and not origins.allowed(head.origin, self._own(host), self.origins):
            return error_response(403, "Forbidden", "requests from other origins are refused")
        return None

    def _own(self, host: str) -> str:
        """The origin of the worker's own pages."""
        return f"{'https' if self.worker.certificate else 'http'}://{host}"

    def without_token(self, head: Head, deployment: str) -> Response | None:
        """Why a request may not do what it wants; `deployment`: the id of the serving that it is for."""
        path = head.path
        if path in OPEN:
            return None
        if self.worker.config.disable_token_auth and path.lower().startswith(TORCHSERVE):
            return None
        token = bearer(head.authorization)
        tokens = self.worker.tokens
        if tokens.may_call(token, deployment) if deployment else tokens.is_owner(token):
            return None
        response = error_response(401, "AuthenticationError", "the token is missing or wrong")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response

    def _deployment(self, path: str) -> str:
        """The id of the serving of a path, "" without one. From memory: all that have a version are there."""
        if not path.startswith(PREFIX):
            return ""
        serving = self.worker.servings.by_name.get(path[len(PREFIX) :].partition("/")[0])
        if serving is not None and not serving.closed:
            return serving.deployment.id
        return ""

    def _unknown(self, path: str) -> str:
        """The serving of a path that this worker does not have: another one may."""
        prefix = next((start for start in (PREFIX, MANAGED) if path.startswith(start)), None)
        name = path[len(prefix) :].partition("/")[0] if prefix else ""
        return "" if name in self.worker.servings.by_name else name

    def known_host(self, host: str) -> bool:
        """The name in a Host header is one that we listen on."""
        certificate = self.worker.certificate
        return _known_host(host, self.worker.config.host) or (
            certificate is not None and tls.covers(certificate.names, _name(host))
        )


def _of_serving(path: str) -> bool:
    """It is the URL of a serving, with or without the slash at its end."""
    name, _, more = path.removeprefix(PREFIX).partition("/")
    return bool(name) and not more


def _name(host: str) -> str:
    """A Host header without its port."""
    return (host.rsplit(":", 1)[0] if not host.endswith("]") else host).strip("[]")


@lru_cache(maxsize=256)
def _known_host(host: str, bound: str) -> bool:
    name = _name(host)
    if loopback(bound):
        return name != "" and loopback(name)
    return name == bound or (bound in ("0.0.0.0", "::") and name != "")
