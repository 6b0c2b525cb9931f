"""Programs with time limits."""

import asyncio
import contextlib
import os
import time

from operator_lib import Operator, RequestContext, Retries, operator


def note(path, what):
    with open(path, "a") as file:
        file.write(f"{what}\n")


class Nap(Operator):
    options = {"timeout": 2}

    def forward(self, seconds):
        time.sleep(seconds)
        return seconds


@operator(timeout=1)
class Slow:
    """One second for everything that it does."""

    def __init__(self):
        self.calls = 0
        self.nap = Nap()

    def __remote_init__(self):
        self.ready_in = os.getpid()

    def pid(self) -> int:
        return self.ready_in

    def work(self, how: str, seconds: float = 60.0) -> int:
        self.calls += 1
        if how == "c":
            sum(range(10**13))
        if how == "loop":
            while True:
                pass
        if how == "sleep":
            time.sleep(seconds)
        return self.calls

    def noted(self, path: str, seconds: float) -> float:
        note(path, seconds)
        time.sleep(seconds)
        return seconds

    async def waits(self, seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    async def stays(self) -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)

    def reports(self, times: int) -> int:
        for step in range(times):
            time.sleep(0.5)
            RequestContext.get().progress.update(step)
        return times

    def child(self, seconds: float) -> float:
        return self.nap(seconds)

    def items(self, pauses: list[float]):
        for pause in pauses:
            time.sleep(pause)
            yield pause

    def __getitem__(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds


@operator(timeout=1, concurrency=4)
class Wide:
    def nap(self, seconds):
        time.sleep(seconds)
        return seconds


class Cancelled(Operator):
    """Its child is a coroutine that takes too long."""

    def __init__(self):
        self.later = Later()

    async def forward(self):
        try:
            await self.later()
        except TimeoutError as error:
            return os.getpid(), str(error)


class Later(Operator):
    options = {"timeout": 1}

    def __init__(self):
        self.cleared = 0

    async def forward(self):
        try:
            await asyncio.sleep(60)
        finally:
            self.cleared += 1


@operator(timeout=1)
def item(task):
    """One input of a map: where to note it down, which one it is, and what it does."""
    path, number, how = task
    note(path, number)
    if how == "c":
        sum(range(10**13))
    if how == "exit":
        os._exit(3)
    if how == "raise":
        raise ValueError(number)
    if how == "large":
        return b"x" * (1 << 16)
    return number if number % 3 else {"number": [number]}


@operator(timeout=1, retries=Retries(1, initial_delay=0))
def retried(task):
    path, number, how = task
    with open(path) as file:
        first = f"{number}\n" not in file.readlines()
    note(path, number)
    if how == "slow at first" and first:
        time.sleep(60)
    if how == "dies at first" and first:
        os._exit(4)
    if how == "dies":
        os._exit(5)
    return number
