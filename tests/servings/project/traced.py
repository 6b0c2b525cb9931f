"""Programs whose calls are followed by a collector of traces."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from operator_lib import Batch, Operator, operator

trace.set_tracer_provider(TracerProvider())


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
    """A job that calls a serving, has children, and makes spans of its own."""

    def __init__(self) -> None:
        self.add = Add(1)

    def forward(self, count: int, url: str, token: str) -> list[int]:
        shop = Operator.from_serving(url, token)
        found = [self.one(shop, n) for n in range(count)]
        with trace.get_tracer("mine").start_as_current_span("mine"):
            found.append(shop.price(0))
        return found

    def one(self, shop, n: int) -> int:
        net = self.add(n)
        return shop.price(net)


class Sums(Operator):
    class Options:
        batch = Batch(8, max_delay_ms=500)

    def __init__(self) -> None:
        self.add = Add(10)

    def forward(self, xs: list[int]) -> list[int]:
        return [self.add(x) for x in xs]
