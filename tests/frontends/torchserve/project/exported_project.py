"""Operators that become workflows, and some that cannot."""

from __future__ import annotations

from operator_lib import Operator, Sequential


class Add(Operator):
    def __init__(self, n: int) -> None:
        self.n = n

    def forward(self, x: int) -> int:
        return x + self.n


class Pair(Operator):
    def forward(self, a: int, b: int) -> dict[str, int]:
        return {"a": a, "b": b}


class Fits(Operator):
    def __init__(self) -> None:
        self.first = Add(1)
        self.stages = [Add(10), Add(100)]
        self.pair = Pair()

    def forward(self, x: int) -> dict[str, int]:
        y = self.first(x)
        z = self.first(y)
        for stage in self.stages:
            z = stage(z)
        return self.pair(b=y, a=self.first(z))


class Chain(Sequential):
    pass


class Fans(Fits):
    def forward(self, x: int) -> dict[str, int]:
        return self.pair(self.first(x), x)


class Code(Fits):
    def forward(self, x: int) -> int:
        y = self.first(x) + 1
        return self.first(y)


class Branch(Fits):
    def forward(self, x: int) -> int:
        if x > 1:
            x = self.first(x)
        return self.first(x)


class Constant(Fits):
    def forward(self, x: int) -> dict[str, int]:
        return self.pair(x, 3)


class Two(Fits):
    def forward(self, x: int, y: int) -> dict[str, int]:
        return self.pair(self.first(x), self.first(y))


class Both(Fits):
    def forward(self, x: int) -> tuple[int, int]:
        return self.first(x), self.first(x)
