"""Answers in the shapes of the original: two spaces of indentation, a newline, errors with code, type and message."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response


class Refused(Exception):
    """A request that is refused, with what the caller reads."""

    def __init__(self, code: int, kind: str, message: str | None) -> None:
        super().__init__(message or kind)
        self.message = message
        self.code = code
        self.kind = kind


# What every answer carries.
HEADERS = {
    "pragma": "no-cache",
    "cache-control": "no-cache; no-store, must-revalidate, private",
    "expires": "Thu, 01 Jan 1970 00:00:00 UTC",
}


def shown(value: Any, code: int = 200) -> Response:
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return Response(text, code, HEADERS, media_type="application/json")


def error(code: int, kind: str, message: str | None) -> Response:
    """Closed afterwards, as the original does."""
    response = shown({"code": code, "type": kind, **({} if message is None else {"message": message})}, code)
    response.headers["connection"] = "close"
    return response


def no_such_method(method: str, allowed: str) -> Response:
    """To what is asked of a path that does not take it; and what it takes."""
    if method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allowed + ", OPTIONS"})
    words = "Requested method is not allowed, please refer to API document."
    response = error(405, "MethodNotAllowedException", words)
    response.headers["Allow"] = allowed
    return response


def not_found(name: str) -> Refused:
    return Refused(404, "WorkflowNotFoundException", f"Workflow not found: {name}")


def no_version(name: str, number: int) -> Refused:
    return Refused(404, "WorkflowVersionNotFoundException", f"Workflow version: {number} does not exist for: {name}")
