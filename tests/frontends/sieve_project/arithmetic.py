"""A program as it was written for Sieve, but for the import line: functions and models that call one another."""

import asyncio
import os
import sys
import time
from concurrent.futures import as_completed
from pathlib import Path

import sibling_of_arithmetic as beside
from appeared import appeared

import operator_lib.frontends.sieve as sieve
from operator_lib import operator

loaded = {"times": 0}


@sieve.function(name="multiplier")
def multiply(x1: int, x2: int) -> int:
    """Multiplies."""
    return x1 * x2


@sieve.Model(name="adder")
class Adder:
    """Adds."""

    def __setup__(self):
        print("setting up!")

    def __predict__(self, x1: int, x2: int) -> int:
        return x1 + x2


@sieve.Model(name="tenfold")
class Tenfold(Adder):
    def __predict__(self, x1: int, x2: int) -> int:
        return 10 * super().__predict__(x1, x2)


class Forgotten(Adder): ...


@sieve.Model(name="warm")
class Warm:
    def __setup__(self):
        self.setups = getattr(self, "setups", 0) + 1
        self.calls = 0
        self.__predict__("to warm up")

    def __predict__(self, word: str):
        self.calls += 1
        return {"setups": self.setups, "calls": self.calls, "word": word}


@sieve.function(name="classy")
class Classy:
    def __predict__(self, word: str) -> str:
        return word.upper()


@sieve.function(name="both")
def both(a: int, b: int) -> int:
    """Calls a function and a model by name, one of them through a helper."""
    return beside.plus_one(multiply.run(a, b))


@sieve.function(name="squares")
def squares(numbers: list):
    futures = {multiply.push(n, n): n for n in numbers}
    return sorted(future.result() for future in as_completed(futures))


@sieve.function(name="factorial")
def factorial(n: int) -> int:
    return 1 if n < 2 else n * factorial.run(n - 1)


@sieve.function(name="fibonacci")
def fibonacci(n: int) -> int:
    if n < 2:
        return n
    return sum(future.result() for future in [fibonacci.push(n - 1), fibonacci.push(n - 2)])


@sieve.function(name="ping")
def ping(n: int) -> list:
    return ["ping", *(pong.run(n - 1) if n else [])]


@sieve.function(name="pong")
def pong(n: int) -> list:
    return ["pong", *(ping.run(n - 1) if n else [])]


@sieve.function(name="back")
def back(n: int) -> list:
    return Alone.run(n)


@sieve.Model(name="alone")
class Alone:
    """Says how many calls from outside are inside of it; calls itself, through a function."""

    def __setup__(self):
        self.inside = 0

    def __predict__(self, n: int, first: bool = False) -> list:
        self.inside += first
        try:
            rest = back.run(n - 1) if n else []
            return [self.inside, *rest]
        finally:
            self.inside -= first


@sieve.function(name="counter")
def count(to: int, boom: bool = False):
    yield from range(to)
    if boom:
        raise ValueError("no more")


@sieve.function(name="total")
def total(to: int) -> int:
    return sum(count.run(to))


@sieve.function(name="later")
async def later(x: int) -> int:
    return x + 1


@sieve.function(name="steps")
async def steps(to: int, boom: bool = False):
    """Counts as `count` does, and has another function called between its items."""
    for number in range(to):
        await asyncio.sleep(0)
        yield multiply.run(number, 1)
    if boom:
        raise ValueError("no more")


@sieve.function(name="all-steps")
def all_steps(to: int) -> list:
    return [*steps.run(to), *steps.push(to).result()]


@operator
def counted(to: int) -> list:
    return list(steps.run(to))


@sieve.function(name="failing")
def failing(message: str):
    raise KeyError(message)


@sieve.function(name="where")
def where():
    return {
        "text": Path("data.txt").read_text(),
        "sibling": beside.VALUE,
        "files": sorted(name for name in os.listdir(".") if name.endswith(".txt")),
        "on the path": any((Path(folder) / "sibling_of_arithmetic.py").is_file() for folder in sys.path),
    }


@sieve.function(name="meeting", min_replicas=3)
def meet(folder: str, count: int) -> int:
    """Returns when so many calls have come together."""
    Path(folder, f"{time.monotonic_ns()}").touch()
    end = time.monotonic() + 30
    while len(os.listdir(folder)) < count:
        if time.monotonic() > end:
            raise TimeoutError("the others did not come")
        time.sleep(0.01)
    return os.getpid()


@sieve.function(name="gate")
def gate(folder: str, name: str) -> str:
    """Says that it has begun, and goes on when it is let."""
    Path(folder, f"{name}.begun").touch()
    appeared(Path(folder, f"{name}.go"))
    return name


@sieve.function(name="env-fun", restart_on_error=False)
def env(env: str) -> str:
    """Has a parameter of that name itself."""
    return env
