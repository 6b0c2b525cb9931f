"""Programs for the tests of several workers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from operator_lib import operator


def note(path: str, text: str) -> None:
    """One line, whole, from however many processes."""
    with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as file:
        file.write(f"{text}\n".encode())


@operator
def counted(path: str, name: str, release: str) -> str:
    """Notes when it begins and when it is done; waits in between until it may go on."""
    note(path, f"start {name} {os.getpid()}")
    print("begun", name, flush=True)
    while not Path(release).exists():
        time.sleep(0.01)
    note(path, f"done {name}")
    return name


@operator
def quick(path: str, name: str) -> str:
    note(path, f"start {name} {os.getpid()}")
    return name


@operator
class Counter:
    def __init__(self) -> None:
        self.count = 0

    def add(self) -> int:
        self.count += 1
        return self.count

    def pid(self) -> int:
        return os.getpid()

    def echo(self, text: str) -> str:
        return text

    def upto(self, n: int) -> Iterator[int]:
        yield from range(n)
