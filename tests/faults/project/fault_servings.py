"""Servings that go wrong."""

import os
import time
from pathlib import Path

from operator_lib import operator


@operator
class Counter:
    def __init__(self, start=0):
        self.value = start

    def add(self, n=1):
        self.value += n
        return self.value

    def pid(self):
        return os.getpid()

    def slow(self, seconds, path=""):
        if path:
            Path(path).touch()
        time.sleep(seconds)
        return "slept"

    def end(self, code):
        os._exit(code)

    def items(self, count):
        yield from range(count)


@operator(concurrency=8)
class Wide:
    """Answers several calls at a time."""

    def pid(self):
        return os.getpid()

    def slow(self, seconds):
        time.sleep(seconds)
        return "slept"


@operator
class Tagged:
    """Every answer names its version twice: half an answer would show."""

    def __init__(self, version=0):
        self.version = version

    def answer(self, n):
        return [self.version, n, self.version]


@operator
class Broken:
    def __init__(self, how="raise"):
        self.how = how

    def __remote_init__(self):
        if self.how == "raise":
            raise RuntimeError("the model is not there")
        if self.how == "exit":
            os._exit(5)

    def ping(self):
        return "pong"


@operator
class Fragile:
    """Comes up only while a file is there."""

    def __init__(self, path=""):
        self.path = path

    def __remote_init__(self):
        with open(self.path + ".starts", "a") as file:
            file.write(f"{time.monotonic()}\n")
        if not os.path.exists(self.path):
            raise RuntimeError("the model is not there")

    def ping(self):
        return "pong"

    def pid(self):
        return os.getpid()


@operator(stateless=True, max_replicas=3, min_replicas=3)
class Crowd:
    """Several processes, each with one call at a time."""

    def __init__(self, version=1):
        self.version = version

    def answer(self, n, pause=0.002):
        time.sleep(pause)
        return [self.version, n, os.getpid()]

    def items(self, count):
        for n in range(count):
            time.sleep(0.01)
            yield [self.version, n]
