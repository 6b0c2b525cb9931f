"""Arguments of calls: they come back as they were, and errors name the parameter."""

import inspect
import sqlite3
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_lib.errors import SerializationError
from operator_lib.wire.codec import arguments_from_json, dump, dumps, dumps_call, load, loads, loads_call, segments_call

BOTH = ("json", "cloudpickle")


@dataclass
class Box:
    x: Any


def signature_of(function):
    return inspect.signature(function)


@pytest.mark.parametrize("codec", ["json", "cloudpickle"])
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((1, "a", [None]), {}),
        ((), {"k": {"x": 1.5}}),
        (((1, 2), {3}), {"self": b"x", "args": (1,)}),
        ((10**5000,), {}),
        (({"$tuple": [1]},), {"$k": 1}),
        ((Box(Box((1,))),), {"b": Box(1)}),
    ],
)
def test_arguments_come_back_as_they_were(args, kwargs, codec):
    data = dumps_call(args, kwargs, codec, what="foo")
    assert data == b"".join(segments_call(args, kwargs, codec, what="foo")) or codec == "json"
    got = loads_call(data, allow=BOTH, namespace=globals())
    assert got == (args, kwargs)
    assert type(got[0]) is tuple
    assert loads_call(bytearray(data), allow=BOTH, namespace=globals()) == (args, kwargs)


@given(
    st.lists(st.integers() | st.text()), st.dictionaries(st.text(), st.floats(allow_nan=False) | st.tuples(st.text()))
)
def test_any_arguments(args, kwargs):
    assert loads_call(dumps_call(args, kwargs, what="foo")) == (tuple(args), kwargs)


def test_a_refused_argument_is_named():
    lock = threading.Lock()
    cases = [
        (((1, lock), {}), r"argument 'b' of foo is _thread\.lock; set input_encoder=\"cloudpickle\""),
        (((1, 2, [lock]), {}), r"argument '#3'\[0\] of foo is _thread\.lock"),
        (((), {"c": {"x": Box([lock])}}), r"argument 'c'\['x'\]\.x\[0\] of foo is _thread\.lock"),
    ]
    for (args, kwargs), message in cases:
        with pytest.raises(SerializationError, match=message):
            dumps_call(args, kwargs, what="foo", names=("a", "b"))


def test_what_cannot_be_pickled_is_named():
    with sqlite3.connect(":memory:") as connection, pytest.raises(SerializationError) as caught:
        dumps_call((1, {"deep": [Box(connection)]}), {}, "cloudpickle", what="foo", names=("a", "b"))
    connection.close()
    assert str(caught.value).startswith(
        "argument 'b'['deep'][0].x of foo is sqlite3.Connection, which cannot be pickled (TypeError: cannot pickle"
    )
    with pytest.raises(SerializationError, match=r"^result\[0\] of foo is _thread\.lock, which"):
        dumps([threading.Lock()], "cloudpickle", where="result of foo")


def test_classes_are_found_by_the_signature():
    def outer():
        @dataclass
        class Local:
            x: int

        def foo(a, b: "list[Local]", *rest: Local, key: "Local | None" = None, **more: "Missing"):  # noqa: F821
            pass

        return Local, foo

    Local, foo = outer()
    data = dumps_call((Local(1), [Local(2)], Local(3)), {"key": Local(4), "z": Local(5)}, what="foo")
    plain = {"x": 1}
    assert loads_call(data)[0][0] == plain
    (a, b, c), kwargs = loads_call(data, signature=signature_of(foo), namespace={"Local": 1})
    assert (a, b, c) == (plain, [{"x": 2}], Local(3))
    (a, b, c), kwargs = loads_call(data, signature=signature_of(foo), namespace={"Local": Local})
    assert (b, kwargs["key"], kwargs["z"]) == ([Local(2)], Local(4), {"x": 5})


def test_arrays_survive_both_codecs_and_stay_writable(tmp_path):
    np = pytest.importorskip("numpy")
    array = np.arange(100_000.0)
    for codec in BOTH:
        ((got,), _) = loads_call(dumps_call((array,), {}, codec, what="foo"), allow=BOTH)
        np.testing.assert_array_equal(got, array)
        got[0] = 1
        dump([array], codec, tmp_path / codec, where="result of foo")
        (got,) = load(tmp_path / codec, allow=BOTH)
        got[0] = 1
        assert load(tmp_path / codec, allow=BOTH)[0][0] == 0
    frozen = np.arange(3)
    frozen.flags.writeable = False
    assert not loads(dumps(frozen, "cloudpickle"), allow=BOTH).flags.writeable


def test_a_value_is_not_a_call():
    for value in (1, [1], [[], []], [{}, []], {"a": 1}, (1, 2)):
        with pytest.raises(SerializationError, match="not the arguments of a call"):
            loads_call(dumps(value))


def test_arguments_of_http_callers():
    def foo(box: Box, when: "list[complex]", *rest: set[int], flag: bool = False, **more: tuple[int, ...]):
        pass

    signature = signature_of(foo)
    args, kwargs = arguments_from_json({"box": {"x": 1}, "when": [[1, 2]], "flag": True, "z": [1]}, signature)
    assert args == ()
    assert kwargs == {"box": Box(1), "when": [1 + 2j], "flag": True, "z": (1,)}
    with pytest.raises(TypeError, match=r"^argument 'when'\[1\]: expected \[real, imaginary\], got str$"):
        arguments_from_json({"when": [1, "x"]}, signature)

    def bar(x: int, y=1):
        pass

    assert arguments_from_json(3, signature_of(bar)) == ((3,), {})
    assert arguments_from_json([1, 2]) == (([1, 2],), {})
    with pytest.raises(TypeError, match=r"^argument 'x': expected int, got str$"):
        arguments_from_json("a", signature_of(bar))
