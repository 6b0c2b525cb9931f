"""Server-sent events and logs: the whole story for whoever comes late, taken up again where it broke off."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest
from web_errors import error


def messages(lines: Iterator[str]) -> Iterator[dict]:
    """The messages of a stream, as a browser would read them."""
    message: dict = {}
    for line in lines:
        if not line and message:
            if "data" in message:
                yield message
            message = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            message[name] = value


def read(api, path, **kwargs) -> Iterator[dict]:
    with api.get(path, stream=True, **kwargs) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield from messages(answer.iter_lines(decode_unicode=True))


def until(condition, about):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, about
        time.sleep(0.01)


@pytest.fixture
def waiting(api, tmp_path):
    """A run that goes on until its sign is there."""
    sign = tmp_path / "sign"
    place = api.post("/v1/jobs/waits", json=str(sign)).headers["location"]
    yield place, sign
    sign.touch()
    api.get(f"{place}/result?wait=true")


def test_events_come_while_they_happen_and_end_with_the_run(api, waiting):
    place, sign = waiting
    seen = []
    for message in read(api, f"{place}/events"):
        event = json.loads(message["data"])
        assert (message["id"], message["event"]) == (str(event["seq"]), event["kind"])
        seen.append(event)
        if event.get("text") == "waiting":
            sign.touch()  # what comes now was not there when the reader came
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert [event["text"] for event in seen if event["kind"] == "log"] == ["waiting", "seen"]
    assert [event["status"] for event in seen if event["kind"] == "status"] == ["PENDING", "RUNNING", "COMPLETED"]
    late = [json.loads(message["data"]) for message in read(api, f"{place}/events")]
    assert late == seen


def test_a_stream_is_taken_up_again_after_any_event_without_gap_or_repeat(api):
    place = api.post("/v1/jobs/chatters?wait=true", json=20).headers["location"]
    everything = [message["id"] for message in read(api, f"{place}/events")]
    assert len(everything) > 20
    for last in range(len(everything) - 1):
        rest = [m["id"] for m in read(api, f"{place}/events", headers={"Last-Event-ID": everything[last]})]
        assert rest == everything[last + 1 :]
    assert [m["id"] for m in read(api, f"{place}/events?after=3")] == everything[3:]
    over = api.get(f"{place}/events", headers={"Last-Event-ID": everything[-1]})
    assert (over.status_code, over.content) == (204, b"")
    for wrong in ("x", "-1", "1.5", str(2**53)):
        error(api.get(f"{place}/events", headers={"Last-Event-ID": wrong}), 400, "ValidationError")


def test_without_following_the_story_so_far_is_told(api, waiting):
    place, _ = waiting
    until(lambda: "waiting" in api.get(f"{place}/logs").text, "the first line of the log")
    kinds = [m["event"] for m in read(api, f"{place}/events?follow=false")]
    assert kinds[:2] == ["status", "status"]
    assert "log" in kinds


def test_logs_are_text(api, waiting):
    place, sign = waiting
    lines = []
    with api.get(f"{place}/logs?follow=true", stream=True) as answer:
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        for line in answer.iter_lines(decode_unicode=True):
            lines.append(line)
            sign.touch()
    assert lines == ["waiting", "seen"]
    assert api.get(f"{place}/logs").text == "waiting\nseen\n"


def test_a_long_line_is_put_together_again(api):
    place = api.post("/v1/jobs/long_line?wait=true", json=200_000).headers["location"]
    assert api.get(f"{place}/logs").text == "x" * 200_000 + "\n"


def test_many_lines_arrive_in_order(api):
    place = api.post("/v1/jobs/chatters", json=20_000).headers["location"]
    with api.get(f"{place}/logs?follow=true", stream=True) as answer:
        lines = list(answer.iter_lines(decode_unicode=True))
    assert lines == [f"line {n}" for n in range(20_000)]


def test_a_reader_that_goes_away_is_let_go_of(api, waiting):
    place, _ = waiting
    before = api.metric("operator_lib_event_streams")
    host, _, port = api.worker.url.removeprefix("http://").partition(":")
    request = f"GET {place}/events HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {api.worker.token}\r\n\r\n"
    readers = [socket.create_connection((host, int(port))) for _ in range(20)]
    for reader in readers:
        reader.sendall(request.encode())
        assert reader.recv(12) == b"HTTP/1.1 200"
    until(lambda: api.metric("operator_lib_event_streams") == before + 20, "twenty readers")
    for reader in readers:
        reader.close()
    until(lambda: api.metric("operator_lib_event_streams") == before, "all readers gone")


def test_events_of_what_is_not_there(api):
    error(api.get("/v1/runs/nothing/events"), 404, "NotFound")
    error(api.get("/v1/runs/nothing/logs"), 404, "NotFound")
    error(api.get("/v1/runs/web-store/events"), 404, "NotFound")


def test_a_page_is_told_of_a_run_however_long(api):
    run = api.post("/v1/jobs/chatters?wait=true", json={"lines": 5000}).headers["location"]
    messages = api.get(f"{run}/live").text.split("\n\n")
    assert messages[-2] == "event: end\ndata: {}"
    told = [json.loads(message.partition("data: ")[2]) for message in messages if message.startswith("event: news")]
    lines = [line["text"] for news in told for line in news["logs"]]
    assert lines[-1] == "line 4999"
    # What is not told is counted.
    assert len(lines) + sum(news["dropped"]["logs"] for news in told) == 5000
    assert told[-1]["run"]["status"] == "COMPLETED"
    assert [status["status"] for news in told for status in news["statuses"]] == ["PENDING", "RUNNING", "COMPLETED"]
    assert [call["phase"] for news in told for call in news["calls"]] == ["start", "end"]
    states = {id: node["status"] for news in told for id, node in news["nodes"].items()}
    static = {node["id"] for node in api.get(f"{run}/dag?static=true").json()["nodes"]}
    assert set(states) <= static
    assert {node["id"]: node.get("status", "pending") for node in api.get(f"{run}/dag").json()["nodes"]} == {
        **dict.fromkeys(static, "pending"),
        **states,
    }
