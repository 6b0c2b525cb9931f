"""Calls whose bytes come in any form: whichever way they take through the worker, the answers are the same."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

AREA, ECHO, BOOM = "area", "web-store/echo", "web-store/boom"


@pytest.fixture
def line(api: Any) -> Iterator[socket.socket]:
    """A connection to the worker."""
    host, _, port = api.worker.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), 20) as connected:
        api.post(f"/v1/servings/{AREA}", json=1)  # its replica has been called before
        api.post(f"/v1/servings/{ECHO}", json=1)
        yield connected


@pytest.fixture
def said(api: Any) -> Any:
    """A request as bytes."""

    def make(path: str, body: str, *headers: str, version: str = "1.1") -> bytes:
        lines = [
            f"POST /v1/servings/{path} HTTP/{version}", "Host: 127.0.0.1", f"Authorization: Bearer {api.worker.token}",
            "Content-Type: application/json", f"Content-Length: {len(body.encode())}", *headers, "", body,
        ]  # fmt: skip
        return "\r\n".join(lines).encode()

    return make


def heard(line: socket.socket, count: int) -> list[tuple[int, Any, str]]:
    """Status, body and request id of so many answers."""
    found: list[tuple[int, Any, str]] = []
    data = b""
    while len(found) < count:
        head, end, rest = data.partition(b"\r\n\r\n")
        size = re.search(rb"content-length: (\d+)", head)
        if not end or (size is not None and len(rest) < int(size[1])):
            more = line.recv(1 << 16)
            assert more, f"ended after {found} with {data!r}"
            data += more
            continue
        assert size is not None, head
        body, data = rest[: int(size[1])], rest[int(size[1]) :]
        number = re.search(rb"x-request-id: (\S+)", head)
        found.append((int(head.split()[1]), json.loads(body), number[1].decode() if number else ""))
    assert not data
    return found


def areas(answers: list[tuple[int, Any, str]]) -> list[Any]:
    assert {status for status, _, _ in answers} == {200}
    return [value for _, value, _ in answers]


def test_requests_that_come_together_or_in_pieces(line: socket.socket, said: Any) -> None:
    one = [said(AREA, json.dumps({"width": n, "height": 2})) for n in range(5)]
    line.sendall(b"".join(one))  # in one go
    assert areas(heard(line, 5)) == [0, 2, 4, 6, 8]
    for request in one:  # before the last is answered
        line.sendall(request)
    assert areas(heard(line, 5)) == [0, 2, 4, 6, 8]
    together = one[1] + one[2][:70]  # one and a part of the next
    line.sendall(together)
    assert areas(heard(line, 1)) == [2]
    line.sendall(one[2][70:-3])
    line.sendall(one[2][-3:] + one[3])
    assert areas(heard(line, 2)) == [4, 6]
    for byte in one[4]:
        line.sendall(bytes([byte]))
    assert areas(heard(line, 1)) == [8]


def test_what_looks_like_a_request_in_a_body_is_none(line: socket.socket, said: Any) -> None:
    inner = said(AREA, "3").decode()
    outer = said(ECHO, json.dumps({"value": inner}))
    at = outer.index(b"POST", 10)
    line.sendall(outer[:at])  # the next bytes begin as a request does
    line.sendall(outer[at:])
    assert areas(heard(line, 1)) == [inner]


def test_values_errors_items_and_large_ones_on_one_connection(line: socket.socket, said: Any) -> None:
    large = "x" * 3_000_000
    line.sendall(said(AREA, "3", "X-Request-Id: mine"))
    assert heard(line, 1) == [(200, 3.0, "mine")]
    for path, body, headers, status, kind in (
        (BOOM, "{}", ["X-Request-Id: theirs"], 500, "ValueError"),
        (AREA, '{"width": "no"}', [], 422, "ValidationError"),
        (AREA, '{"width": 1', [], 400, "InvalidJSON"),
        ("nobody", "1", [], 401, "AuthenticationError"),
        (f"{AREA}?timeout=x", "1", [], 400, "ValidationError"),
        ("web-store/nothing", "1", [], 404, "NotFound"),
    ):
        line.sendall(said(path, body, *headers))
        ((found, value, number),) = heard(line, 1)
        if kind != "AuthenticationError":
            assert (found, value["error"]["type"]) == (status, kind)
        assert number == "theirs" if headers else len(number) == 20
        line.sendall(said(AREA, "3"))
        assert areas(heard(line, 1)) == [3]
    line.sendall(said(ECHO, json.dumps({"value": large[:100_000]})))
    assert areas(heard(line, 1)) == [large[:100_000]]
    line.sendall(said("web-store/names", "2") + said(AREA, "7"))
    data = b""
    while b"7.0" not in data:
        data += line.recv(1 << 16)
    assert data.index(b"name 0") < data.index(b"name 1") < data.index(b"7.0")


@pytest.mark.parametrize(("header", "version"), [("Connection: close", "1.1"), ("Accept: */*", "1.0")])
def test_connections_that_are_to_be_closed_are(line: socket.socket, said: Any, header: str, version: str) -> None:
    line.sendall(said(AREA, "3", header, version=version))
    assert areas(heard(line, 1)) == [3]
    assert line.recv(1) == b""
