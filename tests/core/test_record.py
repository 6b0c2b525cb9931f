"""Watching the calls of a block."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from operator_lib import Operator, core, operator, record


class Leaf(Operator):
    def forward(self, x: int) -> int:
        if x < 0:
            raise ValueError("negative")
        return x


class Root(Operator):
    def __init__(self) -> None:
        self.left = Leaf()
        self.rights = [Leaf()]

    def forward(self, x: int) -> int:
        return self.left(x) + sum(self.rights[0](i) for i in range(2))


def nodes(seen: Any) -> list[tuple[str, str]]:
    return [(event["phase"], event["path"]) for event in seen.events if event["kind"] == "node"]


def test_calls_are_seen_by_path_in_order() -> None:
    with record() as seen:
        assert Root()(3) == 4
    assert nodes(seen) == [
        ("start", ""), ("start", "left"), ("end", "left"),
        ("start", "rights.0"), ("end", "rights.0"), ("start", "rights.0"), ("end", "rights.0"), ("end", ""),
    ]  # fmt: skip
    assert [event["seq"] for event in seen.events] == list(range(1, len(seen.events) + 1))
    assert seen.events[-1]["status"] == "COMPLETED"


def test_events_know_their_parents_places_and_durations() -> None:
    with record() as seen:
        Root()(3)
    starts = {event["call"]: event for event in seen.events if event.get("phase") == "start"}
    ends = [event for event in seen.events if event.get("phase") == "end"]
    root = next(event for event in starts.values() if event["path"] == "")
    assert all(event["parent"] == root["call"] for event in starts.values() if event["path"])
    assert all(event["file"].endswith("test_record.py") for event in starts.values())
    assert all(event["dur"] >= 0 for event in ends)
    lines = {event["line"] for event in starts.values() if event["path"]}
    assert len(lines) == 1


def test_a_call_that_fails() -> None:
    with record() as seen, pytest.raises(ValueError, match="negative"):
        Root()(-1)
    errors = [event for event in seen.events if event.get("phase") == "error"]
    assert [event["path"] for event in errors] == ["left", ""]
    assert errors[0]["error"] == "ValueError: negative"


def test_a_block_that_fails() -> None:
    with pytest.raises(ValueError, match="negative"), record() as seen:
        Root()(-1)
    assert seen.events[-1]["status"] == "FAILED"


def test_nothing_is_seen_before_and_after() -> None:
    root = Root()
    root(1)
    with record() as seen:
        pass
    root(1)
    assert nodes(seen) == []
    assert core.intercept is None
    with pytest.raises(ValueError, match="nothing was recorded"):
        seen.dag()


def test_blocks_nest() -> None:
    with record() as outer:
        Leaf()(1)
        with record() as inner:
            Leaf()(2)
        Leaf()(3)
    assert len(nodes(inner)) == 2
    assert len(nodes(outer)) == 4


def test_other_threads_are_not_seen() -> None:
    with record() as seen:
        thread = threading.Thread(target=lambda: Leaf()(1))
        thread.start()
        thread.join()
    assert nodes(seen) == []


def test_tasks_started_in_the_block_are_seen() -> None:
    @operator
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x

    @operator
    async def both() -> list[int]:
        return await asyncio.gather(later(1), later(2))

    with record() as seen:
        assert asyncio.run(both()) == [1, 2]
    assert sorted(phase for phase, _ in nodes(seen)) == ["end"] * 3 + ["start"] * 3


def test_generators_end_when_they_end() -> None:
    @operator
    def count(n: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield from range(n)

    with record() as seen:
        stream = count(2)
        next(stream)
        Leaf()(1)
        list(stream)
    assert [phase for phase, _ in nodes(seen)] == ["start", "start", "end", "end"]


def test_the_graph_is_lit_up() -> None:
    with record() as seen:
        Root()(3)
    dag = seen.dag()
    assert dag.node("left").status == "done"
    assert dag.node("left").count == 1
    assert dag.node("rights.0").count == 2
    assert dag.node("rights.0").duration >= 0


def test_functions_are_seen_by_name() -> None:
    @operator
    def helper(x: int) -> int:
        return x

    @operator
    def main(x: int) -> int:
        return helper(helper(x))

    with record() as seen:
        main(1)
    assert nodes(seen)[:2] == [("start", ""), ("start", "helper")]
