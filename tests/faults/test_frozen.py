"""A worker that is not there, or there and frozen: the caller is told, and told soon."""

from __future__ import annotations

import signal
import socket
import time

import fault_jobs as jobs
import fault_servings as servings
import pytest
from crash import told

from operator_lib import Operator


def test_nobody_there_is_said_at_once_with_the_address(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    for attempt in (
        lambda: jobs.add.deploy("add", address=address, token="t"),
        lambda: Operator.from_job("add", address=address, token="t"),
        lambda: Operator.from_serving(f"http://{address}/v1/servings/x/", "t"),
        lambda: Operator.from_job("add", address=f"http://{address}", token="t"),
    ):
        begun = time.monotonic()
        with pytest.raises(ConnectionError, match=address):
            attempt()
        assert time.monotonic() - begun < 3


def test_a_frozen_worker_is_noticed_and_works_again_when_it_thaws(worker, tmp_path):
    add = jobs.add.deploy("add")
    assert add(1, 2) == 3
    run = jobs.counted.deploy("counted").submit(str(tmp_path / "e"), "a", 1.0)
    told(tmp_path / "e")
    worker.signal(signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(ConnectionError, match=worker.found.grpc_address):
        add.runs()
    assert time.monotonic() - begun < 36
    assert told(tmp_path / "e", 2) == ["start a", "done a"], "the run stopped with the worker"
    worker.signal(signal.SIGCONT)
    assert run.result(20) == "a"
    assert add(2, 2) == 4


def test_calls_of_a_serving_do_not_need_the_worker(worker):
    counter = servings.Counter.deploy("counter")
    counter.add()
    worker.signal(signal.SIGSTOP)
    assert [counter.add() for _ in range(5)] == [2, 3, 4, 5, 6]
    worker.signal(signal.SIGCONT)


def test_a_run_that_prints_goes_on_while_the_worker_is_frozen(worker):
    lines = jobs.lines.deploy("lines")
    run = lines.submit(100_000)
    next(iter(run.logs(follow=True)))
    worker.signal(signal.SIGSTOP)
    events = worker.path / "runs" / run.id / "1" / "value"
    end = time.monotonic() + 30
    while not events.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert events.exists(), "the run waits for the worker"
    worker.signal(signal.SIGCONT)
    run.result(20)
    assert sum(1 for _ in run.logs()) == 100_000
