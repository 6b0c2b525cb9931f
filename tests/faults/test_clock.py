"""The clock of the machine is set while runs wait, go on and are tried again: nothing ends early, late or twice."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import fault_jobs as jobs
import pytest
from crash import Home, read_lines, told, until

from operator_lib import Retries
from operator_lib.errors import OperatorTimeout

DAY = 24 * 3600

# What the time of day is asked for with, so many seconds off; the clock that only goes forward is left alone.
SHIM = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long off(void) {
    FILE *file = fopen(OFFSET, "r");
    long found = 0;
    if (file != NULL) {
        if (fscanf(file, "%ld", &found) != 1) found = 0;
        fclose(file);
    }
    return found;
}

int clock_gettime(clockid_t id, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, id, now);
    if (result == 0 && id == CLOCK_REALTIME) now->tv_sec += off();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *into) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (into != NULL) *into = exact.tv_sec;
    return exact.tv_sec;
}
"""


class Clock:
    """The worker's clock, so many seconds away from ours."""

    def __init__(self, folder) -> None:
        self.offset = folder / "offset"
        self.library = folder / "clock.so"
        source = folder / "clock.c"
        source.write_text(f'#define OFFSET "{self.offset}"\n{SHIM}')
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.library, source], check=True)
        self.set(0)

    def set(self, seconds: int) -> None:
        fresh = self.offset.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.rename(self.offset)


@pytest.fixture
def clock(home: Home, tmp_path, monkeypatch):
    """That of a worker which runs, and of what it has forked."""
    if sys.platform != "linux" or shutil.which("cc") is None:
        pytest.skip("needs a C compiler on Linux: the clock is put in front of the system's")
    made = Clock(tmp_path)
    monkeypatch.setenv("LD_PRELOAD", str(made.library))
    home.start()
    monkeypatch.delenv("LD_PRELOAD")
    made.set(1000 * DAY)
    run = jobs.add.deploy("add").submit(1, 2)
    assert run.result(20) == 3
    assert list(run.events())[0]["t"] > time.time() + 900 * DAY, "the clock is not in the worker"
    made.set(0)
    return made


@pytest.mark.parametrize("jump", [400 * DAY, -DAY])
def test_a_run_that_goes_on_takes_no_notice(clock, tmp_path, jump):
    counted = jobs.counted.with_options(timeout=30).deploy("counted")
    run = counted.submit(str(tmp_path / "e"), "a", 0.5)
    told(tmp_path / "e")
    clock.set(jump)
    assert run.result(20) == "a"
    assert read_lines(tmp_path / "e") == ["start a", "done a"]
    assert counted.submit(str(tmp_path / "e"), "b").result(20) == "b"


@pytest.mark.parametrize("jump", [400 * DAY, -DAY])
def test_a_limit_is_kept_all_the_same(clock, tmp_path, jump):
    run = jobs.too_slow.deploy("slow").submit(str(tmp_path / "pid"))
    told(tmp_path / "pid")
    clock.set(jump)
    with pytest.raises(OperatorTimeout, match=r"ran for 1\.\d s, the limit is 1 s"):
        run.result(20)


def test_the_next_attempt_comes_after_its_pause(clock, tmp_path):
    later = jobs.exits_at_first.with_options(retries=Retries(2, initial_delay=0.5))
    run = later.deploy("later").submit(str(tmp_path / "e"))
    told(tmp_path / "e")
    clock.set(-DAY)
    assert run.result(20) == "at last"
    assert read_lines(tmp_path / "e") == ["start"] * 3


def test_what_waits_is_started_after_a_restart(clock, home, tmp_path):
    clock.set(-DAY)
    counted = jobs.counted.deploy("counted")
    runs = [counted.submit(str(tmp_path / "e"), str(number), 0.3) for number in range(3)]
    home.kill()
    clock.set(0)
    home.start()
    until(lambda: all(run.done() for run in runs), 30)
    assert [run.result() for run in runs] == ["0", "1", "2"]
