"""What the HTTP tests deploy."""

import dataclasses
import datetime as dt
import enum
import os
import time
from collections.abc import Iterator
from decimal import Decimal

from operator_lib import Operator, operator
from operator_lib.errors import RequestError


@dataclasses.dataclass
class Image:
    width: int
    name: str | None = None


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Double(Operator):
    def forward(self, x: int) -> int:
        print("doubling", x)
        return 2 * x


class Pipe(Operator):
    """Doubles and adds."""

    def __init__(self):
        self.double = Double()

    def forward(self, x: int, images: list[Image] | None = None, colour: Colour = Colour.RED) -> int:
        assert isinstance(colour, Colour)
        return self.double(x) + sum(image.width for image in images or ())


@operator
def typed(
    when: dt.datetime | None = None,
    ratio: float = 1.0,
    price: Decimal = Decimal(1),
    colour: Colour = Colour.RED,
    raw: bytes = b"",
    size: Image | int = 0,
) -> str:
    return f"{when!r} {ratio!r} {price!r} {colour!r} {raw!r} {size!r}"


@operator
def order(first: int, /, second: int, *, third: int = 3) -> list[int]:
    return [first, second, third]


@operator
def fails(kind: str):
    if kind == "request":
        raise RequestError("this will never do")
    if kind == "exit":
        os._exit(3)
    raise KeyError(kind)


@operator(timeout=1)
def too_slow():
    time.sleep(60)


@operator
def waits(path: str):
    """Goes on until there is a file of that name."""
    print("waiting", flush=True)
    while not os.path.exists(path):
        time.sleep(0.01)
    print("seen", flush=True)
    return "seen"


@operator
def items(count: int) -> Iterator[int]:
    yield from range(min(count, 5))


@operator
def chatters(lines: int):
    for n in range(lines):
        print("line", n)


@operator
def long_line(size: int):
    print("x" * size)


@operator
def rich():
    return {"tuple": (1, {2}), "none": float("nan"), "date": dt.date(2020, 1, 2), "image": Image(3)}


@operator
def surrogate():
    return "\ud800"


@operator(output_encoder="cloudpickle")
def pickled():
    return lambda: 1


@operator
class Store:
    """Prices."""

    def __init__(self):
        self.prices: dict[str, float] = {}
        self.open = 0

    def put(self, name: str, price: float) -> int:
        self.prices[name] = price
        return len(self.prices)

    def echo(self, value):
        return value

    def names(self, count: int = 3) -> Iterator[str]:
        yield from [f"name {n}" for n in range(min(count, 5))]

    def endless(self) -> Iterator[int]:
        self.open += 1
        try:
            n = 0
            while True:
                yield n
                n += 1
        finally:
            self.open -= 1

    def breaks(self) -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    def boom(self):
        raise ValueError("boom")


@operator(deployment_type="serving")
def area(width: float, height: float = 1.0) -> float:
    """Of a rectangle."""
    return width * height
