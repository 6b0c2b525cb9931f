# ruff: noqa: E501  # tables of values
"""Equal values are written equally in every process, different ones differently; what cannot be told is refused."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import decimal
import enum
import math
import pickle
import re
import sqlite3
import struct
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import Program

from operator_lib.trace.keys.contents import Contents
from operator_lib.trace.keys.refused import Refused


def written(value: Any) -> bytes:
    contents = Contents(lambda thing, held: f"{thing.__module__}.{thing.__qualname__}".encode())
    contents.write(value)
    return b"".join(contents.out)


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Point:
    x: Any
    y: Any = 0


class Pair(NamedTuple):
    a: Any
    b: Any


class Slotted:
    __slots__ = ("__hidden", "shown")

    def __init__(self, shown: Any, hidden: Any) -> None:
        self.shown, self.__hidden = shown, hidden


class Words(list):
    pass


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=5),
    st.decimals(), st.datetimes(), st.timedeltas(), st.complex_numbers(), st.sampled_from(list(Colour)), st.just(Level.LOW),
)  # fmt: skip
hashable = st.one_of(st.booleans(), st.integers(), st.text(max_size=5), st.just(None))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(hashable, inner, max_size=4),
        st.sets(hashable, max_size=4),
        st.frozensets(hashable, max_size=4),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
        st.builds(Slotted, inner, inner),
        st.builds(Words, st.lists(inner, max_size=3)),
    ),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    """What it means to be the same: of one type, made of the same parts."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, decimal.Decimal):
        return a.as_tuple() == b.as_tuple()
    if isinstance(a, enum.Enum):
        return a is b
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(k, m) and same(v, w) for (k, v), (m, w) in zip(a.items(), b.items()))
    if isinstance(a, set | frozenset):
        return {(type(x), x) for x in a} == {(type(x), x) for x in b}
    if isinstance(a, Point):
        return same(a.x, b.x) and same(a.y, b.y)
    if isinstance(a, Slotted):
        return same(a.shown, b.shown) and same(a._Slotted__hidden, b._Slotted__hidden)
    return a == b


@settings(max_examples=300)
@given(values)
def test_a_copy_is_the_same(value: Any):
    assert written(copy.deepcopy(value)) == written(value)
    assert written(pickle.loads(pickle.dumps(value))) == written(value)


@settings(max_examples=500)
@given(values, values)
def test_they_are_written_alike_if_and_only_if_they_are_the_same(a: Any, b: Any):
    assert (written(a) == written(b)) == same(a, b)


@settings(max_examples=300)
@given(values, st.data())
def test_a_part_that_is_another_is_seen(value: Any, data: st.DataObject):
    """Close neighbours: one part of a value is put in place of another."""
    other = data.draw(values)
    for around in (
        lambda v: [1, v],
        lambda v: {"k": v},
        lambda v: (v, v),
        lambda v: Point(v, 1),
        lambda v: Slotted(1, v),
    ):
        assert (written(around(value)) == written(around(other))) == same(value, other)


arrays = [
    np.arange(6), np.arange(6.0), np.arange(6, dtype="f4"), np.arange(6, dtype=">i8"), np.arange(6).reshape(2, 3),
    np.arange(6).reshape(3, 2), np.arange(6)[::-1], np.zeros((0, 2)), np.zeros((0, 3)), np.array(1), np.int64(1), np.int32(1),
    np.float64(1), np.array([True]), np.array(["a", "bc"]), np.array(["a", None], dtype=object), np.array(["a", 1], dtype=object),
    np.array(["2020-01-01"], dtype="M8[D]"), np.array(["2020-01-01"], dtype="M8[s]"), np.array([0.0]), np.array([-0.0]),
    np.array([math.nan]), np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), np.array([(1, 2.0)], dtype=[("a", "i4"), ("c", "f8")]),
    np.ma.array([1, 2], mask=[False, True]), np.ma.array([1, 2], mask=[True, False]),
]  # fmt: skip
tables = [
    pd.DataFrame({"a": [1, 2], "b": ["x", None]}), pd.DataFrame({"a": [1, 2], "c": ["x", None]}),
    pd.DataFrame({"b": ["x", None], "a": [1, 2]}), pd.DataFrame({"a": [1.0, 2], "b": ["x", None]}),
    pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[1, 2]), pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=["1", "2"]),
    pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), pd.DataFrame({"a": pd.array([1, 2], dtype="Int64")}),
    pd.DataFrame({"a": pd.Categorical(["x", "y"])}), pd.DataFrame({"a": pd.Categorical(["x", "y"], ordered=True)}),
    pd.DataFrame({"a": pd.Categorical(["x", "y"], categories=["y", "x"])}), pd.DataFrame({"a": pd.to_datetime(["2020-01-01", None])}),
    pd.DataFrame({"a": pd.to_datetime(["2020-01-01", None]).tz_localize("UTC")}),
    pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])), pd.DataFrame([[1, 2]], columns=["a", "a"]),
    pd.Series([1, 2]), pd.Series([1, 2], name="n"), pd.Series([1, 2], dtype="i4"), pd.Series([1, 2]).index, pd.Index([0, 1]),
    pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-01-01").as_unit("ns"), pd.NaT, pd.NA,
]  # fmt: skip
others: list[Any] = [
    dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2020, 1, 1, fold=1), dt.date(2020, 1, 1),
    dt.time(1), dt.timezone(dt.timedelta(hours=1)), re.compile("a"), re.compile("a", re.I), range(3), range(4), slice(1), ...,
    OrderedDict(a=1), {"a": 1}, Counter(a=1), defaultdict(int, a=1), defaultdict(list, a=1), deque([1]), deque([1], 3), bytearray(b"a"),
    b"a", "a", ["a"], ("a",), {"a"}, frozenset("a"), Words(["a"]), Pair("a", 1), ("a", 1), Point("a", 1), Level.LOW, 1, 1.0, True,
    int, float, list[int], list[str], int | str, len, "".join, ValueError("a"), ValueError("b"), KeyError("a"), np.float32,
    np.random.default_rng(1), np.random.default_rng(2), np.sum, np.dtype("i4"), np.add,
    {"a": 1, "b": 2}, {"b": 2, "a": 1}, [[], []], [[[]]], [1, [2]], [1, 2], [[1], 2], {1: [2]}, {1: 2}, ["ab", "c"], ["a", "bc"],
]  # fmt: skip


@pytest.mark.parametrize("family", [arrays, tables, others], ids=["arrays", "tables", "others"])
def test_no_two_of_them_are_alike(family: list[Any]):
    seen: dict[bytes, Any] = {}
    for value in family:
        made = written(value)
        assert made not in seen, f"{value!r} is written as {seen[made]!r}"
        assert written(copy.deepcopy(value)) == made
        seen[made] = value


def test_layout_in_memory_does_not_count():
    assert written(np.asfortranarray(arrays[4])) == written(arrays[4])
    assert written(np.arange(12)[::2]) == written(np.arange(12)[::2].copy())


def test_tensors():
    torch = pytest.importorskip("torch")
    made = [
        torch.ones(2), torch.ones(2, dtype=torch.bfloat16), torch.ones(2, 1), torch.zeros(2), torch.ones(2, requires_grad=True),
        torch.nn.Parameter(torch.ones(2)), torch.tensor([1]), torch.tensor(1), torch.tensor([1 + 2j]), torch.nn.Linear(1, 1),
        torch.nn.Linear(1, 1), torch.float32, torch.device("cpu"), torch.Size([2]),
    ]  # fmt: skip
    assert len({written(value) for value in made}) == len(made)
    for value in made[:10]:
        assert written(copy.deepcopy(value)) == written(value)
    with pytest.raises(Refused, match="tensor of layout"):
        written(torch.ones(2).to_sparse())


def test_models():
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        a: int
        b: list[str] = []

    assert written(Model(a=1)) == written(Model(a=1))
    assert written(Model(a=1)) != written(Model(a=2))


def test_a_value_may_contain_itself():
    one: list[Any] = [1]
    one.append(one)
    two: list[Any] = [1]
    two.append(two)
    other: list[Any] = [1, [1]]
    other[1].append(other)
    assert written(one) == written(two)
    assert written(one) != written(other)


def test_a_path_is_what_it_leads_to(tmp_path: Path):
    file = tmp_path / "data"
    nothing = written(file)
    file.write_text("one")
    one = written(file)
    file.write_text("two")  # as long, and within the clock's tick
    two = written(file)
    assert len({nothing, one, two, written(tmp_path / "other")}) == 4
    file.write_text("one")
    assert written(file) == one


def test_a_folder_is_everything_below_it(tmp_path: Path):
    (tmp_path / "inner").mkdir()
    seen = {written(tmp_path)}
    (tmp_path / "inner" / "file").write_text("one")
    seen.add(written(tmp_path))
    (tmp_path / "inner" / "file").write_text("two")
    seen.add(written(tmp_path))
    (tmp_path / "inner" / "file").rename(tmp_path / "inner" / "other")
    seen.add(written(tmp_path))
    assert len(seen) == 4


class WithKey:
    def __init__(self, number: int) -> None:
        self.number, self.connection = number, sqlite3.connect(":memory:")

    def __cache_key__(self) -> int:
        return self.number


def test_an_object_can_say_what_tells_it_from_others():
    assert written(WithKey(1)) == written(WithKey(1))
    assert written(WithKey(1)) != written(WithKey(2))


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (sqlite3.connect(":memory:"), "x is sqlite3.Connection"),
        ({"a": [1, (i for i in ())]}, "x['a'][1] is generator"),
        (Point(1, {"k": threading.local()}), "x.y['k'] is _thread._local"),
        ([open("/dev/null")], "x[0] is _io.TextIOWrapper"),  # noqa: SIM115
        (object(), "x is object"),
        (iter([1]), "x is list_iterator"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_cannot_be_told_is_named_with_its_place(value: Any, place: str):
    with pytest.raises(Refused) as caught:
        written(value)
    said = str(caught.value.at("x"))
    assert said.startswith(place)
    assert "__cache_key__" in said


def test_every_process_writes_the_same(tmp_path: Path):
    program = Program(tmp_path, tmp_path / "home")
    program.write("made.py", "class A:\n    def __init__(self): self.s = {'x', 'y', 'z', 1, None}\n")
    code = """
import hashlib, made
from operator_lib.trace.keys.contents import Contents
c = Contents(lambda thing, held: thing.__qualname__.encode())
c.write([{"a", "b", "c", "d"}, frozenset(range(50)), {("x", 1), ("y", 2)}, made.A(), {frozenset("abc"), frozenset("xyz")}])
print(hashlib.sha256(b"".join(c.out)).hexdigest())
"""
    assert len({program.run(code, PYTHONHASHSEED=str(seed)) for seed in range(4)}) == 1
