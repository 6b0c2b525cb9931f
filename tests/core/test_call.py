"""Calling an operator is calling a method."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from operator_lib import Operator, Retries, operator, record
from operator_lib.errors import OptionError, RequestError


class Everything(Operator):
    def forward(self, a, /, b=2, *rest, c=3, **more):  # type: ignore[no-untyped-def]  # noqa: ANN001
        return a, b, rest, c, more


@pytest.fixture(params=["plain", "recorded"])
def listening(request: pytest.FixtureRequest):  # noqa: ANN201
    if request.param == "plain":
        yield
    else:
        with record():
            yield


def test_arguments_pass_through(listening: None) -> None:
    op = Everything()
    assert op(1) == (1, 2, (), 3, {})
    assert op(1, 5, 6, c=7, d=8) == (1, 5, (6,), 7, {"d": 8})
    assert op(1, self=2, op=3, args=4) == (1, 2, (), 3, {"self": 2, "op": 3, "args": 4})
    assert op.forward(1, b=0) == op(1, b=0)


def test_exceptions_pass_through(listening: None) -> None:
    class Raises(Operator):
        def forward(self) -> None:
            raise error

    error = KeyError("x")
    with pytest.raises(KeyError) as caught:
        Raises()()
    assert caught.value is error
    assert caught.traceback[-1].name == "forward"


def test_objects_are_passed_and_not_copied(listening: None) -> None:
    class Same(Operator):
        def forward(self, x: Any) -> Any:
            return x

    thing = object()
    assert Same()(thing) is thing


def test_without_forward_the_message_names_the_class() -> None:
    class Unfinished(Operator):
        pass

    with pytest.raises(NotImplementedError, match=r"Unfinished must implement forward\(\)"):
        Unfinished()(1)


def test_an_operator_is_true() -> None:
    assert bool(Everything())
    assert bool(operator(lambda: 0))


def test_async_forward(listening: None) -> None:
    class Later(Operator):
        async def forward(self, x: int) -> int:
            await asyncio.sleep(0)
            return x + 1

    pending = Later()(1)
    assert inspect.iscoroutine(pending)
    assert asyncio.run(pending) == 2


def test_generator_forward(listening: None) -> None:
    class Count(Operator):
        def forward(self, n: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
            sent = None
            for i in range(n):
                sent = yield (i, sent)
            return "end"

    stream = Count()(3)
    assert inspect.isgenerator(stream)
    assert next(stream) == (0, None)
    assert stream.send("a") == (1, "a")
    assert next(stream) == (2, None)
    with pytest.raises(StopIteration) as end:
        next(stream)
    assert end.value.value == "end"


def test_closing_and_throwing_reach_the_generator(listening: None) -> None:
    log: list[str] = []

    class Careful(Operator):
        def forward(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            while True:
                try:
                    yield 1
                except ValueError as error:
                    log.append(str(error))
                except GeneratorExit:
                    log.append("closed")
                    raise

    stream = Careful()()
    next(stream)
    assert stream.throw(ValueError("thrown")) == 1
    stream.close()
    assert log == ["thrown", "closed"]


def test_async_generator_forward(listening: None) -> None:
    class Ticks(Operator):
        async def forward(self, n: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
            for i in range(n):
                yield i

    async def collect() -> list[int]:
        return [item async for item in Ticks()(3)]

    assert inspect.isasyncgen(Ticks()(1))
    assert asyncio.run(collect()) == [0, 1, 2]


class Flaky(Operator):
    def __init__(self, failures: int, error: type[Exception] = ValueError) -> None:
        self.failures = failures
        self.error = error
        self.calls: list[list[int]] = []

    def forward(self, items: list[int]) -> int:
        items.append(len(self.calls))
        self.calls.append(items)
        if len(self.calls) <= self.failures:
            raise self.error("flaky")
        return len(self.calls)


FAST = Retries(max_retries=3, initial_delay=0.0)


def test_retries_hold_for_local_calls_with_fresh_arguments() -> None:
    op = Flaky(2).with_options(retries=FAST)
    assert op([]) == 3
    assert [len(call) for call in op.calls] == [1, 1, 1]


def test_retries_end() -> None:
    op = Flaky(9).with_options(retries=FAST)
    with pytest.raises(ValueError, match="flaky"):
        op([])
    assert len(op.calls) == 4


def test_request_errors_are_never_retried() -> None:
    op = Flaky(9, RequestError).with_options(retries=FAST)
    with pytest.raises(RequestError):
        op([])
    assert len(op.calls) == 1


def test_only_what_retry_on_names_is_retried() -> None:
    op = Flaky(9).with_options(retries=Retries(max_retries=3, initial_delay=0.0, retry_on=(KeyError,)))
    with pytest.raises(ValueError, match="flaky"):
        op([])
    assert len(op.calls) == 1


def test_options_in_the_class_body_mean_the_same() -> None:
    class InClass(Flaky):
        class Options:
            retries = FAST

    class InDict(Flaky):
        options = {"retries": FAST}

    for cls in (InClass, InDict):
        assert cls(2)([]) == 3
        assert len(cls(0).calls) == 0


def test_retries_of_functions_and_coroutines() -> None:
    calls: list[int] = []

    @operator(retries=FAST)
    def work() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("again")
        return "done"

    @operator(retries=FAST)
    async def work_later() -> str:
        return work.__wrapped__()

    assert work() == "done"
    calls.clear()
    assert asyncio.run(work_later()) == "done"


def test_with_options_makes_a_copy() -> None:
    op = Flaky(0)
    other = op.with_options(cpu=2, timeout=5)
    assert type(other) is Flaky
    assert other is not op
    assert repr(op) == "Flaky()"
    assert "cpu=2" in repr(other)
    assert other.calls is op.calls
    assert "timeout=7" in repr(other.with_options(timeout=7))
    assert "cpu=2" in repr(other.with_options(timeout=7))


def test_every_mistake_in_one_error() -> None:
    with pytest.raises(OptionError) as caught:
        Flaky(0).with_options(timeout=0, cpu=100, colour="red")
    assert len(str(caught.value).splitlines()) == 3
    assert "Flaky.timeout: must be an int between 1 and 172800, got 0" in str(caught.value)
    assert isinstance(caught.value, ValueError)
