"""Every type of the json codec comes back as it was, from bytes and from a file."""

import datetime as dt
import math
import pathlib
import sys
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum, auto
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_lib.errors import SerializationError
from operator_lib.wire.codec import dump, dumps, load, loads, segments


class Color(Enum):
    RED = "r"
    BLUE = ("b", 2)


class Level(IntEnum):
    LOW = 1


class Word(StrEnum):
    A = "a"


class Mode(Flag):
    R = auto()
    W = auto()


class Point(NamedTuple):
    x: int
    y: float = 0.5


@dataclass
class Box:
    points: list[Point]
    color: Color = Color.RED
    note: Any = None


@dataclass(frozen=True, slots=True)
class Frozen:
    a: int
    b: tuple[int, ...] = ()


@dataclass
class Counting:
    value: int
    made: int = field(init=False)

    def __post_init__(self) -> None:
        self.made = self.value * 2
        self.extra = {"not": "a field"}
        type(self).calls = getattr(type(self), "calls", 0) + 1


NAMES = globals()


def back(value: Any, **options: Any) -> Any:
    return loads(dumps(value), namespace=NAMES, **options)


def same(got: Any, want: Any) -> bool:
    """Equality that sees types, signs of zero and NaN."""
    if type(got) is not type(want):
        return False
    if isinstance(want, float):
        return (math.isnan(got) and math.isnan(want)) or (
            got == want and math.copysign(1, got) == math.copysign(1, want)
        )
    if isinstance(want, complex):
        return same(got.real, want.real) and same(got.imag, want.imag)
    if isinstance(want, dict):
        return len(got) == len(want) and all(
            same(a, b) and same(x, y) for (a, x), (b, y) in zip(got.items(), want.items(), strict=True)
        )
    if isinstance(want, (list, tuple, deque)):
        return len(got) == len(want) and all(map(same, got, want))
    return bool(got == want)


TABLE = [
    *(None, True, False, 0, -1, 10**30, 10**5000, -(10**5000), 0.1, -0.0, math.nan, math.inf, -math.inf),
    *("", "text", "\ud800", "\ud83d\ude00", "😀", "\x00\x1f\u2028", "é" * 3),
    *([], {}, [[]], {"a": {"b": [1, None]}}, [{}], {"$tuple": [1]}, {"$": 1}, {"$x": 1, "b": 2}, [{"$bytes": "x"}]),
    *((), (1,), ((), [()]), {1: 2}, {None: 0, True: 1, 2.5: 3, (1, 2): 4, "s": 5}, {"a": (1,)}),
    *(set(), {1, "a", (2,)}, frozenset({1}), {frozenset({1}): {2}}),
    *(b"", b"\x00\xff", b"x" * 257, bytearray(b""), bytearray(b"ab")),
    *(dt.datetime(2024, 2, 29, 1, 2, 3, 4), dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.date.max, dt.time.max),
    dt.datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Amsterdam"), fold=1),
    dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-3, seconds=7), "X")),
    *(dt.time(1, 2, tzinfo=dt.UTC, fold=1), dt.timedelta(-1, 5, 6), dt.UTC, dt.timezone(dt.timedelta(1 / 3))),
    *(ZoneInfo("UTC"), Decimal("1.10"), Decimal("-0"), Decimal("1e999999"), Fraction(-1, 3), Fraction(10**5000, 7)),
    *(1 + 2j, complex(-0.0, math.inf), uuid.UUID(int=7), pathlib.Path("/a/b"), pathlib.PurePosixPath("x")),
    *(pathlib.PureWindowsPath("c:\\x"), range(3), range(10**5000, 0, -2), slice(None, 2), slice("a", (1,), None)),
    *(OrderedDict([("b", 1), (2, [3])]), deque([1, (2,)], maxlen=5), deque(), Counter("aab"), Counter({"x": -1})),
    *(defaultdict(None, {"a": 1}), defaultdict(list, {1: [2]})),
    *(int, str, dict, ValueError, len, sorted, max, Ellipsis, NotImplemented, [int, {"k": len}]),
    *(Color.RED, Color.BLUE, Level.LOW, Word.A, Mode.R, Mode.R | Mode.W, Mode(0), {Color.RED: [Level.LOW]}),
    *(Point(1), Point(2, [3]), Box([Point(1, 2)]), Box([], Color.BLUE, {"k": (1,)}), Frozen(1, (2,)), [Frozen(1)]),
]


@pytest.mark.parametrize("value", TABLE, ids=lambda value: type(value).__name__)
def test_every_type_comes_back_as_it_was(value, tmp_path):
    assert same(back(value), value)
    assert same(back([value, {"k": value}]), [value, {"k": value}])
    size = dump({"v": value}, "json", tmp_path / "value", where="result of foo")
    assert size == (tmp_path / "value").stat().st_size == len(dumps({"v": value}))
    assert same(load(tmp_path / "value", namespace=NAMES), {"v": value})
    assert [path.name for path in tmp_path.iterdir()] == ["value"]


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary(max_size=400)
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.complex_numbers()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.timedeltas()
    | st.uuids()
    | st.sampled_from([Color.RED, Level.LOW, Mode.R | Mode.W, int, len])
)
KEYS = st.text() | st.integers() | st.none() | st.booleans() | st.tuples(st.text(), st.integers())
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.just("$tuple"), inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3).map(deque)
        | st.builds(Box, st.lists(st.builds(Point, st.integers(), inner), max_size=2), st.just(Color.RED), inner)
        | st.frozensets(st.integers() | st.text(max_size=2), max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(VALUES)
def test_any_nesting_comes_back_as_it_was(value):
    assert same(back(value), value)


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_plain_values_come_back_as_they_were(value):
    assert same(loads(dumps(value)), value)


def test_plain_values_are_readable_json_in_the_frame():
    assert dumps({"a": [1, "é"]}).endswith('{"a":[1,"é"]}'.encode())


def test_a_dataclass_is_rebuilt_without_running_its_code():
    value = Counting(3)
    before = Counting.calls
    got = back(value)
    assert (got.value, got.made, got.extra) == (3, 6, {"not": "a field"})
    assert Counting.calls == before


def test_classes_are_found_by_the_annotation():
    def local():
        @dataclass
        class Inner:
            x: int

        @dataclass
        class Outer:
            inners: list[Inner]
            by_name: dict[str, Inner | None]

        return Inner, Outer

    Inner, Outer = local()
    Outer.__annotations__["inners"] = list[Inner]
    value = {"k": [Outer([Inner(1)], {"a": Inner(2), "b": None})]}
    assert loads(dumps(value)) == {"k": [{"inners": [{"x": 1}], "by_name": {"a": {"x": 2}, "b": None}}]}
    assert loads(dumps(value), hint=dict[str, list[Outer] | None]) == value


def test_what_cannot_be_found_comes_as_plain_data():
    value = [Frozen(1, (2,)), Color.BLUE, Point(1, 2.0)]
    data = dumps(value).replace(__name__.encode(), b"m" * len(__name__))
    got = loads(data)
    assert got == [{"a": 1, "b": (2,)}, ("b", 2), (1, 2.0)]
    assert type(got[2]) is tuple


def test_a_class_that_is_not_what_the_frame_says_is_not_used():
    data = dumps(Frozen(1)).replace(b'"Frozen"', b'"ZoneIf"')
    assert loads(data, namespace={"ZoneIf": ZoneInfo}) == {"a": 1, "b": ()}


def test_reading_imports_nothing(monkeypatch):
    data = dumps(Frozen(1)).replace(__name__.encode(), b"this".ljust(len(__name__), b"x"))
    before = set(sys.modules)
    loads(data.replace(b"thisx", b"thisy"))
    assert set(sys.modules) == before


@pytest.mark.parametrize("name", ["eval", "exec", "open", "__import__", "os", "nothing", "__name__", "True"])
def test_dangerous_or_unknown_builtins_are_refused(name):
    data = dumps([len])
    with pytest.raises(SerializationError):
        loads(
            data.replace(b'"len"}', f'"{name}"}}'.encode()).replace(
                b'"body":%d' % len(b'[{"$builtin":"len"}]'), b'"body":%d' % len(f'[{{"$builtin":"{name}"}}]')
            )
        )
    assert loads(data) == [len]


def test_pydantic_models_come_back_whole():
    pydantic = pytest.importorskip("pydantic")

    class Inner(pydantic.BaseModel):
        when: dt.date

    class Model(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        x: int
        inner: Inner | None = None
        _secret: int = pydantic.PrivateAttr(default=1)

        @pydantic.field_validator("x")
        @classmethod
        def positive(cls, value: int) -> int:
            assert value > 0
            return value

    value = Model(x=1, inner=Inner(when=dt.date(2024, 1, 1)), more=(1, 2))
    value._secret = 5
    value.x = -3  # not validated on assignment, so neither on the way
    got = loads(dumps([value]), hint=list[Model])[0]
    assert got == value
    assert type(got) is Model
    assert type(got.inner) is Inner
    assert got._secret == 5
    assert got.model_fields_set == value.model_fields_set
    assert loads(dumps(value)) == {"x": -3, "inner": {"when": dt.date(2024, 1, 1)}, "more": (1, 2)}


def test_exceptions_are_values_too():
    got = back([ValueError("a", (1, 2)), KeyError("k"), OSError(2, "no", "f")])
    assert [type(error) for error in got] == [ValueError, KeyError, FileNotFoundError]
    assert got[0].args == ("a", (1, 2))
    assert [str(error) for error in got] == ["('a', (1, 2))", "'k'", "[Errno 2] no: 'f'"]
    assert got[2].filename == "f"


def test_shared_parts_are_written_where_they_are_and_cycles_are_named():
    shared = [1]
    assert back({"a": shared, "b": (shared, shared)}) == {"a": [1], "b": ([1], [1])}
    cycle = {"a": [1, 2]}
    cycle["a"].append({"back": cycle})
    with pytest.raises(SerializationError, match=r"^result\['a'\]\[2\]\['back'\] of foo contains itself$"):
        dumps(cycle, where="result of foo")
    box = Box([])
    box.note = (box,)
    with pytest.raises(SerializationError, match=r"^result\.note\[0\] contains itself"):
        dumps(box)


def test_depth_is_bounded_on_both_sides():
    def nest(depth, make):
        value = 1
        for _ in range(depth):
            value = make(value)
        return value

    for make in (lambda v: [v], lambda v: {"k": v}, lambda v: (v,), lambda v: {1: v}):
        value = nest(200, make)
        assert back(value) == value
        with pytest.raises(SerializationError, match="deeper than 200"):
            dumps(nest(201, make))
    from operator_lib.wire.frames import pack, pack_plain

    for depth in (201, 5_000, 200_000):
        body = b"[" * depth + b"]" * depth
        for data in (pack_plain(body), b"".join(pack("json", body, tagged=True))):
            with pytest.raises(SerializationError):
                loads(data)


class Opaque:
    def __init__(self):
        self.lock = None


@dataclass
class Config:
    layers: Any


REFUSED = [
    (Opaque(), "result"),
    ([1, Opaque()], "result[1]"),
    (Config([1, 2, 3, Opaque()]), "result.layers[3]"),
    ({"a": {"b": (Opaque(),)}}, "result['a']['b'][0]"),
    ({1: {Opaque: 1}}, None),
    ({2: [Opaque()]}, "result[2][0]"),
    ({Opaque()}, "result{element}"),
    (Point(Opaque()), "result.x"),
    (deque([Opaque()]), "result[0]"),
]


@pytest.mark.parametrize(("value", "path"), REFUSED)
def test_what_cannot_be_written_is_named_with_its_path(value, path):
    with pytest.raises(SerializationError) as caught:
        dumps(value, where="result of foo")
    if path:
        assert str(caught.value) == f'{path} of foo is {__name__}.Opaque; set output_encoder="cloudpickle"'


@pytest.mark.parametrize(
    "value",
    [
        lambda: 1,
        (x for x in ()),
        object(),
        sys,
        type("Sub", (int,), {})(3),
        memoryview(b""),
        Opaque,
        eval,
        print.__call__,
    ],
)
def test_other_things_are_refused(value):
    with pytest.raises(SerializationError):
        dumps(value)


def test_names_are_those_that_users_know():
    pytest.importorskip("sklearn")
    from sklearn.svm import SVC

    with pytest.raises(
        SerializationError, match=r'^result of foo is sklearn\.svm\.SVC; set output_encoder="cloudpickle"$'
    ):
        dumps(SVC(), where="result of foo")


def test_segments_are_views_of_large_values():
    value = b"x" * 1_000_000
    parts = segments([value])
    assert any(part is value for part in parts)
    assert b"".join(parts) == dumps([value])


def test_unknown_codec():
    with pytest.raises(SerializationError, match="'yaml'"):
        dumps(1, "yaml")


def test_a_failed_dump_leaves_no_file(tmp_path):
    (tmp_path / "value").write_bytes(b"before")
    with pytest.raises(SerializationError):
        dump(object(), "json", tmp_path / "value", where="result of foo")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("value", b"before")]
