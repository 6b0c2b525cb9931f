"""Options that act on plain local calls: retries, context, reducing; and what children inherit."""

from __future__ import annotations

import asyncio
import random

import pytest

from operator_lib import Operator, RequestContext, Retries, errors, operator, record

AT_ONCE = Retries(2, initial_delay=0)


class Flaky(Operator):
    """Fails as often as it is told to."""

    def __init__(self, failures: int, error: type[Exception] = ValueError):
        self.failures, self.calls, self.error = failures, 0, error

    def forward(self, x=None):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"failure {self.calls}")
        return x


def test_it_is_tried_again_until_it_succeeds():
    op = Flaky(2).with_options(retries=AT_ONCE)
    assert op("x") == "x"
    assert op.calls == 3


def test_the_last_failure_is_raised():
    op = Flaky(5).with_options(retries=AT_ONCE)
    with pytest.raises(ValueError, match="failure 3"):
        op()
    assert op.calls == 3


def test_numbers_that_a_program_has_seeded_are_its_own():
    @operator(retries=Retries(2, initial_delay=0.001, jitter=1.0))
    def draw():
        seen.append(random.random())
        if len(seen) < 3:
            raise ValueError("once more")
        return seen

    seen = []
    random.seed(7)
    expected = [random.random() for _ in range(3)]
    random.seed(7)
    assert draw() == expected


def test_a_request_error_is_final():
    op = Flaky(5, errors.RequestError).with_options(retries=AT_ONCE)
    with pytest.raises(errors.RequestError, match="failure 1"):
        op()


def test_only_the_named_errors_are_worth_another_try():
    op = Flaky(5, KeyError).with_options(retries=Retries(3, initial_delay=0, retry_on=ValueError))
    with pytest.raises(KeyError):
        op()
    assert op.calls == 1


def test_every_try_gets_fresh_arguments():
    seen = []

    @operator(retries=AT_ONCE)
    def grow(items):
        items.append("attempt")
        seen.append(list(items))
        if len(seen) < 3:
            raise ValueError
        return items

    assert grow(["input"]) == ["input", "attempt"]
    assert seen == [["input", "attempt"]] * 3


class Parent(Operator):
    def __init__(self, child):
        self.child = child

    def forward(self, x=None):
        return self.child(x)


def test_children_inherit_the_policy_and_their_parent_does_not_multiply_it():
    child = Flaky(2)
    assert Parent(child).with_options(retries=AT_ONCE)("x") == "x"
    assert child.calls == 3
    child = Flaky(99)
    with pytest.raises(ValueError):
        Parent(child).with_options(retries=AT_ONCE)()
    assert child.calls == 3


def test_a_child_that_says_its_own_is_asked_again_by_its_parents_policy():
    child = Flaky(99).with_options(retries=Retries(1, initial_delay=0))
    with pytest.raises(ValueError):
        Parent(child).with_options(retries=AT_ONCE)()
    assert child.calls == 6


def test_no_retries_at_a_child_stand_against_the_parents():
    child = Flaky(1).with_options(retries=0)
    assert Parent(child).with_options(retries=AT_ONCE)("x") == "x"
    assert child.calls == 2  # the parent was tried again


def test_a_coroutine_is_tried_again_too():
    calls = []

    @operator(retries=AT_ONCE)
    async def flaky(x):
        calls.append(x)
        await asyncio.sleep(0)
        if len(calls) < 3:
            raise ValueError
        return x

    async def main():
        return await asyncio.gather(flaky(1), Parent(flaky)(2))

    assert asyncio.run(main()) == [1, 2]


def test_a_coroutine_made_here_and_awaited_in_a_task_leaves_nothing_behind():
    @operator(use_ctx=True)
    async def who(ctx):
        return RequestContext.get().request_id == ctx.request_id

    async def main():
        pending = who()
        assert RequestContext.get().request_id == ""
        assert await asyncio.create_task(pending)
        assert RequestContext.get().request_id == ""

    asyncio.run(main())


def test_a_generator_sees_its_context_while_it_runs():
    @operator(use_ctx=True)
    def count(ctx, n):
        for i in range(n):
            assert RequestContext.get().request_id == ctx.request_id != ""
            yield i

    items = count(2)
    assert next(items) == 0
    assert RequestContext.get().request_id == ""
    assert list(items) == [1]


def test_the_context_is_the_first_argument_and_shared_below():
    @operator(use_ctx=True)
    def inner(ctx, key):
        return ctx.request_id, ctx.state.get(key), ctx.state.get("nothing", 7)

    @operator(inject_ctx=True)
    def outer(ctx, value):
        ctx.state.set("key", value)
        ctx.state.set("none", None)
        value.append("changed after it was stored")
        assert ctx.state.get("none", 7) is None
        return ctx.request_id, inner("key")

    mine, (theirs, value, missing) = outer(["value"])
    assert mine == theirs != ""
    assert (value, missing) == (["value"], 7)
    assert outer([])[0] != mine


def test_the_attempt_is_told():
    seen = []

    @operator(use_ctx=True, retries=AT_ONCE)
    def flaky(ctx):
        seen.append(ctx.attempt)
        raise ValueError

    with pytest.raises(ValueError):
        flaky()
    assert seen == [1, 2, 3]


def test_progress_metrics_and_retries_are_in_the_record():
    @operator(use_ctx=True, retries=Retries(1, initial_delay=0))
    def work(ctx):
        ctx.progress.update(1, 2, "half", {"unit": "page"})
        ctx.update_progress()
        ctx.metrics.counter("pages")
        ctx.metrics.timer("page", 0.5)
        if ctx.attempt == 1:
            raise ValueError("once")

    with record() as recording:
        work()
    told = [{k: v for k, v in e.items() if k not in ("t", "seq", "call")} for e in recording.events]
    told = [e for e in told if e["kind"] in ("progress", "metric", "retry")]
    full = {"kind": "progress", "current": 1, "total": 2, "message": "half", "attributes": {"unit": "page"}, "path": ""}
    assert told[:4] == [
        full,
        {"kind": "progress", "path": ""},
        {"kind": "metric", "metric": "counter", "name": "pages", "value": 1, "path": ""},
        {"kind": "metric", "metric": "timer", "name": "page", "value": 0.5, "path": ""},
    ]
    assert told[4] == {"kind": "retry", "attempt": 1, "delay": 0.0, "error": "ValueError: once", "path": ""}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"current": -1}, "current must be a number"),
        ({"total": float("nan")}, "total must be a number"),
        ({"current": True}, "current must be a number"),
        ({"message": 3}, "message must be a string"),
        ({"attributes": {"a": 1}}, "attributes must map strings to strings"),
    ],
)
def test_wrong_progress_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        RequestContext.get().progress.update(**given)


def test_a_state_needs_strings_for_keys_and_values_that_travel():
    @operator(use_ctx=True)
    def work(ctx):
        with pytest.raises(ValueError, match="key of a state"):
            ctx.state.set(1, 2)
        with pytest.raises(errors.SerializationError, match="state 'gen'"):
            ctx.state.set("gen", (i for i in ()))

    work()


def test_a_reducer_folds_a_collection_and_takes_single_steps():
    @operator(accumulate=0)
    def total(acc, x):
        return acc + x

    @operator(accumulate=list)
    def collect(acc, x):
        acc.append(x)
        return acc

    @operator(accumulate=lambda: "", use_ctx=True)
    def join(ctx, acc, x):
        assert ctx.request_id
        return acc + x

    assert total([1, 2, 3]) == 6
    assert total(4, 5) == 9
    assert total([]) == 0
    assert collect(range(3)) == [0, 1, 2]
    assert collect(range(2)) == [0, 1]  # a zero of its own each time
    assert join("abc") == "abc"


def test_a_zero_value_is_not_shared():
    @operator(accumulate=[])
    def collect(acc, x):
        acc.append(x)
        return acc

    assert collect([1]) == [1]
    assert collect([2]) == [2]


def test_a_retried_step_of_a_reducer_does_not_count_twice():
    failed = []

    @operator(accumulate=list, retries=AT_ONCE)
    def collect(acc, x):
        acc.append(x)
        if x == 1 and not failed:
            failed.append(x)
            raise ValueError
        return acc

    assert collect([0, 1, 2]) == [0, 1, 2]


def test_stop_iteration_of_the_user_stays_what_it_is():
    @operator(retries=1)
    def takes(items):
        return next(iter(items))

    with pytest.raises(StopIteration) as raised:
        takes([])
    assert raised.value.__context__ is None
    assert takes([1]) == 1
