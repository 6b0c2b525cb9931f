"""Operators that are not deployed, and ask for what needs a process."""

import os
import tempfile
import time

from operator_lib import Env, Operator, Resource, Retries, operator


class Refused(Exception):
    """Of the user's own."""


@operator(timeout=60)
def where(how="", path=""):
    if how == "raise":
        raise Refused("no", 3)
    if how == "exit":
        os._exit(3)
    if how == "wait":
        with open(f"{path}.new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(f"{path}.new", path)
        time.sleep(600)
    print("in", how)
    return os.getpid(), os.getcwd(), tempfile.gettempdir()


@operator(timeout=1)
def hangs(how):
    if how == "c":
        sum(range(10**13))
    return how


class Kid(Operator):
    options = {"timeout": 1}

    def forward(self, seconds):
        time.sleep(seconds)
        return seconds


class Catches(Operator):
    def __init__(self):
        self.kid = Kid()

    def forward(self, seconds):
        try:
            return self.kid(seconds)
        except TimeoutError as error:
            return str(error)


@operator(resource=Resource(memory="256Mi"))
def takes(mib):
    return len(b"x" * (mib << 20))


@operator(resource=Resource(disk_size="64Mi"))
def writes(mib):
    with tempfile.TemporaryFile() as file:
        for _ in range(mib):
            file.write(bytes(1 << 20))


@operator(timeout=60, retries=Retries(1, initial_delay=0), use_ctx=True)
def at_last(ctx):
    tries = ctx.state.get("tries", 0) + 1
    ctx.state.set("tries", tries)
    ctx.progress.update(tries)
    if tries == 1:
        os._exit(4)
    return tries, ctx.attempt


@operator(timeout=60)
async def later(x):
    return x + 1


@operator(timeout=60)
def items(count):
    yield from range(count)


@operator(environment_variables=[Env("COLOUR", default="green"), Env("SHAPE")])
def told():
    return os.environ["COLOUR"], os.environ["SHAPE"]


class Inner(Operator):
    options = {"memory": 2}

    def __remote_init__(self):
        raise AssertionError("this is no worker")

    def forward(self):
        return os.getpid()


class Outer(Operator):
    def __init__(self):
        self.inner = Inner()

    def forward(self):
        return os.getpid(), self.inner()
