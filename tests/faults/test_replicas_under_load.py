"""Many callers at once, while processes die, hang, and change their version."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter

import fault_servings as servings
import pytest
import requests
from crash import alive, gone, until

from operator_lib import Operator
from operator_lib.errors import WorkerDied


@pytest.fixture
def crowd(shared):
    handle = servings.Crowd(1).deploy("crowd")
    yield handle
    handle.serving.delete()


class Callers:
    """Threads that do something again and again; what came of it by kind, wrong answers and failures in full."""

    def __init__(self, count, work):
        self.done = Counter()
        self.wrong = []
        self._over = threading.Event()
        self._work = work
        self._threads = [threading.Thread(target=self._go, args=(n,)) for n in range(count)]

    def _go(self, number):
        for n in range(number * 1_000_000, (number + 1) * 1_000_000):
            if self._over.is_set():
                return
            try:
                self.done[self._work(n)] += 1
            except BaseException as error:
                self.wrong.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *what):
        self._over.set()
        for thread in self._threads:
            thread.join(60)


def call(handle):
    def once(n):
        version, number, _ = handle.answer(n)
        assert number == n
        return version

    return once


def pids(handle):
    return [r["pid"] for r in handle.serving.stats()["replicas"] if r["status"] == "ready"]


def test_a_death_takes_only_what_that_process_had_begun(crowd):
    with Callers(12, call(crowd)) as callers:
        for _ in range(3):
            until(lambda: len(pids(crowd)) == 3)
            before = callers.done.total()
            victim = pids(crowd)[0]
            os.kill(victim, signal.SIGKILL)
            gone(victim)
            until(lambda: callers.done.total() > before + 50)
    assert all(isinstance(error, WorkerDied) and "SIGKILL" in str(error) for error in callers.wrong), callers.wrong
    assert len(callers.wrong) <= 6, "a process has one call at a time, and one answer that may not be out yet"
    assert crowd.serving.stats()["restarts"] == 3


def test_deploys_and_rollbacks_fail_no_call(crowd):
    headers = {"Authorization": f"Bearer {crowd.token}"}
    elsewhere = Operator.from_serving(crowd.url, crowd.token)

    def web(n):
        answer = requests.post(crowd.url + "answer", json={"n": n}, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        version, number, _ = answer.json()
        assert number == n
        return version

    def stream(n):
        items = list(crowd.items(8))
        assert items == [[items[0][0], number] for number in range(8)]
        return items[0][0]

    with Callers(4, call(crowd)) as a, Callers(2, call(elsewhere)) as b, Callers(2, web) as c, Callers(2, stream) as d:
        for version in (2, 3):
            servings.Crowd(version).deploy("crowd")
        for version in (1, 3, 2):
            crowd.serving.rollback(version)
    for callers in (a, b, c, d):
        assert callers.wrong == []
        assert set(callers.done) == {1, 2, 3}


def test_one_that_hangs_is_replaced_while_others_answer(crowd):
    until(lambda: len(pids(crowd)) == 3)
    victim = pids(crowd)[0]
    calls = [crowd.answer.submit(n, 2.0) for n in range(3)]
    until(lambda: crowd.serving.stats()["running"] == 3)
    os.kill(victim, signal.SIGSTOP)
    with Callers(2, call(crowd)) as callers:
        until(lambda: not alive(victim), 30)
    assert callers.done.total() > 500
    died = [error for error in (each.exception(10) for each in calls) if error is not None] + callers.wrong
    assert 1 <= len(died) <= 2, "each process has one call at a time"
    assert all(isinstance(error, WorkerDied) and "it hung: no answer for" in str(error) for error in died), died
    until(lambda: len(pids(crowd)) == 3)


def test_two_hundred_clients_outlast_their_worker(worker):
    handle = servings.Crowd(1).deploy("crowd")
    clients = [Operator.from_serving(handle.url, handle.token) for _ in range(200)]
    calls = [client.answer.submit(n) for n, client in enumerate(clients)]
    assert [each.result(60)[1] for each in calls] == list(range(200))
    worker.terminate()
    worker.start()
    calls = [client.answer.submit(n) for n, client in enumerate(clients)]
    assert [each.result(60)[1] for each in calls] == list(range(200))
