"""What a cacheable operator does, seen by its caller."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operator_lib import Operator, Retries, errors, operator, record

calls: list[Any] = []
table = {"rate": 2}
connection = sqlite3.connect(":memory:")
total = 0
seen: dict[Any, int] = {}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPERATOR_LIB_HOME", str(tmp_path / "home"))
    calls.clear()
    return tmp_path / "home"


@dataclasses.dataclass
class Report:
    rows: list[int]
    name: str = "r"


@operator(cacheable=True)
def double(x):
    calls.append(x)
    return x * 2


def test_it_is_computed_once():
    assert [double(1), double(1), double(2), double(1)] == [2, 2, 4, 2]
    assert calls == [1, 2]


def test_without_the_option_nothing_is_stored(home: Path):
    plain = double.with_options(cacheable=False)
    assert plain(1) == plain(1) == 2
    assert calls == [1, 1]
    assert not home.exists()


def test_numbers_that_are_equal_are_not_the_same():
    assert [double(v) for v in (1, True, 1.0, 0.0, -0.0)] == [2, 2, 2.0, 0.0, -0.0]
    assert len(calls) == 5
    assert type(double(1.0)) is float
    assert type(double(1)) is int


def test_however_the_arguments_are_written():
    @operator(cacheable=True)
    def add(a, b=2, *rest, c=3, **more):
        calls.append(a)
        return [a, b, c, list(rest), more]

    assert add(1) == add(a=1) == add(1, 2) == add(1, c=3) == [1, 2, 3, [], {}]
    assert calls == [1]
    assert add(1, 2, 3) == [1, 2, 3, [3], {}]
    assert add(1, d=4) == [1, 2, 3, [], {"d": 4}]
    assert calls == [1, 1, 1]
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        add()


def test_each_caller_gets_a_value_of_its_own():
    first = double([1])
    first.append("mine")
    assert double([1]) == [1, 1]


@pytest.mark.parametrize(
    "value",
    [Report([1]), np.arange(4).reshape(2, 2), {"a": (1, {2, 3})}, b"x", None, 1 + 2j],
    ids=lambda v: type(v).__name__,
)
def test_a_hit_is_what_the_call_would_have_returned(value: Any):
    @operator(cacheable=True)
    def same(x):
        calls.append("called")
        return x

    first, second = same(value), same(value)
    assert calls == ["called"]
    assert type(second) is type(first)
    assert np.array_equal(first, second) if isinstance(value, np.ndarray) else first == second


class Counted(Operator):
    """Keeps count, and looks at none of it."""

    def __init__(self, by: int = 1):
        self.by, self.count, self.log, self.per = by, 0, [], {}

    def forward(self, x: int) -> int:
        global total
        self.count += 1
        self.log.append(x)
        self.per[x] = self.per.get(x, 0) + 1
        seen[x] = seen.get(x, 0) + 1
        total += 1
        return x + self.by


def test_counters_and_logs_do_not_count():
    op = Counted().with_options(cacheable=True)
    assert [op(1), op(1), op(2), op(1)] == [2, 2, 3, 2]
    assert (op.count, op.log, op.per) == (2, [1, 2], {1: 1, 2: 1})


def test_state_counts():
    op = Counted().with_options(cacheable=True)
    op(1)
    op.by = 5
    assert op(1) == 6
    op.by = 1
    assert op(1) == 2
    assert op.count == 2


class Numbered(Operator):
    """What it returns depends on how often it was called."""

    class Options:
        cacheable = True

    def __init__(self):
        self.count = 0

    def forward(self, x):
        self.count += 1
        return x + self.count


def test_a_call_that_depends_on_what_it_changes_is_not_stored():
    op = Numbered()
    with pytest.warns(UserWarning, match="Numbered is not stored: its arguments, its state or a global changed"):
        assert op(1) == 2
    with pytest.warns(UserWarning, match="changed"):
        assert op(1) == 3


def test_one_that_changes_its_argument_is_not_stored():
    @operator(cacheable=True)
    def emptied(x):
        return x.pop()

    for _ in range(2):
        given = [1, 2]
        with pytest.warns(UserWarning, match="arguments"):
            assert emptied(given) == 2
        assert given == [1]


def test_a_global_counts_as_it_is_now(monkeypatch: pytest.MonkeyPatch):
    @operator(cacheable=True)
    def priced(x):
        return x * table["rate"]

    assert priced(1) == 2
    monkeypatch.setitem(table, "rate", 3)
    assert priced(1) == 3
    monkeypatch.undo()
    assert priced(1) == 2


def test_what_a_function_closes_over_counts():
    def make(n):
        @operator(cacheable=True)
        def plus(x):
            calls.append(n)
            return x + n

        return plus

    assert [make(1)(1), make(2)(1), make(1)(1)] == [2, 3, 2]
    assert calls == [1, 2]


def test_a_function_as_an_argument_counts_with_all_it_calls():
    @operator(cacheable=True)
    def apply(function, x):
        calls.append(x)
        return function(x)

    assert apply(lambda v: v + 1, 1) == 2
    assert apply(lambda v: v + 2, 1) == 3
    assert apply(lambda w: w + 1, 1) == 2
    assert len(calls) == 2


def test_a_replaced_function_counts(monkeypatch: pytest.MonkeyPatch):
    assert uses() == 1
    monkeypatch.setattr(f"{__name__}.helper", lambda: 2)
    assert uses() == 2


def helper():
    return 1


@operator(cacheable=True)
def uses():
    return helper()


# What has no key ------------------------------------------------------------------------------------------------------


class Holding(Operator):
    class Options:
        cacheable = True

    def __init__(self):
        self.inner = {"db": connection}

    def forward(self, x):
        return x


@operator(cacheable=True)
def asks(x):
    return connection.execute("select 1").fetchone()


@operator(cacheable=True)
def evaluates(x):
    return eval(x)


@operator(cacheable=True)
def generates(x):
    yield x


def evaluates_below(x):
    return [evaluates_deep(v) for v in x]


def evaluates_deep(x):
    return eval(x)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: double(connection), "double is cacheable, but argument 'x' is sqlite3.Connection"),
        (lambda: double({"a": [Report([connection])]}), r"argument 'x'\['a'\]\[0\]\.rows\[0\] is sqlite3.Connection"),
        (lambda: Holding()(1), r"Holding is cacheable, but attribute \.inner\['db'\] is sqlite3.Connection"),
        (lambda: asks(1), "the global 'connection' of asks is sqlite3.Connection"),
        (lambda: evaluates("1"), r"evaluates calls eval\(\)"),
        (lambda: operator(evaluates_below, cacheable=True)(["1"]), r"evaluates_deep calls eval\(\)"),
        (lambda: generates(1), "generates is cacheable and a generator; return a list"),
    ],
    ids=["argument", "part of an argument", "attribute", "global", "eval", "eval further down", "generator"],
)
def test_what_has_no_key_is_an_error_that_says_where(call: Any, said: str):
    with pytest.raises(errors.CacheError, match=said) as caught:
        call()
    assert isinstance(caught.value, ValueError)


def test_the_request_is_no_part_of_the_key():
    @operator(cacheable=True, use_ctx=True)
    def who(ctx, x):
        calls.append(x)
        return x

    with pytest.warns(UserWarning, match="who is not stored: it is handed the request"):
        assert who(1) == who(1) == 1
    assert calls == [1, 1]


# Files ----------------------------------------------------------------------------------------------------------------


@operator(cacheable=True)
def length(path: Path) -> int:
    calls.append(path)
    return len(path.read_text())


def test_a_file_is_what_is_in_it(tmp_path: Path):
    file = tmp_path / "data"
    file.write_text("one")
    assert length(file) == length(file) == 3
    file.write_text("three")
    assert length(file) == 5
    file.write_text("two")
    assert length(file) == 3
    assert len(calls) == 3, "same length, other content"


def test_a_file_that_is_only_added_to_is_a_log(tmp_path: Path):
    @operator(cacheable=True)
    def logged(log: Path, x: int) -> int:
        with log.open("a") as file:
            file.write(f"{x}\n")
        return x

    log = tmp_path / "log"
    assert [logged(log, 1), logged(log, 1), logged(log, 2), logged(log, 1)] == [1, 1, 2, 1]
    assert log.read_text() == "1\n2\n"


def test_a_file_that_it_rewrites_keeps_it_from_being_stored(tmp_path: Path):
    @operator(cacheable=True)
    def bumped(path: Path) -> int:
        path.write_text(str(int(path.read_text()) + 1))
        return int(path.read_text())

    file = tmp_path / "number"
    file.write_text("1")
    for expected in (2, 3):
        with pytest.warns(UserWarning, match="number, which it depends on, changed while it ran"):
            assert bumped(file) == expected


def test_a_returned_path_is_as_good_as_its_file(tmp_path: Path):
    @operator(cacheable=True)
    def written(folder: str) -> Path:
        calls.append(folder)
        made = Path(folder) / "out"
        made.write_text("made")
        return made

    out = written(str(tmp_path))
    assert written(str(tmp_path)) == out
    out.unlink()
    assert written(str(tmp_path)).read_text() == "made"
    assert len(calls) == 2


# Outputs that do not come back ----------------------------------------------------------------------------------------


class Custom:
    def __init__(self, n):
        self.n = n


def test_an_output_that_cannot_be_encoded_is_returned_and_said():
    @operator(cacheable=True)
    def made(n):
        return Custom(n)

    with pytest.warns(UserWarning, match="made is not stored: .*Custom"):
        assert made(1).n == 1


def test_with_cloudpickle_it_is_stored():
    @operator(cacheable=True, output_encoder="cloudpickle")
    def made(n):
        calls.append(n)
        return Custom(n)

    assert made(1).n == made(1).n == 1
    assert calls == [1]


# Coroutines, threads, recording ---------------------------------------------------------------------------------------


@operator(cacheable=True)
async def later(x):
    calls.append(x)
    await asyncio.sleep(0.02)
    return x * 2


def test_coroutines_are_awaited_and_their_results_kept():
    async def main():
        return [*(await asyncio.gather(*(later(1) for _ in range(5)))), await later(1)]

    assert asyncio.run(main()) == [2] * 6
    assert calls == [1]


def test_threads_that_race_compute_once():
    @operator(cacheable=True)
    def slow(x):
        calls.append(x)
        time.sleep(0.05)
        return x

    threads = [threading.Thread(target=slow, args=(1,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


def test_recursion_goes_on():
    assert fib(20) == 6765
    assert len(calls) == 21


@operator(cacheable=True)
def fib(n):
    calls.append(n)
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def test_retries_come_before_it_is_stored():
    attempts = []

    @operator(cacheable=True, retries=Retries(2, initial_delay=0))
    def flaky(x):
        attempts.append(x)
        if len(attempts) == 1:
            raise ValueError(x)
        return x

    with pytest.warns(UserWarning, match="changed"):  # it looks at how often it was tried
        assert flaky(1) == 1


class Twice(Operator):
    def forward(self, x):
        first = double(x)
        return first + double(x)


def test_the_graph_of_a_run_shows_what_was_cached():
    with record() as rec:
        assert Twice()(3) == 12
    assert [node.status for node in rec.dag().nodes if node.kind == "call"] == ["done", "cached"]
    assert calls == [3]
