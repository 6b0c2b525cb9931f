"""Programs that take more than they may, and some that do not."""

import os
import subprocess
import sys
import tempfile
import time

from operator_lib import Operator, Retries, operator

MIB = 1 << 20
TAKE = "import sys, time; held = b'x' * int(sys.argv[1]); time.sleep(600)"


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)


@operator
def takes(mib, step=4):
    """Memory, bit by bit."""
    held = [b"%d" % part * (step * MIB) for part in range(mib // step)]
    return len(held)


@operator
def grabs(mib):
    """Memory, as fast as the machine can fill it."""
    return len(b"x" * (mib * MIB))


@operator
def starts(programs, mib):
    """Programs that each take little."""
    started = [subprocess.Popen([sys.executable, "-c", TAKE, str(mib * MIB)]) for _ in range(programs)]
    return [program.wait() for program in started]


@operator
def detaches(mib):
    """A daemon that takes memory, with no parent and no session in common with this."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", TAKE, str(mib * MIB)])
        os._exit(0)
    time.sleep(600)


@operator
def shares(mib, forks):
    """Forks that read one large array."""
    array = b"x" * (mib * MIB)
    pids = []
    for _ in range(forks):
        pid = os.fork()
        if pid == 0:
            time.sleep(0.5)
            os._exit(0 if array.count(b"x") == len(array) else 1)
        pids.append(pid)
    return [os.waitpid(pid, 0)[1] for pid in pids]


@operator
def waits(started, release):
    open(started, "w").close()
    wait_for(release)
    return "waited"


@operator(retries=Retries(1, initial_delay=0))
def takes_at_first(path, mib):
    if not os.path.exists(path):
        open(path, "w").close()
        return len(b"x" * (mib * MIB))
    return "modest"


class Hoard:
    """Keeps what it takes."""

    def __init__(self):
        self.held = []

    def take(self, mib: int) -> int:
        self.held.append(b"x" * (mib * MIB))
        return len(self.held)

    def pid(self) -> int:
        return os.getpid()


@operator
def writes(mib, how="named", started="", release=""):
    """Into its private folder; where that is."""
    folder = os.getcwd() if how == "current" else tempfile.gettempdir()
    piece = os.urandom(MIB)
    if how == "many":
        for number in range(mib):
            with open(os.path.join(folder, f"part{number}"), "wb") as file:
                file.write(piece)
    else:
        with tempfile.TemporaryFile() if how == "unnamed" else open(os.path.join(folder, "whole"), "wb") as file:
            for _ in range(mib):
                file.write(piece)
                file.flush()
    if release:
        with open(started, "w") as file:
            file.write(folder)
        wait_for(release)
    return folder


@operator
def writes_elsewhere(path, mib):
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(bytes(MIB))
    return "written"


@operator
def computes(processes, seconds):
    """Processor seconds used in so many seconds, and what it was told."""
    pids = []
    for _ in range(processes):
        pid = os.fork()
        if pid == 0:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                pass
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    used = os.times()
    threads = os.environ.get("OMP_NUM_THREADS")
    return {
        "used": used.children_user + used.children_system,
        "cores": len(os.sched_getaffinity(0)),
        "threads": threads,
    }


@operator
def sees(release=""):
    """The graphics cards that CUDA would show."""
    if release:
        wait_for(release)
    return os.environ.get("CUDA_VISIBLE_DEVICES")


class Seer:
    def cards(self) -> str:
        return os.environ["CUDA_VISIBLE_DEVICES"]

    def cards_slowly(self) -> str:
        time.sleep(0.3)
        return self.cards()


class Seer2(Seer):
    """The next version of it."""


class Modest(Operator):
    def forward(self, x):
        return x


class Family(Operator):
    """A child with resources of its own."""

    def __init__(self, **own):
        self.child = Modest().with_options(**own)

    def forward(self, x):
        return self.child(x)
