"""The storage goes away for a while, or the worker does: runs go on, and nothing that was acknowledged is missing."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from crash import Home, until
from seaweed import Seaweed
from stored_jobs import Doubled, Total

from operator_lib import Operator, endpoint

LARGE = os.urandom(1000) * 1100  # too large for the store, and for being packed with others


@pytest.fixture
def away(seaweed: Seaweed):
    """Take the server away; it is back after the test."""
    yield seaweed.kill
    if not seaweed.running:
        seaweed.start()


def archived(seaweed: Seaweed, prefix: str) -> set[str]:
    """The runs that the bucket has."""
    return {path.split("/")[-2] for path in seaweed.files.find(f"{prefix}/runs") if path.endswith("/pack")}


def test_runs_end_without_the_server_and_their_files_reach_it_later(
    home: Home, seaweed, prefix, away, afresh, tmp_path
):
    go = tmp_path / "go"
    handle = Doubled().deploy("doubled")
    running = handle.submit(LARGE, str(go))
    until(lambda: running.status == "RUNNING")
    away()
    go.touch()
    assert running.result(30) == 2 * sum(LARGE)
    assert handle(b"\1\2") == 6
    ended = {run.id for run in handle.runs()}

    home.kill()  # with all that it had in mind to do
    starting = threading.Thread(target=home.start)
    starting.start()
    until(lambda: "cannot write" in (home.path / endpoint.LOG).read_text().rpartition("worker 0")[2])
    assert starting.is_alive()  # it waits for the server, and says so
    seaweed.start()
    starting.join(60)
    until(lambda: archived(seaweed, prefix) >= ended, 30)

    seaweed.pause()
    with ThreadPoolExecutor() as aside:
        deployed = aside.submit(Total().deploy, "total")
        url, headers = f"{home.found.url}/v1/worker", {"Authorization": f"Bearer {home.token}"}
        assert requests.get(url, headers=headers, timeout=2).ok  # it answers, whoever waits
        seaweed.go_on()
        assert deployed.result(60)(b"\1")["total"] == 1
    afresh(home)
    assert Operator.from_job("doubled").run(running.id).result(10) == 2 * sum(LARGE)


@pytest.mark.large
@pytest.mark.timeout(300)
def test_the_server_is_away_for_20_seconds_with_runs_going_on(home: Home, seaweed, prefix, away, afresh):
    """Once refusing connections, once taking them and answering nobody."""
    handle = Doubled().deploy("doubled")
    runs = []
    for go, come in ((seaweed.kill, seaweed.start), (seaweed.pause, seaweed.go_on)):
        go()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            runs += [handle.submit(bytes([1, 2, n])) for n in range(10)]
            assert [run.result(30) for run in runs[-10:]] == [2 * (3 + n) for n in range(10)]
            time.sleep(0.5)
        with ThreadPoolExecutor() as aside:
            late = aside.submit(handle.submit, LARGE)
            come()
            runs.append(late.result(60))
        assert runs[-1].result(60) == 2 * sum(LARGE)
    until(lambda: archived(seaweed, prefix) >= {run.id for run in runs}, 60)
    afresh(home)
    again = Operator.from_job("doubled")
    assert [again.run(run.id).result(30) for run in runs] == [run.result() for run in runs]


@pytest.mark.large
def test_a_worker_stops_although_its_storage_answers_nobody(home: Home, seaweed: Seaweed):
    handle = Doubled().deploy("doubled")
    seaweed.pause()
    try:
        assert handle(b"\1\2") == 6
        assert home.terminate(seconds=30) == 0
    finally:
        seaweed.go_on()
    assert "1 ended runs are not in storage yet" in (home.path / endpoint.LOG).read_text()
