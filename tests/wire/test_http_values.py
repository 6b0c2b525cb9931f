"""Values of callers that are not Python: plain JSON in both directions, guided by annotations."""

import datetime as dt
import json
import math
import pathlib
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, Flag, auto
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired, Optional, TypedDict, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operator_lib.errors import SerializationError
from operator_lib.wire.annotations import coerce
from operator_lib.wire.codec import from_json, to_json


class Color(Enum):
    RED = "r"
    TWO = 2


class Mode(Flag):
    R = auto()
    W = auto()


class Pair(NamedTuple):
    a: int
    b: str = "x"


@dataclass
class Item:
    x: int
    tags: set[str] = field(default_factory=set)


@dataclass
class Order:
    items: list[Item]
    when: dt.datetime | None = None
    colors: dict[int, Color] = field(default_factory=dict)


class Options(TypedDict):
    verbose: bool
    level: NotRequired[int]


UserId = NewType("UserId", int)
T = TypeVar("T", bound=Item)
UTC = dt.UTC
WHEN = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)

GOOD = [
    (5, int, 5),
    (5.0, int, 5),
    (5, float, 5.0),
    ("NaN", float, math.nan),
    ("-Infinity", float, -math.inf),
    ([1, 2], complex, 1 + 2j),
    ("x", str, "x"),
    (None, type(None), None),
    (None, None, None),
    ({"any": 1}, Any, {"any": 1}),
    ("aGk=", bytes, b"hi"),
    ("aGk=", bytearray, bytearray(b"hi")),
    ("2024-01-02T03:04:05Z", dt.datetime, WHEN),
    ("2024-01-02", dt.date, dt.date(2024, 1, 2)),
    ("03:04", dt.time, dt.time(3, 4)),
    (1.5, dt.timedelta, dt.timedelta(seconds=1.5)),
    ("1.10", Decimal, Decimal("1.10")),
    (0.1, Decimal, Decimal("0.1")),
    ("1/3", Fraction, Fraction(1, 3)),
    ("0" * 32, uuid.UUID, uuid.UUID(int=0)),
    ("/a", pathlib.Path, pathlib.Path("/a")),
    ([1, 2], tuple, (1, 2)),
    ([1, "a"], tuple[int, str], (1, "a")),
    ([1, 2], tuple[int, ...], (1, 2)),
    ([1, 1], set[int], {1}),
    ([[1]], list[tuple[int]], [(1,)]),
    ([1], frozenset, frozenset({1})),
    ([1], deque[int], deque([1])),
    (["aGk="], Sequence[bytes], [b"hi"]),
    ([1], Iterable[float], [1.0]),
    ({"1": "r"}, dict[int, Color], {1: Color.RED}),
    ({"true": 1}, dict[bool, int], {True: 1}),
    ({"a": [1]}, Mapping[str, set[int]], {"a": {1}}),
    ({"b": 1, "a": 2}, OrderedDict[str, int], OrderedDict(b=1, a=2)),
    ({"a": 2}, Counter[str], Counter("aa")),
    ("r", Color, Color.RED),
    ("RED", Color, Color.RED),
    (2, Color, Color.TWO),
    (3, Mode, Mode.R | Mode.W),
    ([1], Pair, Pair(1)),
    ({"a": 1, "b": "y"}, Pair, Pair(1, "y")),
    ({"x": 1, "tags": ["a"]}, Item, Item(1, {"a"})),
    (
        {"items": [{"x": 1}], "when": "2024-01-02T03:04:05+00:00", "colors": {"7": "r"}},
        Order,
        Order([Item(1)], WHEN, {7: Color.RED}),
    ),
    ({"verbose": True}, Options, {"verbose": True}),
    (None, Optional[int], None),  # noqa: UP045
    ("x", int | str, "x"),
    (1, str | int, 1),
    ({"x": 1}, Item | None, Item(1)),
    ([1], int | list[float], [1.0]),
    ("a", Literal["a", 1], "a"),
    (7, Annotated[UserId, "meta"], 7),
    ({"x": 1}, T, Item(1)),
    (Item(1), Item, Item(1)),
    (WHEN, dt.datetime, WHEN),
    ({1, 2}, list[int], [1, 2]),
]


def same(got, want):
    if isinstance(want, float) and math.isnan(want):
        return math.isnan(got)
    return type(got) is type(want) and got == want


@pytest.mark.parametrize(("value", "hint", "expected"), GOOD, ids=lambda value: str(value)[:25])
def test_values_become_what_the_annotation_says(value, hint, expected):
    got = from_json(value, hint)
    assert same(got, expected)
    if isinstance(expected, (list, tuple, dict)):
        assert repr(got) == repr(expected)


BAD = [
    ("5", int, TypeError, "value: expected int, got str"),
    (True, int, TypeError, "value: expected int, got bool"),
    (1.5, int, TypeError, "value: expected int, got float"),
    (1, bool, TypeError, "value: expected bool, got int"),
    (None, str, TypeError, "value: expected str, got null"),
    (10**400, float, ValueError, "value: the number is too large"),
    ("é", bytes, ValueError, "value: 'é' is not base64 text"),
    ("nope", dt.datetime, ValueError, "value: 'nope' is not an ISO 8601 date and time"),
    (5, dt.date, TypeError, "value: expected an ISO 8601 date, got int"),
    (10**30, dt.timedelta, ValueError, "value: "),
    ("x", Decimal, ValueError, "value: 'x' is not a decimal number"),
    ("1/0", Fraction, ValueError, "value: '1/0' is not a fraction"),
    ("x", list[int], TypeError, "value: expected list, got str"),
    ([1, "x"], list[int], TypeError, "value[1]: expected int, got str"),
    ([1], tuple[int, str], ValueError, "value: expected 2 items, got 1"),
    ([[1]], set[Any], TypeError, "value: unhashable"),
    ([], dict[str, int], TypeError, "value: expected dict, got list"),
    ({"a": "x"}, dict[str, int], TypeError, "value['a']: expected int, got str"),
    ({"x": 1}, dict[int, int], ValueError, "value key 'x': expected int"),
    ("blue", Color, ValueError, "value: must be one of 'r', 2, got 'blue'"),
    (99, Mode, ValueError, "value: "),
    ("c", Literal["a", "b"], ValueError, "value: must be one of 'a', 'b', got 'c'"),
    (3, Item, TypeError, "value: expected Item, got int"),
    ({}, Item, TypeError, "value: the field 'x' of Item is missing"),
    ({"x": 1, "z": 2}, Item, TypeError, "value: Item has no field 'z'; its fields are x, tags"),
    ({"items": [{"x": 1}, {"x": "a"}]}, Order, TypeError, "value.items[1].x: expected int, got str"),
    ({"verbose": 1}, Options, TypeError, "value.verbose: expected bool, got int"),
    ({}, Options, TypeError, "value: the field 'verbose' of Options is missing"),
    ("x", int | None, TypeError, "value: expected int, got str"),
    ({}, int | str, TypeError, "value: fits no alternative (expected int, got dict; expected str, got dict)"),
    ([1, 2, 3], Pair, ValueError, "value: expected 2 items, got 3"),
    ({}, type("Own", (), {}), TypeError, "value: expected Own, got dict"),
]


@pytest.mark.parametrize(("value", "hint", "kind", "message"), BAD, ids=lambda value: str(value)[:25])
def test_what_does_not_fit_is_named_with_its_place(value, hint, kind, message):
    with pytest.raises(kind) as caught:
        coerce(value, hint)
    assert str(caught.value).startswith(message)


def test_constructors_may_complain():
    @dataclass
    class Positive:
        x: int

        def __post_init__(self):
            if self.x < 0:
                raise ValueError("must be positive")

    with pytest.raises(ValueError, match=r"^argument 'p'\[0\]: must be positive$"):
        coerce([{"x": -1}], list[Positive], "argument 'p'")


def test_pydantic_models():
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        when: dt.date
        tags: list[int] = []

    assert from_json({"when": "2024-01-01"}, Model) == Model(when=dt.date(2024, 1, 1))
    assert to_json({"m": Model(when=dt.date(2024, 1, 1))}) == {"m": {"when": "2024-01-01", "tags": []}}
    with pytest.raises(ValueError, match=r"^argument 'm'\.tags\[1\]: "):
        coerce({"when": "2024-01-01", "tags": [1, "x"]}, Model, "argument 'm'")


def test_libraries():
    np = pytest.importorskip("numpy")
    pd = pytest.importorskip("pandas")
    Image = pytest.importorskip("PIL.Image")
    np.testing.assert_array_equal(from_json([[1, 2]], np.ndarray), np.array([[1, 2]]))
    assert type(from_json(1, np.float32)) is np.float32
    assert from_json([{"a": 1}], pd.DataFrame).to_dict("records") == [{"a": 1}]
    with pytest.raises(ValueError, match="^value: not the form of a ndarray"):
        from_json([[1], [1, 2]], np.ndarray)
    frame = pd.DataFrame({"a": [1.0, np.nan], "t": [pd.Timestamp(0), pd.NaT]})
    assert to_json(frame) == [{"a": 1.0, "t": "1970-01-01T00:00:00"}, {"a": None, "t": None}]
    assert to_json({"a": np.arange(4).reshape(2, 2), "s": np.float32(1), "d": np.datetime64("2024-01-01")}) == {
        "a": [[0, 1], [2, 3]],
        "s": 1.0,
        "d": "2024-01-01",
    }
    image = Image.new("RGB", (2, 1), (1, 2, 3))
    assert from_json(to_json(image), Image.Image).tobytes() == image.tobytes()
    assert to_json(pd.Series([1, None], dtype="Int64")) == [1, None]
    with pytest.raises(ValueError):
        from_json("bm8=", Image.Image)


def test_python_values_as_plain_json():
    value = {
        7: (2, {3}),
        None: float("nan"),
        True: -math.inf,
        Color.RED: Color.TWO,
        "bytes": b"hi",
        "when": [WHEN, WHEN.date(), dt.timedelta(minutes=1)],
        "item": Order([Item(1, {"a"})]),
        "pair": Pair(1),
        "c": 1 + 2j,
        "n": [Decimal("1.5"), Fraction(1, 3), uuid.UUID(int=0), pathlib.PurePosixPath("a")],
        "e": ValueError("no"),
        "deep": deque([range(2)]),
    }
    plain = to_json(value)
    assert plain == {
        "7": [2, [3]],
        "null": None,
        "true": None,
        "r": 2,
        "bytes": "aGk=",
        "when": ["2024-01-02T03:04:05+00:00", "2024-01-02", 60.0],
        "item": {"items": [{"x": 1, "tags": ["a"]}], "when": None, "colors": {}},
        "pair": [1, "x"],
        "c": [1.0, 2.0],
        "n": ["1.5", "1/3", "00000000-0000-0000-0000-000000000000", "a"],
        "e": {"type": "ValueError", "message": "no"},
        "deep": [[0, 1]],
    }
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_what_has_no_json_form_is_named():
    with pytest.raises(SerializationError, match=r"^result\['a'\]\[1\]\.x of foo is object;"):
        to_json({"a": [1, Item(object())]}, where="result of foo")
    loop = []
    loop.append(loop)
    with pytest.raises(SerializationError, match="contains itself"):
        to_json(loop)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
HINTS = [hint for _, hint, _ in GOOD] + [hint for _, hint, _, _ in BAD]


@settings(max_examples=400)
@given(JSON, st.sampled_from(range(len(HINTS))))
def test_any_json_against_any_annotation_raises_only_type_and_value_errors(value, index):
    problem = ""
    try:
        from_json(value, HINTS[index])
    except (TypeError, ValueError) as error:
        problem = str(error)
    assert not problem or problem.startswith("value")
