"""The surface of `Context` and of the functions that it makes."""

from __future__ import annotations

import numpy as np
import pytest

import operator_lib
from operator_lib.autobatch import (
    CompileError,
    Context,
    NumpyBackend,
    StackOverflow,
    TensorType,
    autobatch,
    instructions,
    truthy,
)

INT = TensorType(np.int64)


def make_context() -> Context:
    ctx = Context()

    @ctx.batch(type_inference=lambda args: (args[0], args[0]))
    def even(n):
        if truthy(n == 0):
            return True
        return odd(n - 1)

    @ctx.batch
    def odd(n):
        if n == 0:
            return False
        return even(n - 1)

    ctx.even, ctx.odd = even, odd
    return ctx


@autobatch
def fib(n):
    if n <= 1:
        return 1
    return fib(n - 1) + fib(n - 2)


def test_the_module_is_a_decorator_too() -> None:
    @operator_lib.autobatch
    def one_more(x):
        return x + 1

    @operator_lib.autobatch(strict=True)
    def one_less(x):
        return x - 1

    assert one_more(np.array([1, 2])).tolist() == [2, 3]
    assert one_less(np.array([1, 2])).tolist() == [0, 1]


def test_a_wrong_type_inference_is_noticed() -> None:
    ctx = make_context()
    with pytest.raises(TypeError, match="type_inference of even says"):
        ctx.even(np.array([3]))
    assert ctx.odd(np.array([3, 4])).tolist() == [True, False]


def test_a_right_type_inference_is_accepted() -> None:
    ctx = Context()

    @ctx.batch(type_inference=lambda args: (TensorType(np.int64), args[0]))
    def both(n):
        return n + 1, n

    assert both(np.array([3]))[0].tolist() == [4]

    @ctx.batch(type_inference=lambda args: [args[0]])
    def one(n):
        return n + 1

    assert one(np.array([3])).tolist() == [4]


def test_names() -> None:
    ctx = make_context()
    assert ctx.function_names() == ["even", "odd"]
    with pytest.raises(ValueError, match="Cannot auto-batch the same-named function odd twice"):
        ctx.batch_uncurried(ctx.odd.single, None)
    with pytest.raises(ValueError, match="nope"):
        ctx.program("nope")
    with pytest.raises(ValueError, match="not a function defined with def"):
        ctx.batch(len)
    with pytest.raises(CompileError, match="lambda"):
        ctx.batch_uncurried(lambda x: x)


def test_programs_are_read_as_text() -> None:
    ctx = make_context()
    module = ctx.module()
    assert isinstance(module, instructions.Module)
    program = ctx.program("odd")
    assert set(program.functions) == {"even", "odd"}
    assert "call even" in str(program)
    assert isinstance(program.graph.blocks[0].instructions[0], instructions.FunctionCallOp)
    assert program.var_defs == ctx.program_compiled("odd").var_defs == {}
    compiled = ctx.program_compiled("odd", [INT], NumpyBackend())
    assert compiled.var_defs["odd.n"].tensors == INT
    lowered = ctx.lowered_for_args("odd", [np.array([1, 2])], NumpyBackend())
    assert str(lowered) == str(ctx.program_lowered("odd", [INT], NumpyBackend()))
    assert "goto even:" in str(lowered)


def test_lowered_calls_push_and_pop() -> None:
    text = str(fib.context.program_lowered("fib", [INT], NumpyBackend()))
    assert "push fib:" in text
    assert "pop n" in text
    assert "stack" in text
    assert "carries" in fib.explain(np.array([3]))


def test_broadcasting_and_structure() -> None:
    @autobatch
    def pair(a, b, *, c=10):
        return a + b, {"c": c}

    total, rest = pair(np.array([1, 2, 3]), 5)
    assert total.tolist() == [6, 7, 8]
    assert rest["c"].tolist() == [10, 10, 10]
    assert pair(np.array([[1, 2], [3, 4]]), np.array([7]), c=1)[0].tolist() == [[8, 9], [10, 11]]
    assert pair(3, 4)[0].tolist() == [7]
    with pytest.raises(ValueError, match=r"Inconsistent batch sizes: 3 in a and 2 in b"):
        pair(np.zeros(3), np.zeros(2))
    with pytest.raises(TypeError, match="missing a required argument: 'b'"):
        pair(np.zeros(3))


def test_dry_run_is_plain_python() -> None:
    seen = []

    @autobatch
    def noted(n):
        note(n)
        return n * 2

    def note(n):
        seen.append(type(n))

    globals()["note"] = note
    assert noted(np.array([1, 2]), dry_run=True).tolist() == [2, 4]
    assert seen == [np.int64, np.int64]
    assert fib(np.array([5]), dry_run=True).tolist() == [8]


@pytest.mark.parametrize("strategy", ["auto", "program_counter", "loop", "native"])
def test_depth(strategy: str) -> None:
    ctx = Context(strategy=strategy)

    @ctx.batch
    def down(n):
        return 0 if n == 0 else 1 + down(n - 1)

    assert down(np.array([14, 3])).tolist() == [14, 3]
    with pytest.raises(StackOverflow, match=r"Maximum stack depth exceeded\. Lane 1 .*test_context.py:\d+ in down"):
        down(np.array([3, 15]))
    with pytest.raises(ValueError, match="Maximum stack depth"):
        down(np.array([15]), max_stack_depth=15)
    assert down(np.array([15, 2]), max_stack_depth=16).tolist() == [15, 2]
    assert down(np.array([6000, 2]), max_stack_depth=None).tolist() == [6000, 2]
    assert down(np.array([100, 2]), stackless=True).tolist() == [100, 2]


def test_both_modes_and_two_programs_share_a_context_and_a_cache() -> None:
    ctx = Context()

    @ctx.batch
    def first(n):
        return 3 if n > 0 else 4

    @ctx.batch
    def second(n):
        return 200 if n > 0 else 100

    cache: dict = {}
    for _ in range(2):
        for stackless in (False, True):
            assert first(np.array([1, 0]), block_code_cache=cache, stackless=stackless).tolist() == [3, 4]
            assert second(np.array([1, 0]), block_code_cache=cache, stackless=stackless).tolist() == [200, 100]


def test_every_argument_type_has_its_own_program() -> None:
    @autobatch
    def twice(x):
        return x * 2

    for dtype in (np.int8, np.int32, np.uint16, np.float32, np.float64, np.complex64):
        for _ in range(2):
            assert twice(np.ones(2, dtype)).dtype == dtype
    assert twice(np.ones((2, 3), np.float32)).shape == (2, 3)


def test_options_for_a_parameter_called_backend() -> None:
    @autobatch
    def choose(backend, x):
        return x if backend > 0 else -x

    assert choose(backend=np.array([1, 0]), x=np.array([5, 6])).tolist() == [5, -6]
    assert choose.options(stackless=True)(np.array([1, 0]), np.array([5, 6])).tolist() == [5, -6]
    with pytest.raises(TypeError, match="unknown option 'depth'"):
        choose.options(depth=3)
    with pytest.raises(ValueError, match="max_stack_depth must be an int of at least 1"):
        fib(np.array([3]), max_stack_depth=0)
    with pytest.raises(ValueError, match="strategy must be one of auto"):
        choose.options(strategy="fast")


def test_statistics_and_tuning() -> None:
    ctx = Context(strategy="program_counter")

    @ctx.batch
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    batch = np.arange(10)
    expected = fibonacci(batch)
    before = fibonacci.last_stats
    assert before.steps > 0
    assert 0 < before.utilisation < 1
    assert before.peak_frames <= max(1.5 * before.live_frames, 32)
    assert "utilisation" in str(before)
    assert ctx.tune("fibonacci", batch, seconds=0.3) <= 1
    assert fibonacci(batch).tolist() == expected.tolist()
    assert fibonacci.last_stats.steps <= before.steps


def test_lane_refill_uses_lanes_better() -> None:
    ctx = Context(strategy="program_counter")

    @ctx.batch
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    @ctx.batch
    def collatz(n):
        steps = 0
        while n > 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        return steps

    rng = np.random.default_rng(0)
    for function, batch in ((fibonacci, rng.integers(0, 12, 800)), (collatz, rng.integers(0, 3000, 800))):
        whole = function(batch)
        alone = function.last_stats.utilisation
        refill = function.options(lanes=32, schedule="most")
        assert refill(batch).tolist() == whole.tolist()
        assert refill.last_stats.utilisation > 2 * alone
