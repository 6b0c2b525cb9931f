"""Whole operators: children in attributes, lists and dicts, base classes, what is around `forward`."""

from __future__ import annotations

import numpy as np
import pytest

from operator_lib import Operator, OperatorList
from operator_lib.autobatch import Context, compile_forward


class Kink(Operator):
    def __init__(self, factor: float) -> None:
        self.factor = factor

    def forward(self, x: float) -> float:
        return x * self.factor if x < 10 else x - self.factor


class Shift(Operator):
    def forward(self, x: float) -> float:
        return x + 1


class Tree(Shift):
    """Several functions are called `forward`, and more than one of them branches."""

    LIMIT = 50

    def __init__(self) -> None:
        self.first, self.second = Kink(2.0), Kink(3.0)
        self.more = [Kink(1.5), Shift()]
        self.listed = OperatorList([Kink(0.5), Kink(4.0)])
        self.named = {"low": Kink(0.25), "high": Shift()}
        self.step = 0.75

    @property
    def offset(self) -> float:
        return self.step / 2

    def lowered(self, x: float, *, times: int = 1) -> float:
        for _ in range(times):
            x -= self.step
        return x

    def forward(self, x: float, mode: str = "low") -> tuple[float, float]:
        x = self.second(self.first(super().forward(x)))
        largest = x
        for number, child in enumerate(self.more):
            x = child(x) + number
        for child in self.listed:
            if x > 1000:
                break
            if x < 0:
                continue
            x = child(x)
            largest = max(largest, x)
        else:
            largest += 1
        for name, child in self.named.items():
            if name == mode:
                x = child(x)
        while x > self.LIMIT:
            x = self.lowered(x / 2 if x > 60 else x - 1, times=3)
        return x + self.offset, largest


@pytest.mark.parametrize("strategy", ["program_counter", "stackless", "loop", "native", "auto"])
@pytest.mark.parametrize("mode", ["low", "high"])
def test_an_operator_in_batches_gives_what_it_gives(strategy: str, mode: str) -> None:
    tree = Tree()
    batched = compile_forward(tree, context=Context(strategy=strategy))
    batch = np.array([0.5, 3.0, -200.0, 20.0, 400.0, 5000.0])

    def check() -> None:
        expected = [tree(x, mode) for x in batch.tolist()]
        found = batched(batch, mode)
        assert [column.tolist() for column in found] == [list(column) for column in zip(*expected, strict=True)]

    check()
    tree.more.append(Kink(5.0))
    tree.listed.append(Shift())
    tree.named["low"] = Kink(9.0)
    check()
    del tree.more[:2]
    check()
