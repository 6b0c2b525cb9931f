"""An operator with the option `batch` is called with one item, wherever it runs; its `forward` gets lists."""

from __future__ import annotations

import asyncio

import pytest

from operator_lib import Batch, Operator, RequestContext, Retries, operator
from operator_lib.errors import OptionError


class Scale(Operator):
    class Options:
        batch = Batch(4)

    def __init__(self, factor):
        self.factor = factor
        self.sizes = []

    def forward(self, xs: list[int]) -> list[int]:
        self.sizes.append(len(xs))
        return [self.factor * 12 // x for x in xs]


def test_a_plain_call_is_a_batch_of_one():
    scale = Scale(2)
    assert scale(3) == 8
    assert scale.sizes == [1]
    assert scale.forward([1, 2]) == [24, 12]
    with pytest.raises(ZeroDivisionError):
        scale(0)
    assert scale.map([1, 2, 3]) == [24, 12, 8]
    assert scale.submit(4).result() == 6


def test_a_child_is_called_with_one_item_too():
    class Both(Operator):
        def __init__(self):
            self.scale = Scale(1)

        def forward(self, x):
            return self.scale(x) + 1

    assert Both()(3) == 5


def test_with_other_options():
    seen = []

    @operator(batch=8, use_ctx=True, retries=Retries(1, initial_delay=0.0))
    def flaky(ctx, xs):
        seen.append((isinstance(ctx, RequestContext), ctx.attempt, xs))
        if len(seen) == 1:
            raise ValueError("once")
        return xs

    assert flaky(5) == 5
    assert seen == [(True, 1, [5]), (True, 2, [5])]
    assert Scale(1).with_options(batch=None)([6]) == [2]


def test_coroutines():
    @operator(batch=8)
    async def double(xs):
        await asyncio.sleep(0)
        return [2 * x for x in xs]

    assert asyncio.run(double(3)) == 6


def test_not_for_reducers():
    with pytest.raises(OptionError, match="batch: cannot be together with accumulate"):
        operator(lambda total, x: total + x, batch=3, accumulate=0)
