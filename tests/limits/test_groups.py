"""Control groups, where this process may make them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from operator_lib.executors import groups

HOME = Path("/a/home/of/these/tests")
PROGRAM = """
import sys
from operator_lib.executors import groups
groups.enter((sys.argv[1],))
{body}
"""


@pytest.fixture
def found():
    found = groups.find(HOME)
    yield found
    found.clear()


def needs(found: groups.Groups, controller: str) -> groups.Parent:
    if controller not in found.parents:
        pytest.skip(f"no groups for {controller} here: {found.refused[controller]}")
    return found.parents[controller]


def inside(folder: str, body: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM.format(body=body), folder], stdout=subprocess.PIPE)


def test_each_limit_is_kept_somehow(found):
    """By a group, or there is a reason in words why not."""
    for controller in groups.WANTED:
        assert (controller in found.parents) != (controller in found.refused)
    assert all(found.refused.values())


def test_the_kernel_kills_for_memory(found):
    needs(found, "memory")
    (folder,) = found.make("memory", cpu=None, memory=64 << 20)
    program = inside(folder, "b'x' * (256 << 20)")
    assert program.wait() == -signal.SIGKILL
    assert groups.kills(folder) >= 1
    groups.remove(folder)
    assert not os.path.exists(folder)


def test_the_kernel_slows_down(found):
    needs(found, "cpu")
    (folder,) = found.make("cpu", cpu=0.25, memory=0)
    body = "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
    out, _ = inside(folder, body).communicate()
    # What came before the loop counts too; a period is 0.1 s.
    assert float(out) <= 0.25 * 1.2 + 0.2
    throttled = Path(folder, "cpu.stat").read_text().split()
    assert int(throttled[throttled.index("nr_throttled") + 1]) > 0
    groups.remove(folder)
    assert not os.path.exists(folder)


def test_a_group_without_limits_is_not_made(found):
    assert found.make("nothing", cpu=None, memory=0) == ()


def test_a_limit_that_the_kernel_does_not_take_leaves_no_group(found):
    parent = needs(found, "cpu")
    assert found.make("odd", cpu=1e-9, memory=0) == ()
    assert not list(parent.folder.glob(f"{found.prefix}*"))


def test_what_a_killed_worker_has_left_is_removed(found):
    parent = needs(found, "cpu")
    (folder,) = found.make("left", cpu=1, memory=0)
    program = inside(folder, "import time; print('there', flush=True); time.sleep(600)")
    assert program.stdout is not None
    program.stdout.readline()
    program.kill()
    program.wait()
    again = groups.find(HOME)
    again.clear()
    end = time.monotonic() + 5
    while list(parent.folder.glob(f"{found.prefix}*")):
        assert time.monotonic() < end
        again.clear()


def test_other_homes_are_left_alone(found):
    needs(found, "cpu")
    (folder,) = found.make("mine", cpu=1, memory=0)
    groups.find(Path("/another/home")).clear()
    assert os.path.isdir(folder)
