"""The same for many inputs, and futures."""

from __future__ import annotations

import asyncio
import concurrent.futures

from cases import case, caught


@case("double", gives=[0, 2, 4, 6])
def many_inputs(op):
    return op.map([0, 1, 2, 3])


@case("double", gives=True)
def ten_thousand_inputs(op):
    return op.map(range(10_000)) == [2 * x for x in range(10_000)]


@case("double", gives=([], [], []))
def no_inputs(op):
    return op.map([]), op.map(iter(())), op.map({})


@case("double", gives=([2, 4], ["aa", "bb"], [0]))
def inputs_of_every_kind(op):
    return op.map(x for x in (1, 2)), op.map("ab"), op.map({0: 1}, workers=1)


@case("double", gives=([0, 2, 4], [6, 8]))
def once_and_again(op):
    return op.map(range(3)), op.map(range(3, 5))


@case("sleepy", gives=True)
def in_order_whatever_the_speed(op):
    return op.map(range(100), workers=4) == list(range(100))


@case("sleepy", gives=list(range(60)))
def in_any_order(op):
    return sorted(op.map(range(60), workers=4, ordered=False))


@case("unpack", gives=[["tuple", 1, "a"], ["tuple", 2, "b"]])
def tuples_are_one_argument(op):
    return op.map([(1, "a"), (2, "b")])


@case("shift")
def inputs_of_the_users_own_classes(op, lib):
    point = lib("Point")
    points = [point(float(i)) for i in range(5)]
    return op.map(points) if hasattr(op, "map") else [op(p) for p in points]


@case("fails_on", gives="raised")
def the_first_exception_is_raised(op):
    error = caught(lambda: op.map(range(20)))
    assert error.args == ("cannot do", 3)
    return "raised"


@case("fails_on", gives=[0, 1, 2, ("cannot do", 3), 4, 5, 6, 7, ("cannot do", 8), 9])
def exceptions_in_their_places(op):
    found = op.map(range(10), return_exceptions=True)
    assert [type(item).__name__ for item in found if isinstance(item, Exception)] == ["ValueError"] * 2
    return [item.args if isinstance(item, Exception) else item for item in found]


@case("fails_on", gives=([0, 1, 2], [4]))
def life_goes_on_after_a_map_that_failed(op):
    caught(lambda: op.map(range(5)))
    return op.map(range(3)), op.map([4])


@case("double", gives=["ValueError", "ValueError", "ValueError"])
def a_number_of_workers_that_makes_no_sense(op):
    return [type(caught(lambda n=n: op.map([1], workers=n))).__name__ for n in (0, -2, "3")]


@case("busy", gives=True)
def never_more_workers_than_asked_for(op):
    spans = op.map([0.02] * 9, workers=3)
    edges = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    running = most = 0
    for _, step in edges:
        running += step
        most = max(most, running)
    return 1 <= most <= 3


@case("double", gives=[True, 200, True, 3])
def inputs_are_drawn_as_they_are_needed(op):
    drawn = []

    def inputs():
        for i in range(100_000):
            drawn.append(i)
            yield i if i < 200 else "end"

    class Enough(Exception):
        pass

    def stopping():
        for i in inputs():
            if i == "end":
                raise Enough
            yield i

    error = caught(lambda: op.map(stopping(), workers=2))
    return [type(error).__name__ == "Enough", len(drawn) - 1, len(drawn) < 100_000, op.map([1])[0] + 1]


@case("double", gives=[2, 4, 6])
def futures(op):
    pending = [op.submit(x) for x in (1, 2, 3)]
    done, left = concurrent.futures.wait(pending, timeout=30)
    assert not left
    assert done == set(pending)
    return [future.result() for future in pending]


@case("double", gives=[0, 2, 4, 6, 8])
def futures_as_they_complete(op):
    pending = [op.submit(x=x) for x in range(5)]
    return sorted(future.result() for future in concurrent.futures.as_completed(pending, timeout=30))


@case("double", gives=[2, 4])
async def futures_in_an_event_loop(op):
    return await asyncio.gather(*(asyncio.wrap_future(op.submit(x)) for x in (1, 2)))


@case("double", gives=(2, True, None, "TypeError"))
def what_a_future_tells(op):
    future = op.submit(1)
    value = future.result(30)
    return value, future.done(), future.exception(), type(caught(lambda: submitted(op))).__name__


def submitted(op):
    """Wrong arguments: refused at once, or by the run."""
    return op.submit().result(30)


@case("fails_on", gives=("ValueError", ("cannot do", 3), True))
def the_exception_of_a_future(op):
    future = op.submit(3)
    error = future.exception(30)
    return type(error).__name__, error.args, caught(future.result).args == error.args


@case("later", gives=[2, 3])
def futures_of_coroutines(op):
    return [op.submit(1).result(30), op.submit(2).result(30)]


@case("double", gives=[2, [4]])
def different_operators_different_inputs(op):
    from operator_lib import Operator, operator

    listed = operator(lambda *args, **kwargs: [op(*args, **kwargs)])
    first, second = Operator.star_map([(op, (1,)), (listed, {"x": 2})])
    third, *none = Operator.star_map([(op, 1)])
    assert (first, none) == (third, [])
    return [first, second]


@case("Adder", gives=([100, 101, 102], 3))
def methods_of_objects(op):
    before = op.whole()
    add = op.add
    found = add.map(range(3)) if hasattr(add, "map") else [add(x) for x in range(3)]
    return found, op.whole() - before
