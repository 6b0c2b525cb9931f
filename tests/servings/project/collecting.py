"""What the tests of batches deploy."""

from __future__ import annotations

import os
import time

import numpy as np

from operator_lib import Batch, Operator, Retries, operator


class Embed(Operator):
    """Keeps the sizes of its batches."""

    class Options:
        batch = Batch(8, max_delay_ms=1000)

    def __init__(self):
        self.sizes = []

    def forward(self, texts: list[str], times: list[int] = ()) -> list[str]:
        """Repeats."""
        self.sizes.append(len(texts))
        if "short" in texts:
            return texts[1:]
        if "fatal" in texts:
            raise ValueError(f"no good: {texts}")
        times = times or [1] * len(texts)
        return [KeyError(t) if t == "mine" else t * n for t, n in zip(texts, times, strict=True)]

    def go(self) -> None:
        """Not a call of the object itself, but calls follow one another."""
        return


class Stack(Operator):
    """Numbers in, numbers out; arrays of one shape at a time."""

    class Options:
        batch = 16

    def __init__(self):
        self.shapes = []

    def forward(self, arrays: list[np.ndarray]) -> np.ndarray:
        stacked = np.stack(arrays)
        self.shapes.append(stacked.shape)
        return stacked.sum(axis=tuple(range(1, stacked.ndim)))


@operator(batch=4, deployment_type="serving")
async def later(xs: list[int]) -> list[int]:
    return [x + 1 for x in xs]


@operator(batch=4)
class Called:
    """A class with a ``__call__`` of its own."""

    def __call__(self, xs: list[int]) -> list[int]:
        return [60 // x for x in xs]


@operator
def plain(xs: list[int]) -> list[int]:
    return [len(xs) for _ in xs]


@operator(batch=4)
def streams(xs: list[int]):
    yield from xs


class Deadly(Operator):
    """Some inputs take the process with them, and whoever is in the batch."""

    class Options:
        batch = Batch(8, max_delay_ms=1000)
        timeout = 60
        memory = 1.0

    def forward(self, words: list[str]) -> list[str]:
        if "wait" in words:
            time.sleep(0.3)
        if "exit" in words:
            os._exit(7)
        if "hang" in words:
            time.sleep(60)
        if "eat" in words:
            bytearray(b"x") * (3 << 30)
        return [word.upper() for word in words]


class Seen(Operator):
    """Waits for a file in its first call; notes what it has been given."""

    class Options:
        batch = Batch(8, max_delay_ms=1000)

    def __init__(self):
        self.seen = []

    def forward(self, words: list[str]) -> list[str]:
        self.seen += words
        while any(word.startswith("/") and not os.path.exists(word) for word in words):
            time.sleep(0.01)
        return words


class Walk(Operator):
    """For one example: steps until a number is 1, each counted by a child."""

    class Options:
        batch = Batch(16, max_delay_ms=1000)
        autobatch = True
        retries = Retries(1, initial_delay=0.0)

    def __init__(self):
        self.weights = np.arange(3.0)

    def forward(self, n: int, v: np.ndarray | None = None, times: int = 1) -> tuple[int, float] | int:
        """How many steps."""
        if n < 1:
            raise ValueError(f"no way from {n}")
        steps = 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += times
        return steps if v is None else (steps, float(np.sum(v * self.weights)))


@operator(batch=8, autobatch=True, deployment_type="serving")
def power(n: int, k: int) -> int:
    """Grows beyond 64 bits."""
    made = 1
    for _ in range(k):
        made = made * n
    return made


class Counts(Operator):
    """Keeps something, which a batch cannot."""

    def __init__(self):
        self.calls = 0

    def forward(self, n: int) -> int:
        self.calls += 1
        return n
