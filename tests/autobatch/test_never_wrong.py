"""What other systems got wrong without a word, and what shares a batch must not change."""

from __future__ import annotations

import math
import pickle
import threading
import warnings

import numpy as np
import pytest

from operator_lib import Operator
from operator_lib.autobatch import CompileError, Context, LaneError, autobatch, compile_forward

WAYS = ["program_counter", "stackless", "auto"]
x = 1000
offset = 5


@pytest.fixture(params=WAYS)
def ctx(request: pytest.FixtureRequest) -> Context:
    return Context(strategy=request.param)


def test_conditions_are_aligned_with_events(ctx: Context) -> None:
    @ctx.batch
    def negate_if(flag, v):
        if flag:
            v = -v
        return v

    got = negate_if(np.array([False, True]), np.array([[0, 1], [2, 3]]))
    assert got.tolist() == [[0, 1], [-2, -3]]
    assert negate_if(np.array([True, False, True]), np.ones((3, 2))).tolist() == [[-1, -1], [1, 1], [-1, -1]]


def test_locals_hide_globals(ctx: Context) -> None:
    @ctx.batch
    def shadow(y):
        x = y + 5
        return x + 1

    assert shadow(np.array([1, 2])).tolist() == [7, 8]


def test_reductions_and_indices_are_of_one_example(ctx: Context) -> None:
    @ctx.batch
    def both(v):
        return np.sum(v), v[0], v.sum() * np.ones(2), len(v), v.shape[0]

    total, first, ones, length, size = both(np.array([[1, 2], [3, 4]]))
    assert total.tolist() == [3, 7]
    assert first.tolist() == [1, 3]
    assert ones.tolist() == [[3, 3], [7, 7]]
    assert length.tolist() == size.tolist() == [2, 2]


def test_assert_looks_at_the_value(ctx: Context) -> None:
    @ctx.batch
    def small(v):
        assert v < 100, f"{v} is too large"
        return v

    assert small(np.array([1, 2])).tolist() == [1, 2]
    with pytest.raises(AssertionError, match=r"lane 1, .*test_never_wrong.py:\d+ in small: AssertionError: 200 is too"):
        small(np.array([1, 200]))


def test_lanes_that_do_not_take_a_branch_do_not_warn(ctx: Context) -> None:
    @ctx.batch
    def guarded(v):
        if v != 0:
            return 10 // v
        return -1

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert guarded(np.array([0, 2, 0, 5])).tolist() == [-1, 5, -1, 2]


def test_a_loop_that_would_not_end_for_others_ends(ctx: Context) -> None:
    @ctx.batch
    def halve(v):
        if v > 0:
            while v != 1:
                v = v // 2
        return v

    assert halve(np.array([8, -1, 0, 1])).tolist() == [1, -1, 0, 1]


def test_an_exception_names_lane_and_line_and_leaves_the_rest(ctx: Context) -> None:
    @ctx.batch
    def root(v):
        if v < 0:
            raise ValueError(f"no root of {v}")
        return math.sqrt(v)

    with pytest.raises(
        ValueError, match=r"lane 1, .*test_never_wrong.py:\d+ in root: ValueError: no root of -4"
    ) as info:
        root(np.array([1.0, -4.0, 9.0, -1.0]))
    error = info.value
    assert isinstance(error, LaneError)
    assert list(error.lanes) == [1, 3]
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, ValueError)
    assert str(again) == str(error)
    assert error.results.tolist() == [1, 0, 3, 0]


def test_an_exception_in_a_callee_hits_its_lane(ctx: Context) -> None:
    table = np.array([10, 20, 30])

    @ctx.batch
    def look(i):
        return table[i]

    @ctx.batch
    def twice(i):
        return look(i) + look(i + 1)

    with pytest.raises(IndexError) as info:
        twice(np.array([0, 2, 1]))
    assert list(info.value.lanes) == [1]
    assert info.value.results.tolist() == [30, 0, 50]


def test_unassigned_variables_raise_for_the_lanes_concerned(ctx: Context) -> None:
    @ctx.batch
    def maybe(n):
        if n > 0:
            found = n
        return found

    with pytest.raises(UnboundLocalError) as info:
        maybe(np.array([1, -1]))
    assert list(info.value.lanes) == [1]
    assert maybe(np.array([4])).tolist() == [4]


def test_two_names_for_one_array(ctx: Context) -> None:
    @ctx.batch
    def alias(row, i):
        same = row
        same[i] = 7
        other = row.copy()
        other[0] = -1
        return row, np.sum(same)

    given = np.arange(6).reshape(2, 3)
    row, total = alias(given, np.array([0, 2]))
    assert row.tolist() == [[7, 1, 2], [3, 4, 7]]
    assert total.tolist() == [10, 14]
    assert given.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_number_read_before_a_store_stays(ctx: Context) -> None:
    @ctx.batch
    def swap(row):
        first = row[0]
        row[0] = row[1]
        row[1] = first
        return row

    assert swap(np.array([[1, 2], [3, 4]])).tolist() == [[2, 1], [4, 3]]


def test_in_place_arithmetic_is_seen_by_the_other_name(ctx: Context) -> None:
    @ctx.batch
    def add(v):
        w = v
        w += 1
        return v, w is v

    assert add(np.zeros((2, 2)))[0].tolist() == [[1, 1], [1, 1]]


def test_views_that_are_kept_are_refused() -> None:
    @autobatch
    def swap_rows(m):
        m[0], m[1] = m[1], m[0]
        return m

    with pytest.raises(CompileError, match=r"(?s)view of an array that is written to.*\^.*copy"):
        swap_rows(np.zeros((1, 2, 2)))


def test_integers_keep_their_type_and_wrap() -> None:
    for strategy in ("program_counter", "auto", "loop", "native"):
        ctx = Context(strategy=strategy)

        @ctx.batch
        def product(n, m):
            total = n
            for _ in range(m):
                total = total * n
            return total

        big = product(np.array([3, 10], np.int64), np.array([50, 30]))
        with np.errstate(over="ignore"):
            assert big.tolist() == [int(np.int64(3**51 % 2**64 - (2**64 if 3**51 % 2**64 >= 2**63 else 0))), big[1]]
        assert big[1] == (10**31 + 2**63) % 2**64 - 2**63
        assert product(np.array([100], np.int8), np.array([1])).tolist() == [16]


def test_strict_names_lane_and_line() -> None:
    @autobatch(strict=True)
    def square(n):
        return n * n

    assert square(np.array([3, 3037000499])).tolist() == [9, 3037000499**2]
    with pytest.raises(OverflowError, match=r"lane 1, .*test_never_wrong.py:\d+ in square") as info:
        square(np.array([3, 3037000500]))
    assert info.value.results.tolist() == [9, 0]

    @autobatch(strict=True)
    def divide(a, b):
        return a // b

    with pytest.raises(ZeroDivisionError, match="lane 0"):
        divide(np.array([1]), np.array([0]))


def test_globals_and_closures_are_read_when_called() -> None:
    @autobatch
    def moved(v):
        return v + offset

    global offset
    offset = 5
    assert moved(np.array([1])).tolist() == [6]
    offset = 7
    assert moved(np.array([1])).tolist() == [8]


def shifted(v):
    return v + 10


def test_a_builtin_hidden_later_by_a_global_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    @autobatch
    def size(v):
        return abs(v)

    for _ in range(3):
        assert size(np.array([-1])).tolist() == [1]
    monkeypatch.setitem(globals(), "abs", shifted)
    assert size(np.array([-1])).tolist() == [9]


def doubled(n, k):
    total = n
    for _ in range(k):
        total = total + total
    return total


def seen_doubled(n, k):
    total = n
    while k > 0 and total < 1000:
        total = total * n
        k -= 1
    return total


def negated(n, k):
    return -n // k, abs(n)


def ratio(n, k):
    return n / k, n < k + 0.5


def half_literal(xs, k):
    found = 3
    for _ in range(k):
        found = found * 3
    if k < 0:
        found = xs[0]
    return found * 1.0


BORDERS = {
    "wraps unseen": (doubled, (np.array([3, 2**61, -5]), np.array([62, 2, 70]))),
    "wraps in sight": (seen_doubled, (np.array([3, -(2**40), 2**62]), np.array([4, 3, 2]))),
    "the smallest number": (negated, (np.array([-(2**63), 7, -(2**63)]), np.array([-1, 2, 1]))),
    "more than a float holds": (ratio, (np.array([2**60 + 1, 2**53 + 1]), np.array([3, 2**53]))),
    "a literal in a variable of floats": (half_literal, (np.ones((2, 2)), np.array([40, 50]))),
}


@pytest.mark.parametrize("name", BORDERS)
def test_strategies_agree_where_python_numbers_would_go_on(name: str) -> None:
    function, columns = BORDERS[name]
    ways = ("program_counter", "stackless", "loop", "native")
    found = [autobatch(function, strategy=way)(*columns) for way in ways]
    for other in found[1:]:
        np.testing.assert_array_equal(np.asarray(other), np.asarray(found[0]))


class Holds(Operator):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.names, self.weights = np.array([1.0, 2.0]), {"k": 3.0}, [4.0, 5.0]

    def forward(self, n):
        for weight in self.weights:
            n = n + weight
        return n * self.table[1] + self.names["k"] + np.sum(self.table) + len(self.weights)


def test_what_is_in_constants_is_read_when_called() -> None:
    operator = Holds()
    run = compile_forward(operator)
    x = np.array([1.0, 20.0])
    changes = (
        lambda: None,
        lambda: operator.table.fill(7.0),
        lambda: operator.names.update(k=8.0),
        lambda: operator.weights.append(9.0),
    )
    for change in changes:
        change()
        for _ in range(3):
            assert run(x).tolist() == operator.forward(x).tolist()


def told(n):
    print(n)
    return n


def test_what_is_done_besides_is_done_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert autobatch(told)(np.array([5, 6])).tolist() == [5, 6]
    assert sorted(capsys.readouterr().out.split()) == ["5", "6"]


def solved(a, b):
    return np.linalg.solve(a, b), np.linalg.cholesky(a)


def test_matrices_that_can_be_inverted() -> None:
    a, b = np.eye(2) * np.array([1.0, 4.0])[:, None, None], np.ones((2, 2))
    found, root = autobatch(solved)(a, b)
    assert found.tolist() == [[1, 1], [0.25, 0.25]]
    assert root[1].tolist() == [[2, 0], [0, 2]]
    with pytest.raises(np.linalg.LinAlgError, match="lane 1"):
        autobatch(solved)(a * np.array([1.0, 0.0])[:, None, None], b)


table = np.array([10, 20, 30])


def looked_up(i):
    return ~(table[i] > 15), table[i]


@pytest.mark.parametrize("strategy", ["native", "loop", "program_counter"])
def test_arrays_from_outside_may_be_written_to_between_calls(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "table", np.array([10, 20, 30]))
    look_up = autobatch(looked_up, strategy=strategy)
    assert [found.tolist() for found in look_up(np.array([0, 1, -1]))] == [[True, False, False], [10, 20, 30]]
    table[0] = 99
    assert [found.tolist() for found in look_up(np.array([0, 1, -1]))] == [[False, False, False], [99, 20, 30]]


def test_types_that_widen_and_types_that_cannot_meet() -> None:
    @autobatch
    def widened(n):
        y = 1
        if n > 2:
            y = 0.5
        return y

    assert widened(np.array([1, 3])).tolist() == [1.0, 0.5]
    assert widened(np.array([1])).dtype == np.float64

    @autobatch
    def clash(n):
        if n > 2:
            y = "text"
        else:
            y = 1
        return y

    with pytest.raises(CompileError, match=r"(?s)y is .*on one path and .*on another"):
        clash(np.array([1]))


class Scale(Operator):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, v: float) -> float:
        return v * self.factor


class Grow(Operator):
    def __init__(self) -> None:
        super().__init__()
        self.scale = Scale(2.0)
        self.limit = 50.0

    def forward(self, v: float) -> float:
        while v < self.limit:
            v = self.scale(v)
        return v


def test_the_forward_of_an_operator() -> None:
    operator = Grow()
    grow = compile_forward(operator)
    batch = np.array([1.0, 30.0, 70.0])
    assert grow(batch).tolist() == [operator(v) for v in batch.tolist()] == [64.0, 60.0, 70.0]
    operator.scale.factor = 10.0
    assert grow(batch).tolist() == [100.0, 300.0, 70.0]


def plain_helper(v):
    try:
        return float(int(v))
    except ValueError:
        return 0.0


def test_functions_outside_of_the_language_are_called_example_by_example(ctx: Context) -> None:
    @ctx.batch
    def use(v):
        return plain_helper(v) + 1

    assert use(np.array([1.5, 2.5])).tolist() == [2.0, 3.0]
    assert "one example after the other" in use.explain(np.array([1.5]))


def test_a_function_without_stated_randomness_is_refused() -> None:
    @autobatch
    def noise(v):
        return v + np.random.normal()

    with pytest.raises(CompileError, match="something else each time"):
        noise(np.zeros(2))


def test_calls_from_several_threads() -> None:
    @autobatch(strategy="program_counter")
    def total(n):
        found = 0
        for i in range(n):
            found += i
        return found

    answers: list[list[int]] = []

    def call() -> None:
        for _ in range(20):
            answers.append(total(np.arange(30)).tolist())

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [[n * (n - 1) // 2 for n in range(30)]] * 80
