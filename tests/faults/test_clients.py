"""Clients that go away in the middle of things: the worker is as it was before them."""

from __future__ import annotations

import fault_jobs as jobs
import fault_servings as servings
from crash import client, descriptors, gone, told, until

CALL = """
import sys, threading
from operator_lib import Operator
handle = Operator.from_serving(sys.argv[1], sys.argv[2])
threading.Timer(0.0, lambda: open(sys.argv[3], "w").write("begun\\n")).start()
handle.slow(3)
"""
MAP = """
import sys
from operator_lib import Operator
job = Operator.from_job("waits")
job.map([sys.argv[1]] * 4, workers=2)
"""
FOLLOW = """
import sys
from operator_lib import Operator
run = Operator.from_job("endless").run(sys.argv[1])
open(sys.argv[2], "w").write("begun\\n")
for _ in run.events(follow=True):
    pass
"""
WATCH = """
import sys
from operator_lib import Operator
job = Operator.from_job("waits")
runs = [job.submit(sys.argv[1]) for _ in range(3)]
runs[0].result()
"""
UPLOAD = """
import sys
from operator_lib import Operator
from operator_lib.client import upload
real = upload.pieces
def slow(*what):
    import time
    for piece in real(*what):
        yield piece
        open(sys.argv[1], "a").write("piece\\n")
        time.sleep(0.1)
upload.pieces = slow
Operator.from_job("size").submit(b"x" * (50 << 20))
"""


def baseline(home):
    """Descriptors and processes, once the worker is at rest."""
    until(lambda: len(home.busy()) >= 1)
    return descriptors(home.pid), len(home.busy())


def returned(home, before):
    """No more than before; a few descriptors of libraries come with the first use."""
    until(lambda: descriptors(home.pid) <= before[0] + 3, 25, "descriptors are left open")
    until(lambda: len(home.busy()) <= before[1], 5, "processes are left")


def test_in_the_middle_of_calls(shared, tmp_path):
    wide = servings.Wide.deploy("wide")
    pid = wide.pid()
    before, replica = baseline(shared), descriptors(pid)
    clients = [client(shared, CALL, wide.url, wide.token, str(tmp_path / str(n))) for n in range(3)]
    for n in range(3):
        told(tmp_path / str(n))
    for process in clients:
        process.kill()
        process.wait()
    returned(shared, before)
    until(lambda: descriptors(pid) <= replica + 3, 25)
    assert wide.pid() == pid


def test_in_the_middle_of_a_map(shared, tmp_path):
    waits = jobs.waits.deploy("waits")
    before = baseline(shared)
    process = client(shared, MAP, str(tmp_path / "pids"))
    pids = told(tmp_path / "pids", 2)
    process.kill()
    process.wait()
    for pid in pids:
        gone(int(pid))
    returned(shared, before)
    until(lambda: waits.runs(1)[0].status == "CANCELLED")


def test_a_map_whose_worker_dies_fails_and_leaves_nothing(worker, tmp_path):
    jobs.waits.deploy("waits")
    process = client(worker, MAP, str(tmp_path / "pids"))
    pids = told(tmp_path / "pids", 2)
    worker.kill()
    for pid in pids:
        gone(int(pid))
    assert process.wait(30) == 1
    worker.start()
    from operator_lib import Operator

    assert Operator.from_job("waits").runs(1)[0].status == "FAILED"


def test_while_it_follows_a_run_and_the_run_goes_on(shared, tmp_path):
    run = jobs.endless.deploy("endless").submit(str(tmp_path / "pid"))
    told(tmp_path / "pid")
    before = baseline(shared)
    clients = [client(shared, FOLLOW, run.id, str(tmp_path / str(n))) for n in range(3)]
    for n in range(3):
        told(tmp_path / str(n))
    for process in clients:
        process.kill()
        process.wait()
    returned(shared, before)
    assert run.status == "RUNNING"
    run.cancel()
    until(run.done)


def test_after_submitting_and_the_runs_go_on(shared, tmp_path):
    waits = jobs.waits.deploy("waits")
    before = baseline(shared)
    process = client(shared, WATCH, str(tmp_path / "pids"))
    pids = told(tmp_path / "pids", 3)
    process.kill()
    process.wait()
    until(lambda: descriptors(shared.pid) <= before[0] + 3 + 3, 25)
    runs = waits.runs(3)
    assert [run.status for run in runs] == ["RUNNING"] * 3
    for run in runs:
        run.cancel()
    for pid in pids:
        gone(int(pid), 5)
    returned(shared, before)


def test_in_the_middle_of_an_upload(shared, tmp_path):
    size = jobs.size_of.with_options(input_encoder="cloudpickle").deploy("size")
    before = baseline(shared)
    process = client(shared, UPLOAD, str(tmp_path / "pieces"))
    told(tmp_path / "pieces", 3)
    process.kill()
    process.wait()
    returned(shared, before)
    assert size(b"x" * (50 << 20)) == 50 << 20
