"""The shape of errors."""

from __future__ import annotations

from typing import Any

import requests


def error(answer: requests.Response, status: int, kind: str) -> dict[str, Any]:
    """The error of an answer, which has the shape that all have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert set(found) == {"error"}
    assert set(found["error"]) == {"type", "message", "details"}
    assert found["error"]["type"] == kind, answer.text
    assert found["error"]["message"]
    return found["error"]
