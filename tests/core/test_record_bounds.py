"""However often an operator is called, what is kept of it stays small, and the numbers stay right."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

from operator_lib import Operator, record
from operator_lib.engine import record as recorder
from operator_lib.engine.told import to_bytes, to_event


class Leaf(Operator):
    def forward(self, x: int) -> int:
        if x < 0:
            raise ValueError("negative")
        return x


class Mid(Operator):
    def __init__(self) -> None:
        self.leaf = Leaf()

    def forward(self, x: int) -> int:
        return self.leaf(x)


class Many(Operator):
    def __init__(self) -> None:
        self.mid = Mid()

    def forward(self, n: int) -> None:
        for i in range(n):
            self.mid(i)


class Fresh(Operator):
    def forward(self, n: int) -> None:
        for i in range(n):
            Leaf()(i)


@pytest.fixture(autouse=True)
def no_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing depends on how fast this machine is: no call is told in full because a second has passed."""
    monkeypatch.setattr(recorder, "SAMPLE", float("inf"))


def test_events_are_few_and_counts_are_right() -> None:
    n = 5 * recorder.IN_FULL
    with record() as seen:
        Many()(n)
    assert len(seen.events) < 4 * recorder.IN_FULL + 100
    dag = seen.dag()
    assert [dag.node(path).count for path in ("mid", "mid.leaf")] == [n, n]
    assert {dag.node(path).status for path in ("mid", "mid.leaf")} == {"done"}
    assert next(node for node in dag.nodes if node.kind == "loop").count == n


def test_failures_are_counted_too() -> None:
    leaf, n = Leaf(), 2 * recorder.IN_FULL
    with record() as seen:
        for i in range(n):
            with pytest.raises(ValueError, match="negative"):
                leaf(-1 - i)
    more = [event for event in seen.events if event.get("phase") == "more"]
    assert sum(event["failed"] for event in more) == sum(event["count"] for event in more) == n - recorder.IN_FULL


def test_threads_lose_no_count() -> None:
    leaf, n = Leaf(), 2 * recorder.IN_FULL
    with record() as seen, ThreadPoolExecutor(4) as pool:
        list(
            pool.map(lambda context: context.run(lambda: [leaf(i) for i in range(n)]), [copy_context() for _ in "abcd"])
        )
    told = sum(event.get("phase") == "end" for event in seen.events)
    assert told + sum(event["count"] for event in seen.events if event.get("phase") == "more") == 4 * n


def test_a_run_tells_few_calls_of_each_place_once_it_has_told_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "AT_ALL", 100)
    with record() as seen:
        Many()(500)
    assert sum(event.get("phase") == "start" for event in seen.events) < 150
    assert seen.dag().node("mid.leaf").count == 500


def test_operators_made_for_one_call_are_let_go() -> None:
    import gc
    import weakref

    class Seen(Leaf):
        made: Any = weakref.WeakSet()

        def __init__(self) -> None:
            self.made.add(self)

    class Maker(Operator):
        def forward(self, n: int) -> None:
            for i in range(n):
                Seen()(i)

    from operator_lib.engine import names

    n = names.STRANGERS + 500
    with record() as seen:
        Maker()(n)
        gc.collect()
        assert len(Seen.made) <= names.STRANGERS + 1
    counted = sum(event.get("count", 0) for event in seen.events)
    assert counted + sum(event.get("path") == "Seen" and event["phase"] == "end" for event in seen.events) == n


def test_places_without_end_are_not_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "PLACES", 10)
    source = "def f(op):\n" + "".join(f"    op({i})\n" for i in range(200))
    space: dict[str, Any] = {}
    exec(source, space)

    class Wide(Operator):
        def __init__(self) -> None:
            self.leaf = Leaf()

        def forward(self) -> None:
            space["f"](self.leaf)

    with record() as seen:
        Wide()()
    lines = {event["line"] for event in seen.events if event.get("phase") == "start" and event["path"] == "leaf"}
    assert len(lines) <= 12
    assert sum(event.get("phase") == "end" and event["path"] == "leaf" for event in seen.events) == 200


def test_what_a_process_writes_is_what_readers_get() -> None:
    import json

    told: list[Any] = []
    frames = recorder.Recorder(told.append)
    op = Mid()
    with recorder.listening():
        token = recorder.current.set(frames.root)
        op(1)
        with pytest.raises(ValueError, match="negative"):
            op(-1)
        threading.Thread(target=copy_context().run, args=(op, 1)).start()
        recorder.current.reset(token)
    for item in told:
        event, written = to_event(item), json.loads(to_bytes(item))
        assert written.keys() == event.keys()
        assert {k: v for k, v in written.items() if k not in ("t", "dur")} == {
            k: v for k, v in event.items() if k not in ("t", "dur")
        }
        assert written["t"] == pytest.approx(event["t"], abs=1e-3)
