"""Generators and coroutines."""

from __future__ import annotations

import asyncio
import inspect
import itertools

from cases import case, caught


@case("count_up")
def items(op):
    return list(op(3)), list(op(0)), list(op(2, start=5)), [item["i"] for item in op(n=4)]


@case("count_up", gives=[True, {"i": 0, "square": 0}, {"i": 1, "square": 1}])
def a_generator_is_returned(op):
    stream = op(3)
    return [inspect.isgenerator(stream), next(stream), next(stream)]


@case("count_up")
def several_at_a_time(op):
    return list(zip(op(3), op(3, start=10)))


@case("count_up")
def early_close(op):
    stream = op(100)
    first = [next(stream) for _ in range(3)]
    stream.close()
    return first, list(stream)


@case("count_up")
def a_thousand_items(op):
    return sum(item["square"] for item in op(1000))


@case("count_up")
def arguments_that_do_not_fit_a_generator(op):
    return caught(lambda: op()), caught(lambda: op(1, 2, 3))


@case("breaks_off")
def items_and_then_an_exception(op):
    seen = []
    try:
        for item in op(3):
            seen.append(item)
    except ValueError as error:
        return seen, error


@case("nothing_then_error")
def an_exception_before_the_first_item(op):
    stream = op()
    return caught(lambda: next(stream)), list(stream)


@case("with_result", gives=([0, 1, 2], 30))
def the_generators_own_result(op):
    seen = []

    def outer():
        result = yield from op(3)
        seen.append(result)

    items = list(outer())
    return items, seen[0]


@case("squares", gives=[0, 1, 4, 9])
def an_operator_that_streams(op):
    return list(op(4))


@case("later", gives=([2, 3], True))
async def coroutines(op):
    pending = op(1)
    return [await pending, await op(x=2)], inspect.isawaitable(pending)


@case("later")
async def coroutines_at_the_same_time(op):
    return await asyncio.gather(*(op(i) for i in range(8)))


@case("later")
async def arguments_that_do_not_fit_a_coroutine(op):
    return caught(lambda: op()), caught(lambda: op(1, y=2))


@case("together", gives=[2, 3, 4])
async def coroutines_that_call_operators(op):
    return await op([1, 2, 3])


@case("ticks", gives=([0, 1, 2], True, []))
async def async_generators(op):
    stream = op(3)
    return [item async for item in stream], inspect.isasyncgen(stream), [item async for item in op(0)]


@case("ticks_break_off")
async def async_items_and_then_an_exception(op):
    seen = []
    try:
        async for item in op(2):
            seen.append(item)
    except ValueError as error:
        return seen, error


@case("ticks", gives=[0, 1])
async def early_close_of_an_async_generator(op):
    stream = op(100)
    seen = [await anext(stream), await anext(stream)]
    await stream.aclose()
    return seen


@case("Tap", gives=([0, 1, 2], 3, 1))
def only_what_is_asked_for_is_made(op):
    op.reset()
    stream = op.flow()
    seen = list(itertools.islice(stream, 3))
    drawn = op.drawn
    stream.close()
    for _ in range(500):  # the end of the stream travels on a way of its own
        if op.closed:
            break
    return seen, drawn, op.closed


@case("Tap", gives=(0, 1, 1))
def nothing_runs_before_the_first_item(op):
    op.reset()
    stream = op.flow()
    before = op.drawn
    next(stream)
    return before, op.drawn, next(stream)


@case("Tap", gives=[None, "a", "b", "stopped"])
def what_is_sent_into_a_generator(op):
    stream = op.echoes()
    seen = [next(stream), stream.send("a"), stream.send("b")]
    try:
        stream.send("stop")
    except StopIteration as end:
        seen.append(end.value)
    return seen


@case("Tap", gives=([0, 1, 2], 3, 4))
async def async_methods(op):
    op.reset()
    seen = [item async for item in op.drops(3)]
    return seen, op.drawn, await op.drop()


@case("Tap", gives=["a", "b", "c"])
def other_iterators(op):
    return list(op.letters())
