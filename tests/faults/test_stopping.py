"""SIGTERM, a second one, and two workers on one home."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import fault_jobs as jobs
import fault_servings as servings
import grpc
import pytest
from crash import Raw, alive, gone, read_lines, reap, told, until, wait
from grpc_health.v1 import health_pb2, health_pb2_grpc

from operator_lib import endpoint


def ports(found: endpoint.Endpoint) -> list[int]:
    return [int(address.rpartition(":")[2]) for address in (found.url, found.grpc_address)]


def closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_calls_and_runs_in_flight_finish(worker, tmp_path):
    wide = servings.Wide.deploy("wide")
    call = wide.slow.submit(1.0)
    assert wide.pid() > 0  # the call has been sent
    run = jobs.counted.deploy("counted").submit(str(tmp_path / "e"), "a", 1.0)
    told(tmp_path / "e")
    before, processes = ports(worker.found), worker.processes()
    assert worker.terminate() == 0
    assert read_lines(tmp_path / "e") == ["start a", "done a"]
    assert call.result(5) == "slept"
    assert all(closed(port) for port in before)
    for pid in processes:
        gone(pid)
    worker.start()
    assert run.result(20) == "a"
    assert run.attempts == 1
    assert len(read_lines(tmp_path / "e")) == 2


def test_runs_that_take_longer_are_run_again_and_not_counted_as_crashes(home, tmp_path):
    home.start(drain="0.3")
    waits = jobs.waits.deploy("waits")
    run = waits.submit(str(tmp_path / "pid"), 1.5)
    queued = jobs.only_once.deploy("once").submit(str(tmp_path / "once"))
    for _ in range(4):  # more often than a crash may cut a run
        told(tmp_path / "pid", len(read_lines(tmp_path / "pid")) or 1)
        starts = len(read_lines(tmp_path / "pid"))
        assert home.terminate() == 0
        gone(int(read_lines(tmp_path / "pid")[-1]))
        home.start()
        told(tmp_path / "pid", starts + 1)
    assert run.result(20) == "rested"
    assert run.attempts == len(read_lines(tmp_path / "pid")) == 5
    assert queued.exception(20) is not None
    assert "worker restarted" in str(queued.exception())
    assert len(read_lines(tmp_path / "once")) == 1


def test_while_it_drains_it_says_so_and_takes_nothing_new(worker, tmp_path):
    counted = jobs.counted.deploy("counted")
    counted.submit(str(tmp_path / "e"), "a", 2.0)
    told(tmp_path / "e")
    with Raw(worker) as raw:
        health = health_pb2_grpc.HealthStub(raw.channel)
        check = lambda: health.Check(health_pb2.HealthCheckRequest(), metadata=raw.metadata).status  # noqa: E731
        assert check() == health_pb2.HealthCheckResponse.SERVING
        pid = worker.pid
        os.kill(pid, signal.SIGTERM)
        until(lambda: check() == health_pb2.HealthCheckResponse.NOT_SERVING, 2)
        from operator_lib.wire.proto import runs_pb2

        with pytest.raises(grpc.RpcError) as refused:
            raw.runs.Submit(runs_pb2.SubmitRequest(job="counted", inline=b""), metadata=raw.metadata)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "stopping" in refused.value.details()
    assert wait(pid, 20) == 0


def test_a_submit_while_it_restarts_goes_to_the_next_worker(worker, tmp_path):
    counted = jobs.counted.deploy("counted")
    counted.submit(str(tmp_path / "e"), "a", 1.0)
    told(tmp_path / "e")
    pid = worker.pid
    os.kill(pid, signal.SIGTERM)
    found = []
    caller = threading.Thread(target=lambda: found.append(counted.submit(str(tmp_path / "e"), "b")))
    caller.start()
    assert wait(pid, 20) == 0
    worker.start()
    caller.join(20)
    assert found[0].result(20) == "b"


def test_a_second_sigterm_ends_it_at_once(worker, tmp_path):
    jobs.waits.deploy("waits").submit(str(tmp_path / "pid"))
    child = int(told(tmp_path / "pid")[0])
    pid = worker.pid
    os.kill(pid, signal.SIGTERM)
    time.sleep(0.3)  # a signal is not an event that one could await
    assert alive(pid)
    os.kill(pid, signal.SIGTERM)
    begun = time.monotonic()
    assert wait(pid, 3) == 1
    assert time.monotonic() - begun < 2
    gone(child)


def start(home, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "operator_lib.worker", "--home", str(home.path), *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_second_worker_on_the_same_home_ends_with_3_and_names_the_first(worker):
    second = start(worker)
    _, said = second.communicate(timeout=20)
    assert second.returncode == 3
    assert f"pid {worker.pid}" in said
    assert "--home" in said
    assert jobs.add.deploy("add")(1, 2) == 3


def test_of_many_that_start_at_once_one_wins(home):
    home.path.mkdir(mode=0o700)
    started = [start(home) for _ in range(5)]
    until(lambda: endpoint.running(home.path), 20)
    until(lambda: sum(process.poll() is None for process in started) == 1, 20)
    winner = next(process for process in started if process.poll() is None)
    assert {process.returncode for process in started} == {None, 3}
    assert home.pid == winner.pid
    for process in started:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def test_the_lock_of_a_killed_worker_is_no_obstacle_and_ports_stay(worker):
    worker.kill()
    worker.options.clear()  # nobody says which
    worker.start()
    before = ports(worker.found)
    for _ in range(2):
        worker.restart()
        assert ports(worker.found) == before
    worker.terminate()
    worker.start()
    assert ports(worker.found) == before


def test_taken_ports_are_replaced_and_written_down(worker):
    before = ports(worker.found)
    worker.kill()
    worker.options.clear()
    squatters = []
    for port in before:
        squatter = socket.socket()
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        squatters.append(squatter)
    try:
        worker.start()
        assert not set(ports(worker.found)) & set(before)
        assert jobs.add.deploy("add")(1, 2) == 3
    finally:
        for squatter in squatters:
            squatter.close()


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(home):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        refused = start(home, "--port", str(squatter.getsockname()[1]))
        _, said = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert "the port is taken" in said
    assert endpoint.running(home.path) is None


def test_other_addresses_need_a_word(home):
    refused = start(home, "--host", "0.0.0.0")
    _, said = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert "--insecure" in said


def test_a_damaged_store_is_named_and_left_alone(home):
    home.start()
    home.kill()
    (home.path / "state.db").write_bytes(b"garbage" * 1000)
    refused = start(home)
    _, said = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert "state.db" in said
    assert (home.path / "state.db").read_bytes() == b"garbage" * 1000


def test_a_home_is_left_alone_by_a_store_that_knows_nothing_of_it(home):
    home.start()
    home.terminate()
    (home.path / "runs" / "01").mkdir(parents=True)
    for part in home.path.glob("state.db*"):
        part.rename(part.with_name(f"kept-{part.name}"))
    refused = start(home)
    _, said = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert "is known to another store: start with the --store" in said
    assert (home.path / "runs" / "01").is_dir()
    for part in home.path.glob("kept-*"):
        part.rename(part.with_name(part.name.removeprefix("kept-")))
    home.start()


def test_worker_stop_waits_until_it_is_gone(worker):
    from operator_lib.worker import stop

    pid = worker.pid
    assert stop(worker.path)
    gone(pid, 0.5)
    assert not stop(worker.path)
    reap(pid)
