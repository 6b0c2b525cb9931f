import asyncio

from operator_lib import Operator, operator


@operator
def count_up(n, start=0):
    for i in range(start, start + n):
        yield {"i": i, "square": i * i}


@operator
def breaks_off(n):
    yield from range(n)
    raise ValueError("broken off", n)


@operator
def nothing_then_error():
    raise KeyError("at once")
    yield


@operator
def with_result(n):
    yield from range(n)
    return n * 10


@operator
async def later(x, seconds=0.0):
    await asyncio.sleep(seconds)
    return x + 1


@operator
async def together(xs):
    return await asyncio.gather(*(later(x) for x in xs))


@operator
async def ticks(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i


@operator
async def ticks_break_off(n):
    for i in range(n):
        yield i
    raise ValueError("broken off", n)


class Squares(Operator):
    """A generator that calls a child between its items."""

    def __init__(self):
        self.inner = SquareOne()

    def forward(self, n):
        for i in range(n):
            yield self.inner(i)


class SquareOne(Operator):
    def forward(self, x):
        return x * x


squares = Squares()


@operator
class Tap:
    """Tells how much has been drawn from it."""

    def __init__(self):
        self.drawn = 0
        self.closed = 0

    def reset(self):
        self.drawn = self.closed = 0

    def flow(self, n=1_000_000):
        try:
            for i in range(n):
                self.drawn += 1
                yield i
        finally:
            self.closed += 1

    def echoes(self):
        heard = None
        while True:
            heard = yield heard
            if heard == "stop":
                return "stopped"

    async def drops(self, n):
        for i in range(n):
            self.drawn += 1
            yield i

    async def drop(self):
        self.drawn += 1
        return self.drawn

    def letters(self):
        return iter("abc")
