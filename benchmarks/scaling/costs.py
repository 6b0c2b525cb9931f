"""What one unit of each kind of work costs the worker, a machine, a client and the database, measured on this machine.

Costs of processors are CPU times of the processes concerned, so that other programs disturb them little.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks import project, workers

SOURCE = """
import time
from operator_lib import operator


@operator
def empty(x: int = 0) -> int:
    return x


@operator
def waits(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@operator
def prints(lines: int) -> int:
    for line in range(lines):
        print(line)
    return lines


@operator(stateless=True)
class Double:
    def forward(self, x: int) -> int:
        return 2 * x
"""
CALLERS = 16


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds, except where something else is said."""

    accept: float
    """Of the worker, to take a run into its queue."""
    carry: float
    """Of the worker, to start a run and to record its end."""
    machine: float
    """Of the machine, for the processes of an empty run."""
    going: float
    """Of the worker, in a second, for a run that goes on and says nothing."""
    line: float
    """Of the worker, for a line of log that nobody follows."""
    followed: float
    """Of the worker, for a line of log that one client follows."""
    replica: float
    """Of the worker, in a second, for a replica that nobody calls."""
    replica_memory: float
    """Bytes of a machine's memory, its own, for such a replica."""
    proxied: float
    """Of the worker, for a call over HTTP."""
    direct: float
    """Of a client, for a call of a replica over gRPC, of many that are under way."""
    accepted: float
    """Runs a second that the worker takes in from many clients; each is durable before it is acknowledged."""


class Meter:
    """What a worker has spent."""

    def __init__(self, pid: int) -> None:
        self._worker = psutil.Process(pid)
        self._quiet = 0.0

    def settle(self, seconds: float) -> None:
        """Find out what it spends on its own."""
        self._quiet = self._spent(lambda: time.sleep(seconds)) / seconds

    def __call__(self, work: Callable[[], object]) -> float:
        """CPU seconds for the work, without what it would have spent anyway."""
        begun = time.monotonic()
        spent = self._spent(work)
        return max(0.0, spent - self._quiet * (time.monotonic() - begun))

    def _spent(self, work: Callable[[], object]) -> float:
        before = self._worker.cpu_times()
        work()
        after = self._worker.cpu_times()
        return after.user - before.user + after.system - before.system

    def below(self) -> float:
        """CPU seconds of the processes that it has started, those that have ended included."""
        total = 0.0
        for child in self._worker.children():
            times = child.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
        return total


def measure(store: str = "", scale: float = 1.0) -> Costs:
    """All of them. `store` is the worker's, as ``--store`` names it; `scale` multiplies the amounts of work."""
    options = {"store": store} if store else {}
    found = _queue(options, scale)
    with workers.local(max_runs="100", **options) as local, project.module(SOURCE) as user:
        meter = Meter(local.pid)
        found |= _runs(user, meter, found["accept"], scale)
        found |= _servings(user, meter, local.url, scale)
    return Costs(**found)


def _queue(options: dict[str, str], scale: float) -> dict[str, float]:
    many = int(1000 * scale)
    with workers.local(max_runs="1", **options) as local, project.module(SOURCE) as user:
        meter = Meter(local.pid)
        job = user.waits.deploy("waits")
        job.submit(3600.0)  # has the one place
        with ThreadPoolExecutor(CALLERS) as pool:
            begun = time.perf_counter()
            spent = meter(lambda: list(pool.map(job.submit, [1.0] * many)))
            took = time.perf_counter() - begun
    return {"accept": spent / many, "accepted": many / took}


def _runs(user: Any, meter: Meter, accept: float, scale: float) -> dict[str, float]:
    many, lines, held = int(200 * scale), int(20_000 * scale), 40
    empty, waits, prints = user.empty.deploy("empty"), user.waits.deploy("waits"), user.prints.deploy("prints")
    empty(0)
    meter.settle(4 * scale)
    below = meter.below()
    whole = meter(lambda: [empty(i) for i in range(many)])
    machine = (meter.below() - below) / many
    going = [waits.submit(3600.0) for _ in range(held)]
    _until(lambda: all(run.status == "RUNNING" for run in going))
    waiting = meter(lambda: time.sleep(10 * scale)) / (10 * scale)
    for run in going:
        run.cancel()
    silent = meter(lambda: prints(lines))
    followed = meter(lambda: sum(1 for _ in prints.submit(lines).logs(follow=True)))
    return {
        "carry": max(0.0, whole / many - accept),
        "machine": machine,
        "going": waiting / held,
        "line": silent / lines,
        "followed": followed / lines,
    }


def _servings(user: Any, meter: Meter, url: str, scale: float) -> dict[str, float]:
    from benchmarks.http_load import load

    many, replicas = int(10_000 * scale), 8
    remote = user.Double.deploy("double")
    remote(1)
    port = int(url.rpartition(":")[2])
    body = '{"x": 21}'
    proxied = meter(lambda: load(port, "/v1/servings/double", body, token=remote.token, callers=32, calls=many))
    before = time.process_time()
    for future in [remote.submit(i) for i in range(many)]:
        future.result()
    direct = (time.process_time() - before) / many
    one = meter(lambda: time.sleep(10 * scale))
    remote.serving.scale(replicas)
    _until(lambda: len([each for each in remote.serving.stats()["replicas"] if each["status"] == "ready"]) == replicas)
    more = meter(lambda: time.sleep(10 * scale))
    memory = [psutil.Process(each["pid"]).memory_full_info().uss for each in remote.serving.stats()["replicas"]]
    return {
        "proxied": proxied / many,
        "direct": direct,
        "replica": max(0.0, more - one) / (10 * scale) / (replicas - 1),
        "replica_memory": sorted(memory)[len(memory) // 2],
    }


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        if time.monotonic() > end:
            raise RuntimeError("what was waited for has not happened within 60 s")
        time.sleep(0.1)


if __name__ == "__main__":
    print(measure(os.environ.get("STORE", ""), float(os.environ.get("SCALE", "1"))))
