"""``@operator`` on functions and everything else that can be called."""

from __future__ import annotations

import asyncio
import functools
import inspect
import math
from typing import Any

import pytest

from operator_lib import Operator, operator
from operator_lib.errors import OptionError


def plain(i: float = 4) -> float:
    """Squares."""
    return i * i


bare = operator(plain)
called = operator()(plain)
optioned = operator(plain, cpu=2)
decorated = operator(cpu=2, name="squares")(plain)


@pytest.mark.parametrize("op", [bare, called, optioned, decorated, Operator.fn()(plain), Operator.from_fn(plain)])
def test_a_function_is_an_operator_and_stays_what_it_was(op: Any) -> None:
    assert isinstance(op, Operator)
    assert (op(), op(10), op(i=3)) == (16, 100, 9)
    assert op.__name__ == "plain"
    assert op.__qualname__ == "plain"
    assert op.__doc__ == "Squares."
    assert op.__module__ == __name__
    assert op.__wrapped__ is plain
    assert inspect.signature(op) == inspect.signature(plain)
    assert op.__annotations__ == plain.__annotations__
    assert inspect.getsource(op) == inspect.getsource(plain)
    assert callable(op.deploy)
    assert callable(op.map)


def test_options_are_kept_and_shown() -> None:
    assert repr(bare) == "plain()"
    assert "cpu=2" in repr(optioned)
    assert "squares" in repr(decorated)


def test_operator_of_an_operator_is_itself_or_a_copy_with_options() -> None:
    assert operator(bare) is bare
    again = operator(bare, cpu=3)
    assert again is not bare
    assert again(3) == 9
    assert "cpu=3" in repr(again)
    assert repr(bare) == "plain()"

    class Node(Operator):
        def forward(self) -> int:
            return 1

    node = Node()
    assert operator(node) is node
    assert isinstance(operator(node, cpu=3), Node)


def test_attributes_of_the_function() -> None:
    def tagged() -> int:
        return 1

    tagged.tag = "mine"  # type: ignore[attr-defined]
    op: Any = operator(tagged)
    op.other = 2
    assert op.other == 2
    assert op.__wrapped__.tag == "mine"


class CallMe:
    """Adds."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, x: int = 1) -> int:
        return x + self.n

    def method(self, x: int) -> int:
        return x * self.n

    @classmethod
    def of_class(cls) -> str:
        return cls.__name__

    @staticmethod
    def static(x: int) -> int:
        return -x


CALLABLES = [
    pytest.param(functools.partial(pow, 2), (3,), 8, id="partial"),
    pytest.param(functools.partial(plain, i=3), (), 9, id="partial with keywords"),
    pytest.param(functools.partial(functools.partial(max, 1), 2), (3,), 3, id="partial of a partial"),
    pytest.param(lambda x: x + 1, (1,), 2, id="lambda"),
    pytest.param(CallMe(5), (1,), 6, id="callable object"),
    pytest.param(CallMe(5).method, (2,), 10, id="bound method"),
    pytest.param(CallMe.of_class, (), "CallMe", id="class method"),
    pytest.param(CallMe.static, (2,), -2, id="static method"),
    pytest.param(len, ("abc",), 3, id="builtin"),
    pytest.param(math.sqrt, (4,), 2.0, id="function written in C"),
    pytest.param("".join, (["a", "b"],), "ab", id="method of a string"),
    pytest.param(functools.lru_cache(plain), (2,), 4, id="lru_cache"),
    pytest.param(functools.singledispatch(plain), (2,), 4, id="singledispatch"),
]


@pytest.mark.parametrize(("target", "args", "expected"), CALLABLES)
def test_everything_that_can_be_called(target: Any, args: tuple[Any, ...], expected: Any) -> None:
    op = operator(target)
    assert isinstance(op, Operator)
    assert op(*args) == expected
    assert op.map([args[0]] if args else []) == ([expected] if args else [])
    assert isinstance(op.__name__, str)
    assert repr(op)


def test_the_signature_of_a_partial_is_what_is_left() -> None:
    def three(a: int, b: int, c: int = 3) -> tuple[int, int, int]:
        return a, b, c

    op = operator(functools.partial(three, 1, c=5))
    assert str(inspect.signature(op)).startswith("(b: 'int', *, c: 'int' = 5)")
    assert op(2) == (1, 2, 5)


@pytest.mark.parametrize("thing", [5, "text", 3.5, [plain], {"a": plain}, object()])
def test_what_cannot_be_called_is_refused_by_name(thing: Any) -> None:
    with pytest.raises(TypeError, match=type(thing).__name__) as caught:
        operator(thing)
    assert repr(thing) in str(caught.value)


def test_staticmethods_and_classmethods_say_what_to_do() -> None:
    for thing in (staticmethod(plain), classmethod(plain)):
        with pytest.raises(TypeError, match="below @staticmethod"):
            operator(thing)


def test_coroutine_functions() -> None:
    @operator
    async def later(x: int) -> int:
        """Later."""
        await asyncio.sleep(0)
        return x

    pending = later(1)
    assert inspect.iscoroutine(pending)
    assert asyncio.run(pending) == 1
    if hasattr(inspect, "markcoroutinefunction"):
        assert inspect.iscoroutinefunction(later)
    assert later.map([1, 2]) == [1, 2]


def test_generator_functions() -> None:
    @operator
    def count(n: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield from range(n)

    @operator
    async def ticks(n: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
        for i in range(n):
            yield i

    async def collect() -> list[int]:
        return [item async for item in ticks(3)]

    assert inspect.isgenerator(count(2))
    assert list(count(3)) == [0, 1, 2]
    assert asyncio.run(collect()) == [0, 1, 2]


def test_a_function_in_a_class_body_is_a_method() -> None:
    class Thing:
        def __init__(self) -> None:
            self.n = 2

        @operator
        def work(self, x: int) -> int:
            return x * self.n

        @staticmethod
        @operator
        def static(x: int) -> int:
            return x

    assert Thing().work(3) == 6
    assert isinstance(Thing.work, Operator)
    assert Thing.work(Thing(), 4) == 8
    assert Thing.static(5) == 5


def test_recursion_through_the_decorated_name() -> None:
    assert factorial(20) == math.factorial(20)


@operator
def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial(n - 1)


def test_mistakes_in_options_at_the_decorator() -> None:
    with pytest.raises(OptionError) as caught:

        @operator(timeout=0, retries="many")
        def work() -> None: ...

    assert "work.timeout: must be an int between 1 and 172800, got 0" in str(caught.value)
    assert "work.retries" in str(caught.value)


def test_keyword_names_that_are_ours() -> None:
    op = operator(lambda **more: more)
    everything = {"self": 1, "args": 2, "kwargs": 3, "target": 4, "op": 5, "inputs": 6}
    assert op(**everything) == everything
    assert op.forward(**everything) == everything
    assert op.submit(**everything).result(30) == everything


def test_wrong_arguments_fail_in_pythons_words() -> None:
    for call in (lambda f: f(1, 2), lambda f: f(j=1), lambda f: f(1, i=2)):
        with pytest.raises(TypeError) as theirs:
            call(plain)
        with pytest.raises(TypeError) as ours:
            call(bare)
        assert str(ours.value) == str(theirs.value)


def test_copies() -> None:
    import copy

    assert copy.copy(bare)(3) == 9
    assert copy.deepcopy(bare) is bare
    assert bare == bare
    assert len({bare, called, bare}) == 2
