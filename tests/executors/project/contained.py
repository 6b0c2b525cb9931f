"""Operators that do what processes do, for better and for worse."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from operator_lib import Operator, RequestContext, operator

MIB = 1 << 20


@operator
def add(a: int, b: int) -> int:
    print("adding", a, b)
    return a + b


@operator
def double(number: int) -> int:
    return 2 * number


@operator
def misbehave(how: str):
    """Ends in the way that is asked for."""
    if how == "raise":
        raise KeyError("no such key")
    if how == "exit":
        os._exit(3)
    if how == "signal":
        os.kill(os.getpid(), 15)
    if how == "memory":
        return len(fill(2048))
    if how == "sleep":
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        print("ready", os.getpid(), child.pid, flush=True)
        time.sleep(1000)
    if how == "disk":
        with open(os.path.join(tempfile.gettempdir(), "big"), "wb") as file:
            for _ in range(3000):
                file.write(b"\0" * MIB)
    return how


def fill(mib: int) -> bytearray:
    data = bytearray(mib * MIB)
    data[::4096] = b"x" * len(data[::4096])
    return data


@operator
def surroundings() -> dict:
    """What a process sees."""
    os.write(1, b"straight to the file descriptor\n")
    print("to the other stream", file=sys.stderr)
    RequestContext.get().progress.update(1, 2, "half")
    Path("mine").write_text("written beside the version's files")
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"left")
    return {
        "environment": dict(os.environ),
        "temporary": tempfile.gettempdir(),
        "data": Path("data.txt").read_text(),
        "beside": Path(__file__).with_name("data.txt").read_text(),
        "files": sorted(os.listdir()),
        "uid": os.getuid(),
        "python": sys.executable,
        "command": Path(f"/proc/{os.getpid()}/cmdline").read_text(),
    }


@operator
def keyed() -> dict:
    print("the key is", os.environ["EXECUTOR_KEY"], flush=True)
    return {name: value for name, value in os.environ.items() if "KEY" in name}


@operator
def keyed_and_asleep():
    print("ready", len(os.environ["EXECUTOR_KEY"]), flush=True)
    time.sleep(1000)


class Big(Operator):
    options = {"memory": 2}

    def forward(self, x):
        if x < 0:
            return len(fill(4096))
        return x, tempfile.gettempdir(), RequestContext.get().request_id


class Family(Operator):
    def __init__(self):
        self.big = Big()

    def forward(self, x):
        return self.big(x), tempfile.gettempdir()


class Counter(Operator):
    def __init__(self):
        self.count = 0

    def forward(self, by: int) -> int:
        self.count += by
        return self.count

    def numbers(self, until: int):
        yield from range(until)


@operator
def again() -> int:
    """Sleeps the first time; what it has kept tells it that it was here."""
    state = RequestContext.get().state
    attempt = RequestContext.get().attempt
    if state.get("been", False):
        return attempt
    state.set("been", True)
    print("ready", flush=True)
    time.sleep(1000)
    return 0
