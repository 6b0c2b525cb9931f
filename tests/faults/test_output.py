"""What user code prints: all of it, in order, once, whatever it is."""

from __future__ import annotations

import fault_jobs as jobs
import pytest

from operator_lib.client import inventory
from operator_lib.engine.process import LINE_LIMIT


@pytest.fixture(autouse=True)
def _worker(shared):
    return shared


def numbered(run):
    """The log events, once it is sure that the history has neither gap nor repeat."""
    events = list(run.events())
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    return [event for event in events if event["kind"] == "log"]


def test_a_hundred_thousand_lines_are_all_there():
    run = jobs.lines.deploy().submit(100_000)
    run.result(60)
    assert [event["text"] for event in numbered(run)] == [f"line {n}" for n in range(100_000)]


def test_a_follower_sees_every_line_once_while_it_is_printed():
    run = jobs.lines.deploy().submit(30_000)
    assert list(run.logs(follow=True)) == [f"line {n}" for n in range(30_000)]


def test_events_resume_after_a_number():
    run = jobs.lines.deploy().submit(1_000)
    run.result(20)
    everything = list(run.events())
    assert list(run.events(after=600)) == everything[600:]
    without_lines = inventory.events(run._connection, run.id, kinds=("status", "node"))
    assert list(without_lines) == [event for event in everything if event["kind"] in ("status", "node")]


def test_a_long_line_is_split_and_says_so():
    size = 10 << 20
    run = jobs.long_line.deploy().submit(size)
    run.result(60)
    for letter in "xy":
        pieces = [event for event in numbered(run) if event["text"][:1] == letter]
        assert "".join(piece["text"] for piece in pieces) == letter * size
        assert max(len(piece["text"]) for piece in pieces) <= LINE_LIMIT


def test_bytes_that_are_no_text_are_shown_escaped():
    run = jobs.raw_bytes.deploy().submit()
    run.result(20)
    assert [event["text"] for event in numbered(run)] == [
        "café",
        r"\xff\xfe broken",
        "nul \x00 here",
        "no newline at the end",
    ]


def test_a_long_line_is_not_split_inside_a_character():
    run = jobs.half_characters.deploy().submit()
    run.result(20)
    texts = [event["text"] for event in numbered(run)]
    assert "".join(text for text in texts if "alone" not in text) == "é" * 100_000
    assert r"\ud800 alone" in texts


@pytest.mark.parametrize("job", [jobs.closes_stdout, jobs.closes_descriptor])
def test_closing_stdout_loses_nothing_that_was_printed(job):
    run = job.deploy().submit()
    assert run.result(20) == "closed"
    assert next(run.logs()) == "before"


def test_threads_and_subprocesses_are_heard_each_in_its_order():
    run = jobs.many_voices.deploy().submit(500)
    run.result(30)
    texts = [event["text"] for event in numbered(run)]
    for name in ("thread0", "thread1", "thread2", "thread3", "child"):
        heard = [text for text in texts if text.startswith(name + " ")]
        assert heard == [f"{name} {n}" for n in range(500)]


def test_long_lines_of_a_fork_do_not_mix_with_ours():
    run = jobs.forked_voices.deploy().submit(200)
    run.result(30)
    texts = [event["text"] for event in numbered(run)]
    for name in ("parent", "fork"):
        heard = [text for text in texts if text.startswith(name + " ")]
        assert heard == [f"{name} {n} " + "-" * 6000 for n in range(200)]
