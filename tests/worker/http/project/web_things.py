"""What the HTTP tests deploy."""

import asyncio
import dataclasses
import datetime as dt
import enum
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image as Pictures

from operator_lib import Batch, Operator, RequestContext, operator
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


@operator
class Media:
    """What travels as bytes."""

    def size(self, data: bytes, times: int = 1) -> int:
        return len(data) * times

    def both(self, left: bytes, right: bytes | None = None, note: str = "") -> list[int | str]:
        return [len(left), len(right or b""), note]

    def many(self, files: list[bytes]) -> list[int]:
        return [len(file) for file in files]

    def first_line(self, file: BinaryIO) -> str:
        return file.readline().decode(errors="replace").strip()

    def ending(self, path: Path) -> str:
        return f"{path.suffix} {path.stat().st_size} {path.is_relative_to(os.environ['TMPDIR'])}"

    def left_over(self) -> int:
        return len(list(Path(os.environ["TMPDIR"]).glob("upload-*")))

    def turned(self, image: Pictures.Image) -> Pictures.Image:
        return image.transpose(Pictures.Transpose.ROTATE_90)

    def doubled(self, array: np.ndarray) -> np.ndarray:
        return array * 2

    def repeated(self, text: str, count: int) -> bytes:
        return text.encode() * min(count, 200_000_000)

    def number(self, value: int) -> int:
        return value


@operator
class Streams:
    """Generators that tell what became of them."""

    def __init__(self):
        self.seen: list[str] = []
        self.produced = 0
        self.go_on = threading.Event()

    def numbers(self, count: int) -> Iterator[int]:
        yield from range(count)
        return "done"

    def large(self, count: int) -> Iterator[str]:
        try:
            for n in range(count):
                self.produced = n + 1
                yield "x" * 100_000
        finally:
            self.seen.append("large closed")

    async def naps(self) -> AsyncIterator[int]:
        try:
            yield 0
            await asyncio.sleep(3600)
            yield 1
        finally:
            self.seen.append("naps closed")

    async def sleeps(self) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.seen.append("sleeps cancelled")
            raise

    def looks(self) -> None:
        context = RequestContext.get()
        while not context.cancelled:
            time.sleep(0.005)
        self.seen.append(f"looked, {context.request_id}")

    def left(self) -> float | None:
        end = RequestContext.get().deadline
        return None if end is None else end - time.time()

    def fails(self, after: int) -> Iterator[int]:
        yield from range(after)
        raise ValueError("broken")

    def held(self, path: str) -> Iterator[int]:
        """The second item comes when there is a file of that name."""
        yield 0
        while not os.path.exists(path):
            time.sleep(0.005)
        yield 1


@operator(deployment_type="serving", batch=Batch(4, max_delay_ms=50))
def lengths(items: list[bytes]) -> list[int]:
    """Of all that have come together."""
    return [ValueError("empty") if not item else len(item) for item in items]


@operator(deployment_type="serving", timeout=1)
def endures(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@operator
class Dies:
    def die_after(self, seconds: float) -> None:
        time.sleep(seconds)
        os.kill(os.getpid(), 9)

    def number(self, value: int) -> int:
        return value
