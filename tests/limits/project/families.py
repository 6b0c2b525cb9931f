"""Operators with children that ask for resources of their own."""

import os
import subprocess
import sys
import threading
import time

from operator_lib import Operator, RequestContext, Retries

MIB = 1 << 20


class Inner(Operator):
    def forward(self, x):
        print("inner", x)
        return x + 1


class Worker(Operator):
    """Says where it is, and remembers."""

    options = {"memory": 2}

    def __init__(self):
        self.inner, self.seen, self.scale = Inner(), [], 1

    def __remote_init__(self):
        self.handle = threading.Lock()  # cannot be pickled: belongs to one process
        self.initialised_in = os.getpid()

    def forward(self, x):
        print("worker", x)
        self.seen.append(x)
        return {
            "value": self.inner(x) * self.scale,
            "pid": os.getpid(),
            "initialised_in": self.initialised_in,
            "threads": os.environ.get("OMP_NUM_THREADS"),
            "run": RequestContext.get().request_id,
        }


class Parent(Operator):
    def __init__(self):
        self.worker, self.plain = Worker(), Inner()

    def forward(self, x):
        first = self.worker(x)
        self.worker.scale = 10
        second = self.worker(x)
        return {
            "pid": os.getpid(),
            "first": first,
            "second": second,
            "seen": self.worker.seen,
            "plain": self.plain(x),
            "has_handle": hasattr(self.worker, "handle"),
        }


class Rough(Operator):
    """Ends in every way."""

    def forward(self, how, path=""):
        if how == "raise":
            raise KeyError("no such key")
        if how == "memory":
            return len(b"x" * (4000 * MIB))
        if how == "exit":
            os._exit(3)
        if how == "sleep":
            subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"], check=True)
        if how == "once" and not os.path.exists(path):
            open(path, "w").close()
            os._exit(4)
        return how


class Careful(Operator):
    """Goes on when its child fails."""

    def __init__(self, **own):
        self.rough = Rough().with_options(memory=2, **own)

    def forward(self, how, path=""):
        try:
            return self.rough(how, path)
        except Exception as error:
            return [type(error).__name__, str(error), self.rough("again")]


class Careless(Operator):
    def __init__(self, **own):
        self.rough = Rough().with_options(memory=2, **own)

    def forward(self, how, path=""):
        return self.rough(how, path)


class Sleeper(Operator):
    options = {"memory": 2}

    def forward(self, path, around):
        with open(f"{path}.new", "w") as file:
            file.write(f"{around} {os.getpid()}")
        os.rename(f"{path}.new", path)
        time.sleep(600)


class Sleepy(Operator):
    def __init__(self):
        self.sleeper = Sleeper()

    def forward(self, path):
        return self.sleeper(path, os.getpid())


class Lazy(Operator):
    options = {"memory": 2}

    def forward(self, count):
        for number in range(count):
            yield number, os.getpid()


class Async(Operator):
    options = {"memory": 2}

    async def forward(self, x):
        return x + 1, os.getpid()


class Kinds(Operator):
    def __init__(self):
        self.lazy, self.waits = Lazy(), Async()

    async def forward(self):
        return list(self.lazy(2)), await self.waits(1), os.getpid()


class Context(Operator):
    options = {"memory": 2, "use_ctx": True}

    def forward(self, ctx, key):
        ctx.progress.update(1, 2)
        return ctx.state.get(key), ctx.request_id


class Shares(Operator):
    options = {"use_ctx": True}

    def __init__(self):
        self.context = Context()

    def forward(self, ctx):
        ctx.state.set("k", "shared")
        return self.context("k"), ctx.request_id


class Outer(Operator):
    """A part inside of a part."""

    options = {"memory": 2}

    def __init__(self):
        self.worker = Inmost()

    def forward(self):
        return [os.getpid(), *self.worker()]


class Inmost(Operator):
    options = {"memory": 3}

    def forward(self):
        return [os.getpid()]


class Nest(Operator):
    def __init__(self):
        self.outer = Outer()

    def forward(self):
        return [os.getpid(), *self.outer()]


class Retried(Operator):
    options = {"retries": Retries(1, initial_delay=0)}

    def __init__(self):
        self.rough = Rough().with_options(memory=2)

    def forward(self, how, path):
        return self.rough(how, path)


class Steady(Operator):
    """Has one second, takes longer to be ready and to do its work, and says that it is alive."""

    options = {"memory": 2, "timeout": 1, "use_ctx": True}

    def __remote_init__(self):
        time.sleep(1.5)

    def forward(self, ctx, steps):
        for step in range(steps):
            time.sleep(0.6)
            ctx.progress.update(step + 1, steps)
        return steps


class Patient(Operator):
    def __init__(self):
        self.steady = Steady()

    def forward(self, steps):
        return self.steady(steps)


class Coloured(Operator):
    options = {"environment_variables": {"COLOUR": "green"}}

    def forward(self):
        return os.environ.get("COLOUR"), os.getpid()


class Colours(Operator):
    """A child with variables of its own."""

    def __init__(self, **own):
        self.coloured = Coloured()

    def forward(self):
        return os.environ.get("COLOUR"), os.getpid(), self.coloured()
