"""Values of every kind, given in every way."""

from __future__ import annotations

import datetime
import decimal
import fractions
import math
import pathlib
import uuid

import numpy

from cases import case, caught

UTC = datetime.UTC


@case("foo", gives=(16, 100, 100, 6.25))
def the_default_and_what_is_given(op):
    return op(), op(10), op(i=10), op(2.5)


@case("arguments")
def positional_keyword_rest(op):
    return [
        op(1, c=3),
        op(1, 5, c=3),
        op(1, 5, 6, 7, c=3),
        op(a=1, c=3, d=0),
        op(1, c=3, more=8, still="more"),
        op(1, *[2, 3], c=4, e=[5]),
    ]


@case("arguments", gives=(1, 2, (), 3, 4, {"self": 5, "op": 6, "args": 7, "method": 8, "name": 9}))
def keywords_of_any_name(op):
    return op(1, c=3, self=5, op=6, args=7, method=8, name=9)


@case("positional")
def positional_only(op):
    return op(1), op(1, 5), op(1, 5, c=6), op(1, 5, 6)


@case("named")
def keyword_only(op):
    return op(a=1), op(b=3, a=1)


@case("nothing", gives=None)
def nothing_in_nothing_out(op):
    return op()


@case("times", gives=[20, 6, 6])
def a_lambda(op):
    return [op(2), op(2, 3), op(b=3, a=2)]


@case("arguments")
def arguments_that_do_not_fit(op):
    return [
        caught(call)
        for call in (
            lambda: op(),
            lambda: op(1),
            lambda: op(c=1),
            lambda: op(1, 2, a=3, c=4),
        )
    ]


@case("positional")
def positional_only_by_name(op):
    return [
        caught(call)
        for call in (
            lambda: op(a=1),
            lambda: op(1, b=2),
            lambda: op(1, 2, 3, 4),
            lambda: op(1, z=2),
            lambda: op(1, 2, 3, c=4),
        )
    ]


@case("named")
def keyword_only_by_place(op):
    return [caught(call) for call in (lambda: op(1), lambda: op(), lambda: op(a=1, c=2), lambda: op(1, a=2))]


@case("nothing")
def something_for_nothing(op):
    return [caught(call) for call in (lambda: op(1), lambda: op(x=1), lambda: op(1, 2))]


PLAIN = [
    None, True, False, 0, -1, 2**53 + 1, 10**400, -(2**63), 1.5, -0.0, 1e-320, math.inf, -math.inf, math.nan,
    "", "text", "héllo 🎉 \N{SNOWMAN}", "\x00\x1f\x7f\u2028", "\ud800", "a" * 5000, b"", b"\x00\xff", bytearray(b"ab"),
    1 + 2j, complex(math.nan, -0.0),
]  # fmt: skip


@case("echo")
def scalars(op):
    return op(PLAIN), [op(PLAIN[index]) for index in (0, 5, 6, 13, 14, 21)]


@case("type_names")
def scalars_keep_their_types(op):
    return op(*PLAIN)


@case("echo")
def containers(op):
    return op(
        (
            [], (), {}, set(), frozenset(), [[]], ((),), {"a": {"b": [1, (2, {3})]}},
            {1: "int", None: "none", (1, 2): "tuple"},
            {"b": 1, "a": 2}, {1, "a", None, (1,)}, frozenset({b"x"}), range(2, 20, 3), slice(1, 2), [1, [2, [3, [4]]]],
            {"$data": 1, "$tuple": [2]}, {"": 0}, [None] * 3,
        )
    ), op([]), op(()), op({}), op({"$data": 1})  # fmt: skip


@case("echo")
def dates_numbers_paths(op):
    return op(
        [
            datetime.datetime(2024, 2, 29, 12, 30, 1, 999999),
            datetime.datetime(2024, 2, 29, tzinfo=UTC),
            datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
            datetime.date(1, 1, 1),
            datetime.time(23, 59, 59, 1),
            datetime.timedelta(days=-1, microseconds=1),
            decimal.Decimal("1.10"),
            decimal.Decimal("NaN"),
            fractions.Fraction(1, 3),
            uuid.UUID(int=7),
            pathlib.PurePosixPath("/a/b"),
        ]
    ), op(datetime.date(2024, 2, 29))


@case("echo")
def builtin_types_by_name(op):
    return op([str, int, dict, ValueError]), op(str)


@case("echo")
def arrays(op):
    grid = numpy.arange(12, dtype="int32").reshape(3, 4)
    return op(
        (
            grid, grid.T, grid[::2, 1:3], numpy.asfortranarray(grid), numpy.zeros((0, 3)), numpy.float32(1.5),
            numpy.array([1.0, numpy.nan, numpy.inf]), numpy.array([True, False]), numpy.array([1 + 2j]),
            numpy.array(["a", "bc"]), numpy.array(5), numpy.arange(3, dtype=">i4"), numpy.datetime64("2024-01-01"),
            {"nested": [numpy.ones(2)]},
        )
    ), op(grid.T), op(numpy.float32(2.5))  # fmt: skip


@case("total")
def methods_of_arrays(op):
    grid = numpy.arange(6).reshape(2, 3)
    return op(grid), op(grid, axis=0), op(grid, axis=1)


@case("echo")
def ten_megabytes_there_and_back(op):
    return op([bytes(range(256)) * 40_000, "x" * 10_000_000]), op(numpy.arange(1_300_000))


@case("size", gives=10_000_000)
def ten_megabytes_there(op):
    return op(b"\x07" * 10_000_000)


@case("zeros")
def ten_megabytes_back(op):
    return op(10_000_000)


@case("echo")
def just_around_the_size_of_a_message(op):
    return [op(b"z" * size) for size in ((1 << 20) - 1, 1 << 20, (4 << 20) + 1)]


@case("shift")
def dataclasses_by_annotation(op, lib):
    point = lib("Point")
    return op(point(1.0, 2.0, ["a"])), op(point(1.0), by=0.5), op(point(x=1, y=2))


@case("points_of")
def dataclasses_in_dataclasses(op, lib):
    point, path = lib("Point"), lib("Path")
    return op(path("p", (point(1.0), point(2.0, 3.0)))), op(path("q", ()))


@case("echo_known")
def classes_without_annotation(op, lib):
    point, path, colour, pair, access = map(lib, ("Point", "Path", "Colour", "Pair", "Access"))
    values = (point(1.0), path("p", (point(2.0),), colour.GREEN), colour.RED, pair(1, [point(3.0)]), access.READ)
    return [op(value) for value in values]


@case("made")
def made_there(op, lib):
    point, colour, pair = op(2.5)
    assert (type(point), type(colour), type(pair)) == (lib("Point"), lib("Colour"), lib("Pair"))
    return point, colour, pair


@case("next_colour")
def enums(op, lib):
    colour = lib("Colour")
    return op(colour.RED), op(colour=colour.GREEN)


@case("allowed")
def flags(op, lib):
    access = lib("Access")
    return op(access.READ), op(access.READ | access.WRITE)


@case("swap")
def named_tuples(op, lib):
    pair = lib("Pair")
    return op(pair(1, "two")), op(pair(None, pair(1, 2)))


@case("grow", gives=([1, 2, 1], [1, 2]), afar=([1, 2, 1], [1, 2]))
def a_copy_is_given(op):
    mine = [1, 2]
    return op(list(mine)), mine


@case("grow", gives=([0, 5], [0, 5]), afar=([0, 5], [0]))
def arguments_stay_as_they_were(op):
    mine = [0]
    return op(mine, by=(5,)), mine


@case("rename", gives=(["b"], {"b": 1}), afar=(["b"], {"a": 1}))
def nested_arguments_stay_as_they_were(op):
    mine = {"a": 1}
    return op(mine, "a", "b"), mine


@case("echo", gives=(True, False), afar=(True, False))
def results_are_new_objects_each_time(op):
    return op([1]) == op([1]), op([1]) is op([1])


@case("echo")
def one_object_twice(op):
    shared = [1]
    back = op([shared, shared])
    return back, back[0] == back[1]
