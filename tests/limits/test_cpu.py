"""Processors: kept by the kernel where the worker may make control groups, else by setting cores apart."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import time
from pathlib import Path

import greedy
import pytest

from operator_lib.engine.process import VALUE, Exit, ProcessSpec
from operator_lib.executors import groups
from operator_lib.executors.limits import Means
from operator_lib.executors.local.executor import LocalExecutor
from operator_lib.executors.local.zygote import base_environment
from operator_lib.package import entry
from operator_lib.wire import codec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be held to processors")
CORES = len(os.sched_getaffinity(0))
SECONDS = 1.5


def kernel_keeps() -> bool:
    return "cpu" in groups.find(Path("/nowhere")).parents


def test_processes_together_get_no_more_than_they_may(worker):
    """Whatever the machine does besides: the limit is an upper one."""
    if not kernel_keeps():
        pytest.skip(f"no control groups here: {groups.find(Path('/nowhere')).refused['cpu']}")
    told = greedy.computes.deploy("computes", resource={"cpu": "500m"})(3, SECONDS)
    # A period of 0.1 s may be used up at the beginning and at the end.
    assert told["used"] <= 0.5 * (SECONDS + 0.2)
    assert told["cores"] == CORES


def test_numerical_libraries_are_told(worker):
    assert greedy.computes.deploy("computes", cpu=1)(0, 0)["threads"] == "1"
    assert greedy.computes.deploy("computes", resource={"cpu": "1100m"})(0, 0)["threads"] == "2"


def test_what_the_deployer_says_to_them_wins(worker):
    told = greedy.computes.deploy("computes", cpu=1, environment_variables={"OMP_NUM_THREADS": "3"})
    assert told(0, 0)["threads"] == "3"


def test_no_group_is_left(worker):
    greedy.computes.deploy("computes", cpu=1)(1, 0)
    made = groups.find(worker.home.resolve())
    # The last one goes with the shim, a moment after the run's end is known.
    end = time.monotonic() + 5
    while left := [str(p) for parent in made.parents.values() for p in parent.folder.glob(f"{made.prefix}*")]:
        assert time.monotonic() < end, left


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An executor where no control group can be made."""
    nowhere = groups.Groups("none-", refused={"cpu": "not here", "memory": "not here"})
    monkeypatch.setattr(groups, "find", lambda home, settle=False: nowhere)
    return LocalExecutor(tmp_path)


def spec_of(op, folder: Path, **limits) -> ProcessSpec:
    for part in ("work", "tmp"):
        (folder / part).mkdir(parents=True)
    (folder / "entry").write_bytes(entry.pack(op))
    (folder / "input").write_text(json.dumps({"processes": 0, "seconds": 0}))
    spec = ProcessSpec(
        "run",
        folder.name,
        "computes",
        str(folder),
        str(Path(greedy.__file__).parent),
        str(folder / "entry"),
        str(folder / "events"),
        input=str(folder / "input"),
        env=base_environment(folder),
        **limits,
    )
    spec.write()
    return spec


def test_elsewhere_a_process_is_kept_to_so_many_cores(elsewhere, tmp_path):
    async def work() -> Exit:
        await elsewhere.reclaim()
        ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        spec = spec_of(greedy.computes, tmp_path / "run", cpu=0.5)
        await elsewhere.spawn(sys.executable, spec, lambda heard: "exit" in heard and ended.set_result(heard["exit"]))
        try:
            return await asyncio.wait_for(ended, 30)
        finally:
            await elsewhere.close()

    ended = asyncio.run(work())
    stored = (tmp_path / "run" / VALUE).read_bytes()
    assert ended.code == 0
    assert codec.loads(stored[stored.index(b"\n") + 1 :])["cores"] == 1


def test_processes_are_spread_over_the_cores(elsewhere, tmp_path):
    means: Means = elsewhere.means
    means.prepare()
    wanted = 1.5 if CORES > 1 else 1.0
    specs = [ProcessSpec("run", str(n), "n", "", "", "", "", cpu=wanted) for n in range(3)]
    held = [means.hold(spec) for spec in specs]
    assert all(len(spec.cores) == math.ceil(wanted) for spec in held)
    means.let_go(held[0])
    one = means.hold(ProcessSpec("run", "x", "n", "", "", "", "", cpu=1.0))
    two = means.hold(ProcessSpec("run", "y", "n", "", "", "", "", cpu=1.0))
    assert CORES == 1 or one.cores != two.cores
