"""submit, map and star_map of operators that are not deployed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from typing import Any

import pytest

from operator_lib import Operator, Run, operator
from operator_lib.errors import Cancelled, NotFound


@operator
def double(x: int) -> int:
    return 2 * x


@operator
def picky(x: int) -> int:
    if x % 3 == 2:
        raise ValueError("picky", x)
    return x


class Chatty(Operator):
    def __init__(self) -> None:
        self.inner = double

    def forward(self, x: int) -> int:
        return self.inner(x)


# --- submit


def test_a_run_is_a_future() -> None:
    run = double.submit(3)
    assert isinstance(run, Run)
    assert isinstance(run, concurrent.futures.Future)
    assert run.result(30) == 6
    assert run.done()
    assert run.status == "COMPLETED"
    assert run.exception() is None
    assert run.attempts == 1
    assert run.id in repr(run)
    assert "COMPLETED" in repr(run)


def test_wait_as_completed_and_asyncio() -> None:
    runs = [double.submit(x=i) for i in range(4)]
    assert concurrent.futures.wait(runs, timeout=30).not_done == set()
    assert sorted(run.result() for run in concurrent.futures.as_completed(runs, timeout=30)) == [0, 2, 4, 6]

    async def both() -> list[int]:
        return await asyncio.gather(*(asyncio.wrap_future(double.submit(i)) for i in (1, 2)))

    assert asyncio.run(both()) == [2, 4]


def test_callbacks() -> None:
    seen = threading.Event()
    double.submit(1).add_done_callback(lambda run: seen.set())
    assert seen.wait(30)


def test_a_run_that_fails() -> None:
    run = picky.submit(2)
    with pytest.raises(ValueError, match="picky") as caught:
        run.result(30)
    assert caught.value is run.exception()
    assert run.status == "FAILED"
    assert [event["status"] for event in run.events() if event["kind"] == "status"] == ["PENDING", "RUNNING", "FAILED"]


def test_results_wait_only_as_long_as_asked() -> None:
    release = threading.Event()
    run = operator(release.wait).submit()
    with pytest.raises(TimeoutError):
        run.result(0.01)
    release.set()
    assert run.result(30) is True


def test_events_follow_the_run_and_can_be_resumed() -> None:
    release = threading.Event()

    @operator
    def patient() -> int:
        assert release.wait(30)
        return 1

    run = patient.submit()
    stream = run.events()
    first = next(stream)
    release.set()
    rest = list(stream)
    events = [first, *rest]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["status"] == "COMPLETED"
    assert list(run.events(after=first["seq"])) == rest
    assert list(run.events(follow=False)) == events


def test_a_run_carries_its_graph() -> None:
    run = Chatty().submit(2)
    assert run.result(30) == 4
    dag = run.dag()
    assert dag.node("inner").status == "done"
    assert dag.node("inner").count == 1


def test_outputs() -> None:
    run = double.submit(2)
    run.result(30)
    assert run.outputs() == {"": [4]}
    assert run.output() == [4]
    with pytest.raises(NotFound, match="absent"):
        run.output("absent")


def test_a_run_that_has_begun_cannot_be_cancelled() -> None:
    begun, release = threading.Event(), threading.Event()

    @operator
    def busy() -> str:
        begun.set()
        assert release.wait(30)
        return "done"

    run = busy.submit()
    assert begun.wait(30)
    assert not run.cancel()
    assert run.running()
    release.set()
    assert run.result(30) == "done"


def test_coroutines_are_awaited() -> None:
    @operator
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x

    assert later.submit(4).result(30) == 4


def test_context_variables_of_the_caller_do_not_leak_in() -> None:
    """Two runs at once do not see each other's calls."""
    barrier = threading.Barrier(2)

    class Meet(Operator):
        def __init__(self) -> None:
            self.inner = operator(lambda x: (barrier.wait(30), x)[1])

        def forward(self, x: int) -> int:
            return self.inner(x)

    runs = [Meet().submit(i) for i in (1, 2)]
    assert [run.result(30) for run in runs] == [1, 2]
    for run in runs:
        assert sum(event.get("phase") == "start" for event in run.events()) == 2


def test_cancelled_is_both_kinds_of_error() -> None:
    assert issubclass(Cancelled, Exception)


# --- map


def test_map_is_the_list_comprehension() -> None:
    assert double.map(range(100)) == [2 * x for x in range(100)]
    assert Chatty().map([1, 2]) == [2, 4]
    assert double.map([]) == []
    assert double.map(x for x in (3, 4)) == [6, 8]
    assert double.map({5: "x"}) == [10]
    assert operator(lambda pair: pair).map([(1, 2)]) == [(1, 2)]


def test_map_ten_thousand() -> None:
    assert double.map(range(10_000)) == [2 * x for x in range(10_000)]


def test_map_bounds_its_workers() -> None:
    running = most = 0
    lock = threading.Lock()
    full = threading.Barrier(3)

    @operator
    def busy(x: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        full.wait(30)  # nobody goes on until three are here: all three workers are really used
        with lock:
            running -= 1
        return x

    assert busy.map(range(9), workers=3) == list(range(9))
    assert most == 3


def test_map_keeps_the_order_whatever_the_speed() -> None:
    first = threading.Event()

    @operator
    def uneven(x: int) -> int:
        if x == 0:
            assert first.wait(30)
        if x == 1:
            first.set()
        return x

    assert uneven.map(range(4), workers=2) == [0, 1, 2, 3]


def test_map_in_the_order_in_which_they_finish() -> None:
    first = threading.Event()

    def inputs() -> Any:
        for i in range(40):
            if i == 30:  # by now results have been taken, and the first input is still at it
                first.set()
            yield i

    @operator
    def uneven(x: int) -> int:
        return x if x else int(not first.wait(30))

    found = uneven.map(inputs(), workers=2, ordered=False)
    assert sorted(found) == list(range(40))
    assert found.index(0) >= 26
    rest = [x for x in found if 0 < x < 30]
    assert rest == sorted(rest)


def test_map_raises_the_first_exception_by_place() -> None:
    with pytest.raises(ValueError, match="picky") as caught:
        picky.map(range(9))
    assert caught.value.args == ("picky", 2)


def test_map_returns_exceptions_when_asked() -> None:
    found = picky.map(range(6), return_exceptions=True)
    assert [item if isinstance(item, int) else item.args for item in found] == [0, 1, ("picky", 2), 3, 4, ("picky", 5)]


def test_map_stops_after_an_exception() -> None:
    started: list[int] = []

    @operator
    def work(x: int) -> int:
        started.append(x)
        if x == 0:
            raise ValueError("stop")
        return x

    with pytest.raises(ValueError, match="stop"):
        work.map(range(10_000), workers=2)
    assert len(started) < 100


def test_map_does_not_run_ahead_of_a_generator() -> None:
    drawn: list[int] = []
    done: list[int] = []

    def inputs() -> Any:
        for i in range(200):
            drawn.append(i)
            assert len(drawn) - len(done) <= 20
            yield i

    @operator
    def work(x: int) -> int:
        done.append(x)
        return x

    assert work.map(inputs(), workers=2) == list(range(200))


@pytest.mark.parametrize("workers", [0, -2, 1.5, "3", True, None])
def test_map_refuses_a_number_of_workers_that_makes_no_sense(workers: Any) -> None:
    with pytest.raises(ValueError, match="workers"):
        double.map([1], workers=workers)


def test_map_of_coroutines() -> None:
    @operator
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    assert later.map(range(5)) == [1, 2, 3, 4, 5]


def test_map_inside_map() -> None:
    outer = operator(lambda n: double.map(range(n)))
    assert outer.map([1, 2, 3], workers=2) == [[0], [0, 2], [0, 2, 4]]


def test_star_map_takes_different_operators_and_inputs() -> None:
    chatty = Chatty()
    calls = [(double, (1,)), (chatty, {"x": 2}), (picky, 3), (operator(lambda: "none"), ())]
    assert Operator.star_map(calls) == [2, 4, 3, "none"]
    assert Operator.star_map(iter(calls[:1])) == [2]
    assert Operator.star_map([]) == []
    assert double.star_map([(len, ("abc",))]) == [3]


def test_star_map_and_exceptions() -> None:
    with pytest.raises(ValueError, match="picky"):
        Operator.star_map([(double, 1), (picky, 2)])
    first, second = Operator.star_map([(double, 1), (picky, 2)], return_exceptions=True)
    assert first == 2
    assert isinstance(second, ValueError)
