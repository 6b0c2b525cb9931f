"""What the tests of connections deploy."""

from __future__ import annotations

import os
import threading
import time

import numpy as np

from operator_lib import operator
from operator_lib.errors import FatalException


@operator(deployment_type="serving", concurrency=4, stateless=True)
class Echo:
    def __init__(self) -> None:
        self.gate = threading.Event()

    def __call__(self, value):
        return value

    def count(self, end: int):
        yield from range(end)

    def hold(self) -> str:
        self.gate.wait(30)
        return "held"

    def wait_for(self, path: str) -> str:
        print("waiting")
        while not os.path.exists(path):
            time.sleep(0.01)
        return "waited"

    def breaks(self) -> None:
        raise FatalException("a new process, please")

    def open(self) -> None:
        self.gate.set()


@operator(deployment_type="serving")
class Keeper:
    def __init__(self) -> None:
        self.kept = np.zeros(300_000)

    def fill(self, value: float) -> np.ndarray:
        """An array that the object keeps, and goes on changing."""
        self.kept[:] = value
        return self.kept


@operator(deployment_type="serving")
class Bulk:
    def bytes(self, mib: int) -> bytes:
        return b"\x07" * (mib << 20)

    def pages(self, mib: int) -> dict[str, list[str]]:
        """As much text."""
        return {"pages": ["." * (1 << 20)] * mib}
