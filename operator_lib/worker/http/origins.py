"""Which web pages may use the worker: its own, and those of the origins that it was started with (CORS)."""

from __future__ import annotations

from collections.abc import Collection

from starlette.responses import Response

Headers = list[tuple[bytes, bytes]]

# What a page may send and read beyond what browsers always let it. Seconds for which the browser remembers.
_SENT = b"Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-ID"
_READ = b"Allow, Location, Retry-After, X-Request-ID"
_REMEMBERED = b"600"


def allowed(origin: str, own: str, origins: Collection[str]) -> bool:
    """Whether a page of this origin may ask; `own` is the worker's, as it was asked."""
    return origin == own or origin in origins


def headers(origin: str, origins: Collection[str]) -> Headers:
    """What lets the page read the answer."""
    if origin not in origins:
        return []
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _READ),
        (b"vary", b"Origin"),
    ]


def preflight() -> Response:
    """The answer to the question that a browser asks before it sends what the page wants."""
    response = Response(status_code=204)
    response.raw_headers += [
        (b"access-control-allow-methods", b"GET, HEAD, POST, DELETE"),
        (b"access-control-allow-headers", _SENT),
        (b"access-control-max-age", _REMEMBERED),
    ]
    return response
