"""Programs whose calls are followed by a collector of traces."""

from __future__ import annotations

from operator_lib import Batch, Operator, operator


class Add(Operator):
    def __init__(self, n: int):
        self.n = n

    def forward(self, x: int) -> int:
        if x < 0:
            raise ValueError("below zero")
        return x + self.n


@operator(deployment_type="serving")
class Shop:
    """Has a child, and a method that is not `forward`."""

    def __init__(self) -> None:
        self.tax = Add(2)

    def price(self, net: int) -> int:
        return self.tax(net)

    def prices(self, nets: list[int]):
        for net in nets:
            yield self.tax(net)


class Order(Operator):
    """A job that calls a serving, and has children."""

    def __init__(self, shop):
        self.shop = shop
        self.add = Add(1)

    def forward(self, count: int) -> list[int]:
        return [self.one(n) for n in range(count)]

    def one(self, n: int) -> int:
        return self.shop.price(self.add(n))


class Asked(Operator):
    """Whether the program may make spans of its own below ours, and where it stands in the middle of a call."""

    def forward(self, url: str, token: str) -> list[str]:
        import os

        shop = Operator.from_serving(url, token)
        return [os.environ.get("TRACEPARENT", ""), str(shop.price(1))]


class Sums(Operator):
    class Options:
        batch = Batch(8, max_delay_ms=500)

    def __init__(self) -> None:
        self.add = Add(10)

    def forward(self, xs: list[int]) -> list[int]:
        return [self.add(x) for x in xs]
