"""Generators over HTTP: lines or events, no further than their reader, closed with it."""

from __future__ import annotations

import json
import socket
import time

import pytest
import requests
from web_errors import error

from operator_lib import Operator

EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def streams(api):
    return Operator.from_serving(f"{api.worker.url}/v1/servings/streams/", api.worker.token)


def until(check, what: str):
    end = time.monotonic() + 20
    while not check():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def messages(answer):
    """(kind, data) of server-sent events."""
    kind = "message"
    for line in answer.iter_lines(decode_unicode=True):
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)
            kind = "message"


def test_items_come_as_events_to_who_asks_for_them(api):
    answer = api.post("/v1/servings/streams/numbers", json=3, headers=EVENTS)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert list(messages(answer)) == [("message", 0), ("message", 1), ("message", 2), ("end", "done")]


@pytest.mark.parametrize("headers", [{}, EVENTS])
def test_an_item_is_sent_as_soon_as_it_is_there(api, tmp_path, headers):
    gate = tmp_path / "gate"
    body = {"path": str(gate)}
    with api.post("/v1/servings/streams/held", json=body, headers=headers, stream=True) as answer:
        lines = (line for line in answer.iter_lines() if line)
        assert next(lines).endswith(b"0")
        gate.touch()
        assert next(lines).endswith(b"1")


def test_what_a_generator_raises_is_the_last_thing_said(api):
    lines = [json.loads(line) for line in api.post("/v1/servings/streams/fails", json=1).iter_lines()]
    assert lines[0] == 0
    assert (lines[1]["error"]["type"], lines[1]["error"]["message"]) == ("ValueError", "broken")
    assert "in fails" in lines[1]["error"]["details"]["traceback"]
    told = list(messages(api.post("/v1/servings/streams/fails", json=1, headers=EVENTS)))
    assert [kind for kind, _ in told] == ["message", "error"]
    assert told[1][1] == lines[1]["error"]


def test_one_that_fails_before_its_first_item_has_the_status_of_an_error(api):
    error(api.post("/v1/servings/streams/fails", json=0, headers=EVENTS), 500, "ValueError")


def test_a_generator_runs_no_further_than_a_slow_reader(api, streams):
    with api.post("/v1/servings/streams/large", json=2000, stream=True) as answer:
        assert answer.raw.read(10) == b'"xxxxxxxxx'
        seen = -1
        while seen != (seen := streams.produced):  # until what lies between is full
            time.sleep(0.3)
        assert 0 < seen < 500
    until(lambda: "large closed" in streams.seen, "it was not closed")
    assert streams.produced < 2000


def test_an_async_generator_that_waits_is_closed_with_its_reader(api, streams):
    with api.post("/v1/servings/streams/naps", json={}, headers=EVENTS, stream=True) as answer:
        assert next(messages(answer)) == ("message", 0)
    until(lambda: "naps closed" in streams.seen, "it waits on")


def test_a_coroutine_whose_caller_has_gone_is_cancelled(api, streams):
    with pytest.raises(requests.ReadTimeout):
        api.post("/v1/servings/streams/sleeps", json={}, timeout=0.3)
    until(lambda: "sleeps cancelled" in streams.seen, "it sleeps on")


def test_a_method_can_see_that_its_caller_has_gone(api, streams):
    with pytest.raises(requests.ReadTimeout):
        api.post("/v1/servings/streams/looks", json={}, timeout=0.3, headers={"X-Request-ID": "abc-1"})
    until(lambda: "looked, abc-1" in streams.seen, "it goes on")


def test_a_deadline_is_told_and_kept(api, streams):
    assert api.post("/v1/servings/streams/left", json={}).json() is None
    assert 0 < api.post("/v1/servings/streams/left?timeout=50", json={}).json() <= 50
    found = error(api.post("/v1/servings/streams/looks?timeout=0.2", json={}), 504, "OperatorTimeout")
    assert "0.2 s" in found["message"]
    assert api.post("/v1/servings/streams/left", json={}).status_code == 200  # the object is free again
    told = list(messages(api.post("/v1/servings/streams/naps?timeout=0.5", json={}, headers=EVENTS)))
    assert [kind for kind, _ in told] == ["message", "error"]
    error(api.post("/v1/servings/streams/left?timeout=0", json={}), 400, "ValidationError")


def raw(api, text: bytes) -> socket.socket:
    """A connection of which so much has been sent."""
    host, port = api.worker.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    head = f"Host: {host}:{port}\r\nAuthorization: Bearer {api.worker.token}\r\n"
    connection.sendall(text.replace(b"HEAD\r\n", head.encode()))
    return connection


def test_half_sent_requests_and_readers_that_never_read_harm_nobody(api, streams):
    half = [
        raw(api, b"POST /v1/servings/area HTT"),
        raw(api, b"POST /v1/servings/area HTTP/1.1\r\nHEAD\r\nContent-Length: 100\r\n\r\n{"),
        raw(api, b"POST /v1/servings/media/size HTTP/1.1\r\nHEAD\r\nContent-Type: image/png\r\n"
            b"Content-Length: 9999999\r\n\r\nxxxx"),
        raw(api, b"POST /v1/servings/streams/large HTTP/1.1\r\nHEAD\r\nContent-Length: 4\r\n\r\n9999"),
    ]  # fmt: skip
    try:
        for _ in range(20):
            assert api.post("/v1/servings/area", json=2).json() == 2.0
            assert api.post("/v1/servings/streams/left", json={}).status_code == 200
    finally:
        for connection in half:
            connection.close()


def test_a_thousand_connections(api):
    request = b"POST /v1/servings/area HTTP/1.1\r\nHEAD\r\nContent-Length: 1\r\n\r\n7"
    connections = [raw(api, request) for _ in range(1000)]
    try:
        for connection in connections:
            answer = b""
            while not answer.endswith(b"\r\n\r\n7.0"):
                assert (more := connection.recv(4096)), answer
                answer += more
            assert answer.startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in connections:
            connection.close()
