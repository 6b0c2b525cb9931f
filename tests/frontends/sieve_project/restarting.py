"""Functions and models that fail, and say which process they are in."""

import os
from pathlib import Path

from appeared import appeared

import operator_lib.frontends.sieve as sieve
from operator_lib import Operator, operator

state = {"calls": 0}


def act(x: int) -> dict:
    """The example of the documentation: 5 is a mistake of the caller, 10 breaks the process."""
    state["calls"] += 1
    if x == 5:
        raise ValueError(f"not {x}")
    if x == 10:
        raise sieve.FatalException("this process is of no more use")
    return {"pid": os.getpid(), "calls": state["calls"]}


@sieve.function(name="fragile")
def fragile(x: int) -> dict:
    return act(x)


@sieve.function(name="robust", restart_on_error=False)
def robust(x: int) -> dict:
    return act(x)


@sieve.Model(name="fragile-model")
class Fragile:
    def __setup__(self):
        self.setups = getattr(self, "setups", 0) + 1

    def __predict__(self, x: int) -> dict:
        return {**act(x), "setups": self.setups}


@sieve.function(name="fragile-items")
def items(x: int):
    yield act(1)
    yield act(x)


@sieve.function(name="side-by-side", concurrency=3)
def side_by_side(folder: str, name: str) -> int:
    """Fails when it is told to, or goes on until it is let."""
    if name == "fail":
        raise ValueError("fail")
    Path(folder, f"{name}.begun").touch()
    appeared(Path(folder, "go"))
    return os.getpid()


@operator(restart_on_error=True)
class Plain:
    def __init__(self):
        self.calls = 0

    def __remote_init__(self):
        self.remote = os.getpid()

    def boom(self):
        self.calls += 1
        raise RuntimeError("boom")

    def pid(self):
        assert self.remote == os.getpid()
        return os.getpid()


@operator(restart_on_error=True, batch=4)
class Batched(Operator):
    def forward(self, numbers: list[int]) -> list[int]:
        return [act(number)["pid"] for number in numbers]


class Inner(Operator):
    def forward(self, x: int) -> int:
        return act(x)["pid"]


class Outer(Operator):
    def __init__(self, inner: Inner):
        self.inner = inner

    def forward(self, x: int) -> int:
        return self.inner(x)


@sieve.function(name="log", restart_on_error=True)
def log(path: str, number: int) -> int:
    """Notes that it has been called; every third call fails."""
    with open(path, "a") as file:
        file.write(f"{number}\n")
    if number % 3 == 0:
        raise ValueError(str(number))
    return number
