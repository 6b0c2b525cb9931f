"""Programs written for TensorFlow Probability's `auto_batching.Context`, with another import."""

# ruff: noqa: RET505 (as programs there are written)

from __future__ import annotations

import collections
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from operator_lib import autobatch as ab

TensorType = ab.instructions.TensorType
Pair = collections.namedtuple("Pair", ["first", "second"])


def same_as_first(types: list[Any]) -> Any:
    return types[0]


@pytest.fixture(
    params=[
        "numpy",
        pytest.param(
            "tensorflow",
            marks=pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="tensorflow is not installed"),
        ),
    ]
)
def made(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], dict[str, Any]]:
    """What makes an array of the library, and the keyword arguments that a program is called with."""
    if request.param == "numpy":
        return np.array, {"backend": ab.NumpyBackend(), "max_stack_depth": 15}
    import tensorflow as tf

    def constant(value: Any, dtype: Any = np.int64) -> Any:
        return tf.constant(np.array(value, dtype))

    return constant, {"backend": ab.TensorFlowBackend(), "max_stack_depth": 15}


def listed(value: Any) -> Any:
    return np.asarray(value).tolist()


def fibonacci(n):
    if n <= 1:
        return 1
    else:
        left = fibonacci(n - 2)
        right = fibonacci(n - 1)
        return left + right


@pytest.mark.parametrize("stackless", [False, True])
def test_a_function_given_to_batch_uncurried(made: Any, stackless: bool) -> None:
    array, keywords = made
    batched = ab.Context().batch_uncurried(fibonacci, lambda *types: TensorType(np.int64, ()))
    found = batched(array([3, 7, 4, 5], dtype=np.int64), stackless=stackless, **keywords)
    assert listed(found) == [3, 21, 5, 8]
    assert type(found) is type(array([1], dtype=np.int64))


def test_a_type_that_says_number_for_a_truth_value(made: Any) -> None:
    array, keywords = made
    ctx = ab.Context()

    @ctx.batch(type_inference=lambda _: TensorType(np.int32, ()))
    def even(n):
        if n <= 0:
            return True
        else:
            return odd(n - 1)

    @ctx.batch(type_inference=lambda _: TensorType(np.int32, ()))
    def odd(n):
        if n <= 0:
            return False
        else:
            return even(n - 1)

    assert listed(even(array([5, 6, 8, 9], dtype=np.int32), **keywords)) == [False, True, True, False]


def test_lists_and_tuples_are_taken_apart(made: Any) -> None:
    array, keywords = made

    def several():
        return [([1, 2], 3), 4]

    def apart(x):
        [(a, b), c], d = several()
        e, f, g = [1, 2, 3]
        return x + a + b + c + d + e + f + g

    batched = ab.Context().batch_uncurried(apart, same_as_first)
    assert listed(batched(array([6, 7, 8], dtype=np.int64), **keywords)) == [22, 23, 24]


def test_named_tuples_stay_named_tuples(made: Any) -> None:
    array, keywords = made
    start = Pair(5, 20)

    def moved(pair):
        return Pair(pair.first + 1, pair.second + 2)

    def twice(pair):
        once = moved(pair)
        return moved(once)

    def four_times(pair):
        half = twice(pair)
        return twice(half)

    def fields(x):
        y = x + start.first
        pair = Pair(y, y + start.second)
        return pair.second

    ctx = ab.Context()
    ctx.batch_uncurried(twice, same_as_first)
    batched = ctx.batch_uncurried(four_times, same_as_first)
    found = batched(Pair(array([6, 7], dtype=np.int64), array([60, 70], dtype=np.int64)), **keywords)
    assert type(found) is Pair
    assert listed(found.first) == [10, 11]
    assert listed(found.second) == [68, 78]
    assert listed(ctx.batch_uncurried(fields, same_as_first)(array([1, 5], dtype=np.int32), **keywords)) == [26, 30]


def test_values_in_and_out_of_calls(made: Any) -> None:
    array, keywords = made
    ctx = ab.Context()

    @ctx.batch(type_inference=lambda types: ((types[0], types[0]), (types[0], types[0])))
    def four(x):
        left = x + 1, x + 2
        third = x + 3
        return left, (third, x + 4)

    @ctx.batch(type_inference=same_as_first)
    def added(x):
        (one, two), rest = four(x)
        three, _ = rest
        return one + two + three

    @ctx.batch(type_inference=same_as_first)
    def both(given):
        x, y = given
        return x + 1, y + 2

    @ctx.batch(type_inference=same_as_first)
    def through(given):
        x, y = both(given)
        return x, y

    assert listed(added(array([12, -13], dtype=np.int32), **keywords)) == [42, -33]
    for function in (both, through):
        one, two = function((array([12, -13], dtype=np.int32), array([[4, 8], [3, 6]], dtype=np.int32)), **keywords)
        assert listed(one) == [13, -12]
        assert listed(two) == [[6, 10], [5, 8]]


def test_dry_runs_run_the_function_itself(made: Any) -> None:
    array, keywords = made
    ran: list[bool] = []

    def absolute(x):
        if ab.truthy(x > 0):
            return x
        else:
            return -x

    def counted(x):
        ran.append(True)
        return absolute(x)

    ctx = ab.Context()
    batched, dry = ctx.batch_uncurried(absolute, same_as_first), ctx.batch_uncurried(counted, same_as_first)
    assert listed(batched(array([12, -13, 14], dtype=np.int64), **keywords)) == [12, 13, 14]
    assert listed(dry(array([-13], dtype=np.int64), dry_run=True)) == [13]
    assert ran == [True]


def test_what_is_outside_is_found_and_one_armed_branches_join(made: Any) -> None:
    array, keywords = made
    word = "four"

    def size(thing):
        return len(thing)

    def stepped(x):
        found = 1
        if x > 4:
            if x > 10:
                found = size(word)
            else:
                found = 3
        if True:
            return found + np.array(1)
        else:
            return found

    batched = ab.Context().batch_uncurried(stepped, lambda _: TensorType(np.int64, ()))
    assert listed(batched(array([1, 5, 60, 3, 7], dtype=np.int32), **keywords)) == [2, 4, 5, 2, 4]


def test_sums_over_the_last_axis(made: Any) -> None:
    array, keywords = made

    if made[0] is np.array:
        reduced = np.sum
    else:
        import tensorflow as tf

        reduced = tf.reduce_sum

    def total(x):
        return reduced(x, axis=-1, keepdims=True)

    def shifted(x):
        return x + total(x)

    inputs = array([[1, 2], [5, 6]], dtype=np.int64)
    assert listed(ab.Context().batch_uncurried(shifted, same_as_first)(inputs, **keywords)) == [[4, 5], [16, 17]]


def test_numbers_become_as_long_as_the_batch(made: Any) -> None:
    array, keywords = made

    def summed(a, b, c, d):
        return a + b + c + d

    batched = ab.Context().batch_uncurried(summed, same_as_first)
    inputs = [array([12, 13, 14], dtype=np.int32), array([2], dtype=np.int32), 5, array([6], dtype=np.int32)]
    assert listed(batched(*inputs, **keywords)) == [25, 26, 27]


def test_a_call_at_the_end_needs_no_stack_and_may_change_parameters_over(made: Any) -> None:
    array, keywords = made
    ctx = ab.Context()

    @ctx.batch(type_inference=same_as_first)
    def divisor(a, b):
        if a == 0:
            return b
        elif a <= b:
            return divisor(a, b - a)
        else:
            return divisor(b, a)

    inputs = array([7, 12, 49], dtype=np.int32), array([9, 9, 56], dtype=np.int32)
    assert listed(divisor(*inputs, **{**keywords, "max_stack_depth": 3})) == [1, 3, 7]
    lowered = ctx.lowered_for_args("divisor", inputs, keywords["backend"])
    blocks = [block for function in lowered.functions.values() for block in function.graph]
    assert not any(isinstance(block.terminator, ab.instructions.PushGotoOp) for block in blocks)
    assert "stack" not in lowered.var_alloc.values()


def test_programs_are_equal_for_equal_types() -> None:
    ctx = ab.Context()

    @ctx.batch(type_inference=same_as_first)
    def doubled(x):
        return x + x

    backend = ab.NumpyBackend()
    for program in (ctx.program_compiled, ctx.program_lowered):
        one = program("doubled", [TensorType(np.int64, ())], backend)
        assert one == program("doubled", [TensorType(np.int64, ())], backend)
        assert one != program("doubled", [TensorType(np.int32, ())], backend)
