"""Operators with time limits."""

import os
import subprocess
import sys
import time
import zlib

from operator_lib import Operator, RequestContext, Retries, operator


class Slow(Operator):
    """Goes on for longer than anybody waits, in ways that Python cannot interrupt."""

    def forward(self, how, pid_file=""):
        if how == "spin":
            while True:
                pass
        if how == "c_code":
            data = os.urandom(50_000_000)
            while True:
                zlib.crc32(data)
                bytes(300_000_000)
        if how == "process":
            subprocess.run([sys.executable, "-c", "import time; time.sleep(100)"], check=True)
        time.sleep(100)


class Parent(Operator):
    def __init__(self):
        self.child = Slow().with_options(timeout=1)

    def forward(self, how, pid_file=""):
        return self.child(how, pid_file)


@operator(timeout=1, use_ctx=True)
def reports(ctx, steps, silent=False):
    for step in range(steps):
        time.sleep(0.6)
        ctx.progress.update(step + 1, steps)
    if silent:
        time.sleep(100)
    return steps


class Rest(Operator):
    def forward(self):
        time.sleep(0.7)
        RequestContext.get().update_progress()


class Waits(Operator):
    """Has one second, and children that take two together."""

    options = {"timeout": 1}

    def __init__(self):
        self.rest = Rest().with_options(timeout=60)

    def forward(self):
        for _ in range(3):
            self.rest()
        return "rested three times"


@operator(timeout=1, retries=Retries(1, initial_delay=0))
def slow_at_first(path):
    with open(path, "a") as file:
        file.write("started\n")
    with open(path) as file:
        if len(file.readlines()) == 1:
            time.sleep(100)
    return "at last"


@operator(use_ctx=True, retries=Retries(1, initial_delay=0))
def remembers(ctx):
    if ctx.state.get("told") is None:
        ctx.state.set("told", ["first"])
        os._exit(3)
    return [*ctx.state.get("told"), ctx.attempt]
