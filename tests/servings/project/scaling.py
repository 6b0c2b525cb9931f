"""Servings whose number of processes follows their calls."""

import ctypes
import os
import time

from operator_lib import Batch, Operator, operator


@operator(deployment_type="serving", max_replicas=3, scaledown_window=1)
def nap(seconds: float) -> int:
    """Which process has slept."""
    time.sleep(seconds)
    return os.getpid()


@operator(deployment_type="serving", min_replicas=0, scaledown_window=1)
def rare(number: int) -> int:
    return number + 1


@operator(deployment_type="serving", concurrency=4, stateless=True)
class Steady:
    def __init__(self, version: int = 1) -> None:
        self.version = version

    def answer(self, number: int) -> list[int]:
        time.sleep(0.002)
        return [self.version, number, self.version]

    def fail(self) -> None:
        raise KeyError("no")

    def items(self, count: int):
        for number in range(count):
            time.sleep(0.02)
            yield [self.version, number]

    def pid(self, pause: float = 0.0) -> int:
        time.sleep(pause)
        return os.getpid()


@operator
class Held:
    """Is held up by a call until a file is there."""

    def __init__(self, version: int = 1) -> None:
        self.version = version

    def hold(self, path: str) -> int:
        while not os.path.exists(path):
            time.sleep(0.01)
        return self.version

    def which(self) -> int:
        return self.version


class Sums(Operator):
    class Options:
        batch = Batch(4)

    def forward(self, numbers: list[int]) -> list[int]:
        time.sleep(0.01)
        return [n + 1 for n in numbers]


class Holding(Operator):
    """Says its version. With a pipe it holds Python's lock until something is written there, as native code may."""

    def __init__(self, version: int) -> None:
        self.version = version

    def forward(self, pipe: str = "") -> int:
        if pipe:
            file = os.open(pipe, os.O_RDONLY)
            ctypes.PyDLL(None).read(file, ctypes.create_string_buffer(1), 1)
            os.close(file)
        return self.version
