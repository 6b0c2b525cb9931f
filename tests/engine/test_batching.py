"""A batch is carried out: everyone gets his own result, and the one who is at fault gets the blame."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_lib.engine.batching import Failed, kind, outcomes, single
from operator_lib.engine.steps import drive
from operator_lib.errors import FatalException

NAME = "Embed.forward"


def calls(*values):
    return [((value,), {}) for value in values]


def run(function, *values):
    return drive(outcomes(function, calls(*values), NAME))


@given(st.lists(st.integers(-3, 30), min_size=1, max_size=40))
def test_only_those_that_fail_fail(values):
    made = []

    def invert(xs):
        made.append(len(xs))
        return [60 // x for x in xs]

    found = run(invert, *values)
    assert [isinstance(f, Failed) for f in found] == [x == 0 for x in values]
    assert [f for f in found if not isinstance(f, Failed)] == [60 // x for x in values if x]
    bad = values.count(0)
    assert len(made) <= 1 + 2 * bad * len(values).bit_length()


def test_an_exception_among_the_results_is_that_callers_alone():
    error = KeyError("b")
    found = run(lambda xs: [x if x != "b" else error for x in xs], "a", "b", "c")
    assert found == ["a", Failed(error), "c"]


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ([1, 2], r"Embed.forward returned 2 results for a batch of 3: it must return one for each call, in order"),
        ([1, 2, 3, 4], "returned 4 results for a batch of 3"),
        (np.zeros((2, 3)), "returned 2 results"),
        ("abc", "Embed.forward has the option batch: it must return a list with a result for each call, got str"),
        ({0: 1, 1: 1, 2: 1}, "got dict"),
        (None, "got NoneType"),
        (7, "got int"),
        ((x for x in "abc"), "got generator"),
    ],
)
def test_what_is_not_one_result_each_is_nobodys_result(returned, words):
    made = []
    found = run(lambda xs: made.append(xs) or returned, 1, 2, 3)
    assert len(made) == 1
    assert all(isinstance(f, Failed) for f in found)
    with pytest.raises((TypeError, ValueError), match=words):
        raise found[0].error


def test_arrays_and_tables_are_results_row_by_row():
    pandas = pytest.importorskip("pandas")
    rows = run(lambda xs: np.stack(xs) * 2, np.ones(3), np.zeros(3))
    assert [row.tolist() for row in rows] == [[2.0] * 3, [0.0] * 3]
    assert run(lambda xs: pandas.Series(xs, index=[5, 1]), "a", "b") == ["a", "b"]
    assert [row["x"] for row in run(lambda xs: pandas.DataFrame({"x": xs, "y": xs}), 1, 2)] == [1, 2]


def test_every_argument_is_a_list():
    seen = []

    def forward(texts, sizes, *, upper):
        seen.append((texts, sizes, upper))
        return texts

    assert drive(outcomes(forward, [(("a", 1), {"upper": True}), (("b", 2), {"upper": False})], NAME)) == ["a", "b"]
    assert seen == [(["a", "b"], [1, 2], [True, False])]


def test_what_may_share_a_batch():
    assert kind((1, "a"), {"k": 2}) == kind((2, "b"), {"k": 3})
    assert kind((1,), {}) != kind((), {"x": 1})
    assert kind((np.zeros(3),), {}) == kind((np.ones(3),), {})
    assert kind((np.zeros(3),), {}) != kind((np.zeros(4),), {})
    assert kind((np.zeros(3),), {}) != kind((np.zeros(3, "f4"),), {})


def test_a_batch_of_one_is_a_plain_call():
    double = single(lambda xs: [2 * x for x in xs], NAME)
    assert double(3) == 6
    with pytest.raises(ZeroDivisionError):
        single(lambda xs: [1 // x for x in xs], NAME)(0)

    async def later(xs):
        await asyncio.sleep(0)
        return [x + 1 for x in xs]

    assert asyncio.run(single(later, NAME)(1)) == 2


def test_coroutine_functions_are_split_too():
    async def invert(xs):
        await asyncio.sleep(0)
        return [6 // x for x in xs]

    first, second, third = asyncio.run(run(invert, 1, 0, 3))
    assert (first, third) == (6, 2)
    assert isinstance(second.error, ZeroDivisionError)


def test_a_process_that_is_of_no_more_use_is_not_tried_again():
    made = []

    def forward(xs):
        made.append(xs)
        raise FatalException("the card is gone")

    with pytest.raises(FatalException):
        run(forward, 1, 2, 3)
    assert len(made) == 1
